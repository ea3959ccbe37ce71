#include "tops/edqa/family.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "tops/activation_results.h"
#include "tops/edqa/timing.h"
#include "tops/edqa/top.h"
#include "tops/edqa/workload.h"
#include "tops/model_runner.h"

namespace deltatwin {
namespace {

enum : std::size_t {
  axis_format,
  axis_bits,
  axis_extra,
  axis_mode,
  axis_values,
  axis_books,
  axis_row,
  axis_lanes,
  axis_depth,
  axis_rounding,
  axis_shifting_error,
  axis_activations,
  axis_clock,
  axes_count
};

const std::vector<std::string> formats = {"int16", "int32", "float32"}, modes = {"paper", "static", "whole"},
                               signs = {"signed", "unsigned"}, roundings = {"half_even", "half_down"},
                               shifting_errors = {"scaled", "raw"};

int whole_number(const double* choices, std::size_t axis) { return static_cast<int>(choices[axis]); }

EdqaSettings settings_of(const double* choices) {
  EdqaSettings settings;
  settings.bits = whole_number(choices, axis_bits);
  settings.extra = whole_number(choices, axis_extra);
  settings.mode = static_cast<EdqaMode>(whole_number(choices, axis_mode));
  settings.is_signed = whole_number(choices, axis_values) == 0;
  settings.half_down = whole_number(choices, axis_rounding) == 1;
  settings.raw = whole_number(choices, axis_shifting_error) == 1;
  settings.row = whole_number(choices, axis_row);
  settings.books = settings.mode == EdqaMode::whole ? whole_number(choices, axis_books) : 1;
  return settings;
}

// The hardware that has this mode and no other.
EdqaConfig config_of(const double* choices) {
  const EdqaSettings settings = settings_of(choices);
  EdqaConfig config;
  config.format = static_cast<EdqaFormat>(whole_number(choices, axis_format));
  config.bits = settings.bits;
  config.extra = settings.extra;
  config.depth = whole_number(choices, axis_depth);
  config.dynamic = settings.mode == EdqaMode::paper;
  config.whole = settings.mode == EdqaMode::whole;
  config.books = whole_number(choices, axis_books);
  config.channels = whole_number(choices, axis_lanes);
  config.clock_mhz = choices[axis_clock];
  return config;
}

std::string complaint_of(const double* choices) {
  const EdqaConfig config = config_of(choices);
  const std::string what = complaint(config);
  return what.empty() ? complaint(config, settings_of(choices)) : what;
}

// Whether the design, loaded with scales, books and the table of channels that have m = 0, does what the
// method does to each channel of the network.
bool runs(const EdqaConfig& config, const EdqaSettings& settings, const ActivationResults& results,
          const ActivationMethod& method) {
  if (method.family != ActivationMethod::uniform || method.bits != settings.bits ||
      method.extra != settings.extra || method.is_signed != settings.is_signed || settings.half_down ||
      settings.raw || results.values > config.depth)
    return false;
  const bool coded = method.extra > 0; // shifting errors: those of m = 0 are none
  switch (settings.mode) {
  case EdqaMode::paper:
    return method.dynamic_scale && method.per == ActivationMethod::image && !method.least_squares &&
           (coded ? method.code == ActivationMethod::errors && method.book == ActivationMethod::image_book
                  : method.code != ActivationMethod::whole);
  case EdqaMode::fixed:
    return !method.dynamic_scale &&
           (coded ? method.code == ActivationMethod::errors && method.book == ActivationMethod::layer_book
                  : method.code != ActivationMethod::whole);
  case EdqaMode::whole: // channels of m = 0 have no code
    return !method.dynamic_scale && method.code == ActivationMethod::whole &&
           method.book == ActivationMethod::layer_book && method.contexts == settings.books &&
           (!coded || method.ratio == 1) &&
           (settings.books == 1 || (results.least_columns >= 4 && results.columns <= 64));
  }
  return false;
}

constexpr std::size_t own_figures = 3, own_stored = 11;

class EdqaExploration : public Exploration {
public:
  EdqaExploration(const AxisValues& activations, const std::vector<std::string>& known)
      : activations_(activations, known) {}

  void evaluate(const double* choices, std::size_t count, Evaluation* results) const override {
    for (std::size_t i = 0; i < count; ++i, choices += axes_count) {
      Evaluation& result = results[i];
      result.possible = complaint_of(choices).empty();
      if (!result.possible)
        continue;
      const EdqaConfig config = config_of(choices);
      const EdqaSettings settings = settings_of(choices);
      result.area = total_area(EdqaTop(config).parts());
      const auto values = static_cast<double>(config.depth);
      const auto cycles = static_cast<double>(steady_cycles(config, settings, config.depth));
      const EdqaLatency lone = lone_latency(config, settings, config.depth);
      const auto latency = static_cast<double>(lone.encode + lone.decode);
      const double rate = values * config.channels / cycles;
      result.figures = {rate * config.clock_mhz * 1e6, latency / config.clock_mhz, 1 / rate};
      result.stored = {choices[axis_format],
                       choices[axis_bits],
                       choices[axis_extra],
                       choices[axis_mode],
                       choices[axis_values],
                       choices[axis_books],
                       choices[axis_lanes],
                       choices[axis_depth],
                       choices[axis_clock],
                       cycles,
                       latency};
      activations_.set(
          choices[axis_activations],
          [&](const ActivationResults& network, const ActivationMethod& method) {
            return runs(config, settings, network, method);
          },
          own_figures, own_stored, result);
    }
  }
  [[nodiscard]] std::string complaint(const double* choices) const override { return complaint_of(choices); }
  // By the model, on the channels that `cosim` makes up.
  [[nodiscard]] Cycle run_cycles(const double* choices, int items) const override {
    const EdqaConfig config = config_of(choices);
    const EdqaWorkload work(config, settings_of(choices),
                            made_up_channels(config, settings_of(choices), items, 1));
    Session load, session;
    work.load(load);
    work.run(session, 0, items);
    ModelRunner model{EdqaTop(config)};
    (void)model.run(load);
    (void)model.run(session);
    return work.cycles(model.record());
  }
  [[nodiscard]] ResultSchema schema() const override {
    ResultSchema schema;
    schema.stored = {{"format", "integer"}, {"bits", "integer"},       {"extra", "integer"},
                     {"mode", "integer"},   {"signs", "integer"},      {"books", "integer"},
                     {"lanes", "integer"},  {"depth", "integer"},      {"clock_mhz", "real"},
                     {"cycles", "real"},    {"latency_cycles", "real"}};
    const auto names = [](const std::string& table, const std::vector<std::string>& values) {
      ResultSchema::Table result{table, "id integer primary key, name text", {}};
      for (std::size_t i = 0; i < values.size(); ++i)
        result.rows.push_back({i, boost::json::string(values[i])});
      return result;
    };
    schema.tables = {names("edqa_formats", formats), names("edqa_modes", modes), names("edqa_signs", signs)};
    schema.joins = "join edqa_formats f on f.id = p.format join edqa_modes o on o.id = p.mode "
                   "join edqa_signs s on s.id = p.signs";
    schema.shown = {
        {"mode", "o.name", "mode", "", 21, true, true},
        {"bits", "p.bits", "N", "", 20, true},
        {"extra", "p.extra", "m", "", 19, true},
        {"signs", "s.name", "values", "", 12, true}, // "values" is a word of SQL
        {"format", "f.name", "format", "", 11, true},
        {"books", "p.books", "books", "", 18, true},
        {"lanes", "p.lanes", "lanes", "", 17, true},
        {"depth", "p.depth", "size", "", 16, true},
        {"device", "d.name", "device", "", 1, true},
        {"clock_mhz", "p.clock_mhz", "clock", "MHz", 10, true},
        {"throughput", "p.depth * p.lanes * p.clock_mhz * 1e6 / p.cycles", "throughput", "M values/s", 15,
         false, false, true, 1e-6, 1},
        {"cycles_per_value", "p.cycles / (p.depth * p.lanes)", "cycles", "a value", 14, false, false, false,
         1, 3},
        {"latency_us", "p.latency_cycles / p.clock_mhz", "latency", "us", 13, false, false, false, 1, 2}};
    activations_.extend(schema);
    return schema;
  }
  [[nodiscard]] std::vector<std::string> arguments(const double* choices) const override {
    const auto number = [&](std::size_t axis) { return std::to_string(whole_number(choices, axis)); };
    const auto name = [&](std::size_t axis, const std::vector<std::string>& names) {
      return names[static_cast<std::size_t>(whole_number(choices, axis))];
    };
    return {"--format",
            name(axis_format, formats),
            "--bits",
            number(axis_bits),
            "--extra",
            number(axis_extra),
            "--mode",
            name(axis_mode, modes),
            "--values",
            name(axis_values, signs),
            "--books",
            number(axis_books),
            "--row",
            number(axis_row),
            "--lanes",
            number(axis_lanes),
            "--depth",
            number(axis_depth),
            "--rounding",
            name(axis_rounding, roundings),
            "--shifting-error",
            name(axis_shifting_error, shifting_errors),
            "--clock-mhz",
            shortest(choices[axis_clock])};
  }
  [[nodiscard]] std::vector<std::string> work_arguments(const double*, int count) const override {
    constexpr int made_up = 20;
    return {"--channels", "random:" + std::to_string(count ? count : made_up)};
  }

private:
  ActivationFigures activations_;
};

class EdqaFamily : public TopFamily {
public:
  [[nodiscard]] std::string name() const override { return "edqa"; }
  [[nodiscard]] std::string summary() const override {
    return "activations quantized below 6 bits, shifting errors or whole values Huffman-coded, stored, and "
           "back";
  }
  [[nodiscard]] std::string items() const override { return "channels"; }
  [[nodiscard]] std::string device() const override { return "xc7z020"; }
  [[nodiscard]] std::vector<Axis> axes() const override {
    const auto integer = [](const char* name, const char* help, int low, int high, int standard) {
      return Axis{
          Axis::integer,           name, "", help, static_cast<double>(low), static_cast<double>(high), {},
          std::to_string(standard)};
    };
    const auto choice = [](const char* name, const char* help, const std::vector<std::string>& values) {
      return Axis{Axis::choice, name, "", help, 0, 0, values, values.front()};
    };
    return {
        {Axis::choice, "format", "formats", // a space's "format" is its own
         "of values that come in: int16, int32 (what a scale that is known elsewhere multiplies), float32", 0,
         0, formats, formats.front()},
        integer("bits", "N: bits of a quantized value", 2, 8, 3),
        integer("extra", "m: more bits of important channels, shifted out and coded", 0, 4, 3),
        choice("mode",
               "paper: maximum and book of each channel; static: scale and book from calibration; whole: the "
               "same, and whole values are coded",
               modes),
        choice("values", "signed, or unsigned as behind a ReLU", signs),
        integer("books", "of mode whole, chosen by the value above: 1, 2, 4, 8", 1, 8, 1),
        integer("row", "values of a row, for the value above: 4..64", 4, 64, 16),
        integer("lanes", "channels in parallel", 1, 16, 1),
        integer("depth", "values of the largest channel", 1, 4096, 4096),
        choice("rounding", "of ties: half_even, or half_down as the authors' accelerator", roundings),
        choice("shifting_error", "added as se / 2^m, or raw as the authors' accelerator does",
               shifting_errors),
        ActivationFigures::axis(),
        {Axis::real, "clock_mhz", "", "clock to assume, in MHz", 0.001, 10000, {}, "200"}};
  }
  [[nodiscard]] std::vector<Figure> figures() const override { return ActivationFigures::figures(); }
  [[nodiscard]] std::string item_files() const override { return "CSV, one a line"; }
  [[nodiscard]] Subject subject_of(const std::vector<std::string>& choices, const std::string& file,
                                   int count) const override {
    constexpr std::size_t most_bytes = std::size_t{1} << 28;
    Subject result = subject(choices, 0, 0);
    const EdqaConfig config = static_cast<const EdqaTop&>(*result.top).config();
    result.work =
        std::make_unique<EdqaWorkload>(config, settings_of(numbers_of(choices).data()),
                                       read_channels(config, read_file(file, most_bytes), file, count));
    result.origin = " from " + file;
    result.description["channels"] = result.work->items();
    result.description["file"] = file;
    return result;
  }
  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, int items,
                                std::uint64_t seed) const override {
    const std::vector<Axis> all = axes();
    const std::vector<double> numbers = numbers_of(choices);
    const EdqaConfig config = config_of(numbers.data());
    const EdqaSettings settings = settings_of(numbers.data());
    validate(config);
    if (const std::string what = complaint(config, settings); !what.empty())
      throw InputError(what);
    Subject subject;
    subject.name = name();
    subject.title = "edqa, N = " + std::to_string(settings.bits) + ", m = " + std::to_string(settings.extra) +
                    ", mode " + choices[axis_mode] + ", " + choices[axis_format] + ", " +
                    std::to_string(config.channels) + (config.channels == 1 ? " lane" : " lanes");
    subject.description = {{"top", name()}};
    for (std::size_t a = 0; a < all.size(); ++a)
      if (all[a].kind == Axis::choice)
        subject.description[all[a].name] = choices[a];
      else if (!all[a].only_in_spaces)
        subject.description[all[a].name] = numbers[a];
    subject.top = std::make_unique<EdqaTop>(config);
    if (items > 0) {
      subject.work =
          std::make_unique<EdqaWorkload>(config, settings, made_up_channels(config, settings, items, seed));
      subject.origin = " made up with seed " + std::to_string(seed);
      subject.description["channels"] = items;
      subject.description["random_seed"] = seed;
    }
    return subject;
  }
  [[nodiscard]] std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>& values,
                                                         const std::vector<std::string>& known,
                                                         const std::string&) const override {
    return std::make_unique<EdqaExploration>(values[axis_activations], known);
  }

private:
  [[nodiscard]] std::vector<double> numbers_of(const std::vector<std::string>& choices) const {
    std::vector<double> numbers;
    for (const Axis& axis : axes())
      numbers.push_back(axis.parse(choices[numbers.size()]));
    return numbers;
  }
};

} // namespace

const TopFamily& edqa_family() {
  static const EdqaFamily family;
  return family;
}

} // namespace deltatwin
