#pragma once
#include "explore/evaluate.h"
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

struct sqlite3;

namespace deltatwin {

/// A part of a sweep: chunks i-1, i-1+n, i-1+2n, ... of a space.
struct Shard {
  int index = 1, count = 1;
};
/// From "i/n"; throws InputError.
[[nodiscard]] Shard parse_shard(const std::string& text);
[[nodiscard]] std::string to_string(Shard shard);
/// How many chunks of a space a shard has, and the id of one of them.
[[nodiscard]] std::uint64_t chunk_count(const Space& space, Shard shard);
[[nodiscard]] inline std::uint64_t chunk_id(Shard shard, std::uint64_t place) {
  return static_cast<std::uint64_t>(shard.index - 1) + place * static_cast<std::uint64_t>(shard.count);
}

/// `chunk_points` points of a space, evaluated together.
inline constexpr std::uint64_t chunk_points = 4096;
struct Chunk {
  std::uint64_t id = 0;
  std::array<std::uint64_t, verdicts> counts{}; ///< by Verdict
  /// Those that do not fit by Resource: each counts to the one that it takes the largest share of.
  std::array<std::uint64_t, resource_kinds> short_of{};
  std::vector<DesignPoint> feasible;
  std::vector<DesignPoint> front; ///< of these
};

/// A point that was run on RTL and synthesized.
struct Confirmation {
  std::uint64_t point = 0;
  std::string kind; ///< "best" or "random"
  int items = 0;
  std::uint64_t cycles_model = 0, cycles_rtl = 0, mismatches = 0;
  Resources model, synthesized;

  [[nodiscard]] bool cycles_agree() const { return mismatches == 0 && cycles_model == cycles_rtl; }
};

/// A sweep's result: an SQLite file that holds whole chunks at any time, also after a crash.
///
///   space(key, value)   format, name, directory and text of the space file, fingerprint, points, shard
///   devices, and tables of the family's (the accelerator's: networks, multipliers)   what the numbers in
///                       `points` stand for
///   points              the feasible ones: what the family stores of them, area; `id` counts in the space
///   designs             a view of `points` with names and all derived figures; `fits` is null where the
///                       area model cannot tell
///   best                a view: of each device and series (the accelerator: network and code) the first
///   design in the order of the
///                       space's objectives, of those equal in all of them the first of the space
///   chunks              a row for each chunk that is done, with its verdicts
///   front               ids of the Pareto fronts of what is there, one a device
///   confirmed           what RTL and synthesis say
///
/// One process has it open at a time; a second one gets an InputError.
class Database {
public:
  /// A new file, with the space's names; throws InputError where one is there.
  static Database create(const std::string& path, const Evaluator& evaluator, Shard shard);
  enum class Access { read, write };
  Database(const std::string& path, Access access);
  ~Database(); ///< leaves one plain file; after a crash the next one to open it puts it in order
  Database(Database&&) noexcept;

  /// Deletes a result, if it is there; throws InputError when it is none, or in use.
  static void remove(const std::string& path);

  [[nodiscard]] std::string space_value(const std::string& key) const;
  [[nodiscard]] Shard shard() const;
  /// Throws InputError when the file is of another space, of other networks or models, or holds what
  /// is none of its shard's.
  void check(const Evaluator& evaluator) const;

  [[nodiscard]] std::vector<std::uint64_t> chunks() const; ///< done, ascending
  [[nodiscard]] std::array<std::uint64_t, verdicts> counts() const;
  [[nodiscard]] std::array<std::uint64_t, resource_kinds> short_of() const; ///< as in Chunk
  void add(const Chunk& chunk, const ResultSchema& schema);
  /// Takes all chunks of another file of the same space.
  void merge(const std::string& path);

  [[nodiscard]] std::vector<std::uint64_t> front() const;
  void set_front(const std::vector<DesignPoint>& front);
  /// At most `count` feasible points, evenly spread over the space.
  [[nodiscard]] std::vector<std::uint64_t> sample(std::uint64_t count) const;

  /// The id of the feasible point with `place` others before it.
  [[nodiscard]] std::uint64_t feasible(std::uint64_t place) const;

  /// Rows of the view `designs`, by the names of its columns(), in the order of these points, as far as
  /// they are feasible.
  [[nodiscard]] std::vector<boost::json::object> designs(const std::vector<std::uint64_t>& ids_wanted) const;
  [[nodiscard]] std::vector<std::string> columns() const;
  /// Of how many designs there this column is null.
  [[nodiscard]] std::uint64_t unknown(const std::string& column) const;

  void add(const Confirmation& confirmation);
  [[nodiscard]] std::vector<Confirmation> confirmations() const;

private:
  struct Statement;
  Database(const std::string& file, int flags, const std::string& name);
  void describe(const Evaluator& evaluator, Shard shard);
  void execute(const std::string& sql) const;
  [[nodiscard]] Statement prepare(const std::string& sql) const;
  [[nodiscard]] std::vector<std::uint64_t> ids(const std::string& sql) const;
  [[noreturn]] void fail() const;

  std::string path_; ///< what errors call it
  sqlite3* handle_ = nullptr;
};

} // namespace deltatwin
