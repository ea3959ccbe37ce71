#pragma once
#include "base/error.h"
#include "base/json.h"
#include "net/graph.h"
#include "net/input_set.h"
#include "tops/session.h"
#include "tops/timeline.h"
#include "tops/top.h"
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a user chooses of a top: an option of the command line, and a field of space files and a
/// column of results by the same name.
struct Axis {
  enum Kind { integer, real, choice, text, set } kind;
  std::string name;                ///< "lanes_per_bank"; the option is --lanes-per-bank
  std::string field;               ///< of a space file, where it is not the name: "networks"
  std::string help;                ///< of the option
  double low = 0, high = 0;        ///< of numbers, both possible
  std::vector<std::string> values; ///< of a choice, or of a set: "none", "all", or some with a + between them
  std::string standard;            ///< what is taken where nothing is said; "fit": what suits the others
  bool only_in_spaces = false;     ///< a text without an option, and a space may leave it out

  /// "--lanes-per-bank"
  [[nodiscard]] std::string option() const;
  /// As a number: of a choice its place in `values`, of a set a bit for each of them, of a text and of "fit",
  /// where that is the standard, 0. Throws InputError, which names the axis and what
  /// is possible, for any other text.
  [[nodiscard]] double parse(const std::string& given) const;
  /// Of a set the other way round.
  [[nodiscard]] std::string set_text(double number) const;
};

/// Work for a design: something to load, then items (images, blocks) one behind the other.
class Workload {
public:
  virtual ~Workload() = default;
  /// "image", "block".
  [[nodiscard]] virtual std::string unit() const = 0;
  [[nodiscard]] virtual int items() const = 0;
  /// Appends what comes before the first run.
  virtual void load(Session& session) const = 0;
  /// Appends a run over items first .. first + count - 1.
  virtual void run(Session& session, int first, int count) const = 0;
  /// The length of a session that was such a run, alone or behind what load() appends.
  [[nodiscard]] virtual Cycle cycles(const RunRecord& record) const = 0;
  /// Of what its speed is told in: "MAC", and how many of them these items take.
  [[nodiscard]] virtual std::string operation() const = 0;
  [[nodiscard]] virtual double operations(int count) const = 0;
  /// What the output streams then carry, TDATA's bytes one stream behind the other, by a plain
  /// function that knows no time.
  [[nodiscard]] virtual std::vector<std::uint8_t> expected(int first, int count) const = 0;
  /// What else `simulate` tells of such outputs: "bits per value", 3.95.
  struct Fact {
    std::string name, unit; ///< as people read it; in JSON the name's spaces are _
    double value;
    int digits; ///< behind the point
  };
  [[nodiscard]] virtual std::vector<Fact> facts(const std::vector<std::uint8_t>&) const { return {}; }
  /// What waves tell beside the beats of a run, which the model recorded in this trace.
  [[nodiscard]] virtual std::vector<WaveNote> notes(const BeatTrace&) const { return {}; }
  /// Of a network: what runs, and its output tensor's integers in such outputs.
  [[nodiscard]] virtual const Graph* graph() const { return nullptr; }
  [[nodiscard]] virtual std::vector<std::int32_t> integers(const std::vector<std::uint8_t>&) const {
    return {};
  }
  /// The outputs as CSV, a line an item; none where that is not written.
  [[nodiscard]] virtual std::optional<std::string> csv(const std::vector<std::uint8_t>&) const { return {}; }
};

/// A design and work for it.
struct Subject {
  std::string name;                ///< of files: "s15"
  std::string title;               ///< of prints: "s15, 16 lanes"
  boost::json::object description; ///< the same, and of what the work is, in a command's JSON
  std::string origin;              ///< of the work, behind its count: " made up with seed 1"; may be empty
  std::function<void()> print;     ///< prints more of it; may be null
  std::function<std::vector<Timeline>()> timelines; ///< what happens in it, to be drawn; may be null
  std::unique_ptr<Top> top;
  std::unique_ptr<Workload> work; ///< none, if none was asked for
};

/// What a design is judged by beside its area: an objective and a constraint of spaces.
struct Figure {
  std::string name; ///< "latency"
  bool larger_is_better = false;
  double low = 0, high = 0; ///< a constraint's possible values; equal: there is no constraint
  std::string column{};     ///< of results, where it has another name: "latency_us"
};

/// What pure functions tell of a design, without running it.
struct Evaluation {
  static constexpr std::size_t most_figures = 8, most_stored = 32;
  bool possible = false; ///< or else the rest means nothing
  Resources area;
  std::array<double, most_figures> figures{}; ///< in the order of TopFamily::figures(); NaN: not known
  std::array<double, most_stored> stored{};   ///< in the order of ResultSchema::stored
};

/// How an exploration's results lie in SQLite: what is stored of a point, tables that explain it, and
/// columns of the view `designs` made of both, as SQL over `p` (the point), `d` (its device) and
/// whatever `joins` names.
struct ResultSchema {
  struct Column {
    std::string name, type; ///< "integer", "real"
  };
  struct Table {
    std::string name, columns; ///< the first one is the key: "id integer primary key, name text"
    std::vector<std::vector<boost::json::value>> rows;
  };
  struct Shown {
    std::string name, sql;
    std::string head, unit; ///< in tables for people: "lanes", "a bank"
    int weight = 0;         ///< what it matters: a narrow table leaves out the least
    bool is_choice = false; ///< of an axis, rather than a figure
    bool is_series = false; ///< plots tell these apart
    bool larger_is_better = false;
    double scale = 1; ///< from the number to the unit
    int digits = 0;
    bool may_be_unknown = false; ///< of some designs: it is told of how many
  };
  std::vector<Column> stored;
  std::vector<Table> tables;
  std::string joins; ///< "join networks n on n.id = p.network"
  std::vector<Shown> shown;
};

/// The values of an axis in a space.
struct AxisValues {
  std::vector<double> numbers; ///< as Axis::parse() gives them; of a text its place in `texts`
  std::vector<std::string> texts;
};

/// Evaluates the designs of a space.
class Exploration {
public:
  virtual ~Exploration() = default;
  /// `choices` [count][axes]: a value each of AxisValues::numbers.
  virtual void evaluate(const double* choices, std::size_t count, Evaluation* results) const = 0;
  /// Of a design that is not possible, why.
  [[nodiscard]] virtual std::string complaint(const double* choices) const = 0;
  /// A run over `items` items, inputs always there and outputs always taken: what registers then say.
  [[nodiscard]] virtual Cycle run_cycles(const double* choices, int items) const = 0;
  [[nodiscard]] virtual ResultSchema schema() const = 0;
  /// The choices as the command line takes them, "fit" resolved: "--lanes", "16".
  [[nodiscard]] virtual std::vector<std::string> arguments(const double* choices) const = 0;
  /// What `cosim` takes to run `count` items (0: all there are) on this design.
  [[nodiscard]] virtual std::vector<std::string> work_arguments(const double* choices, int count) const = 0;
};

/// Where the items of a network come from, given its input.
using InputSource = std::function<InputSet(const Tensor& input)>;

/// An accelerator with all its designs.
class TopFamily {
public:
  virtual ~TopFamily() = default;
  [[nodiscard]] virtual std::string name() const = 0;    ///< as --top takes it
  [[nodiscard]] virtual std::string summary() const = 0; ///< a line
  [[nodiscard]] virtual std::vector<Axis> axes() const = 0;
  /// Whose budget it is meant for.
  [[nodiscard]] virtual std::string device() const { return "xc7s15"; }
  /// What the items of its work are, in the plural: "blocks"; the option is --blocks.
  [[nodiscard]] virtual std::string items() const = 0;
  /// The design with these choices, an axis each, and `items` items of work, made up by the seed; 0: no
  /// work. Throws InputError when a choice or the design is impossible.
  [[nodiscard]] virtual Subject subject(const std::vector<std::string>& choices, int items,
                                        std::uint64_t seed) const = 0;
  /// Files that items can come from, in words: "CSV, one a line"; empty: they are made up.
  [[nodiscard]] virtual std::string item_files() const { return ""; }
  /// The design with these choices and work from such a file, its first `count` items; 0: all. Throws
  /// InputError.
  [[nodiscard]] virtual Subject subject_of(const std::vector<std::string>&, const std::string& file,
                                           int count) const {
    (void)count;
    throw InputError(file + ": " + items() + " are made up, random:N or random:N:SEED");
  }
  /// Of networks whose inputs can come from anywhere: the same with what a source gives, which has one item
  /// at least.
  [[nodiscard]] virtual bool takes_inputs() const { return false; }
  [[nodiscard]] virtual Subject subject_of(const std::vector<std::string>&, const InputSource&) const {
    throw InputError(name() + " takes no inputs of a network");
  }
  [[nodiscard]] virtual std::vector<Figure> figures() const = 0;
  /// `values`: of each axis. `known`: figures that must be known; `dataset`: where they may come from.
  /// Throws InputError.
  [[nodiscard]] virtual std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>& values,
                                                                 const std::vector<std::string>& known,
                                                                 const std::string& dataset) const = 0;
};

} // namespace deltatwin
