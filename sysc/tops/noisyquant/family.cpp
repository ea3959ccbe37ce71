#include "tops/noisyquant/family.h"
#include "base/text.h"
#include "tops/activation_results.h"
#include "tops/noisyquant/config.h"
#include "tops/noisyquant/top.h"
#include "tops/noisyquant/workload.h"

namespace deltatwin {
namespace {

enum : std::size_t {
  axis_width,
  axis_multipliers,
  axis_bits,
  axis_data_bits,
  axis_mode,
  axis_activations,
  axis_clock,
  axes_count
};

const std::vector<std::string> modes = {"online", "offline"};

NoisyQuantConfig config_of(const double* choices) {
  NoisyQuantConfig config;
  config.max_width = static_cast<int>(choices[axis_width]);
  config.multipliers = static_cast<int>(choices[axis_multipliers]);
  if (config.multipliers == 0) // a row each
    config.multipliers = config.max_width;
  config.bits = static_cast<int>(choices[axis_bits]);
  config.data_bits = static_cast<int>(choices[axis_data_bits]);
  config.clock_mhz = choices[axis_clock];
  return config;
}

NoisyQuantMode mode_of(const double* choices) {
  return choices[axis_mode] != 0 ? NoisyQuantMode::offline : NoisyQuantMode::online;
}

constexpr std::size_t own_figures = 3, own_stored = 8;

class NoisyQuantExploration : public Exploration {
public:
  NoisyQuantExploration(const AxisValues& activations, const std::vector<std::string>& known)
      : activations_(activations, known) {}

  void evaluate(const double* choices, std::size_t count, Evaluation* results) const override {
    for (std::size_t i = 0; i < count; ++i, choices += axes_count) {
      const NoisyQuantConfig config = config_of(choices);
      Evaluation& result = results[i];
      result.possible = deltatwin::complaint(config).empty();
      if (!result.possible)
        continue;
      result.area = total_area(NoisyQuantTop(config).parts());
      const int width = config.max_width;
      const auto cycles = static_cast<double>(steady_cycles(config, width, mode_of(choices)));
      const auto lone = static_cast<double>(lone_cycles(config, width, mode_of(choices)));
      result.figures = {width * width * config.clock_mhz * 1e6 / cycles, lone / config.clock_mhz,
                        cycles / (width * width)};
      result.stored = {choices[axis_width],
                       static_cast<double>(config.multipliers),
                       choices[axis_bits],
                       choices[axis_data_bits],
                       choices[axis_mode],
                       choices[axis_clock],
                       cycles,
                       lone};
      const bool online = mode_of(choices) == NoisyQuantMode::online;
      activations_.set(
          choices[axis_activations],
          [&](const ActivationResults& network, const ActivationMethod& method) {
            return method.family == ActivationMethod::noisy && method.bits == config.bits &&
                   method.online == online && network.rows <= width && network.columns <= width;
          },
          own_figures, own_stored, result);
    }
  }
  [[nodiscard]] std::string complaint(const double* choices) const override {
    return deltatwin::complaint(config_of(choices));
  }
  // A host offers the first value two cycles after the start.
  [[nodiscard]] Cycle run_cycles(const double* choices, int items) const override {
    const NoisyQuantConfig config = config_of(choices);
    return 1 + lone_cycles(config, config.max_width, mode_of(choices)) +
           static_cast<Cycle>(items - 1) * steady_cycles(config, config.max_width, mode_of(choices));
  }
  [[nodiscard]] ResultSchema schema() const override {
    ResultSchema schema;
    schema.stored = {{"width", "integer"},     {"multipliers", "integer"}, {"bits", "integer"},
                     {"data_bits", "integer"}, {"mode", "integer"},        {"clock_mhz", "real"},
                     {"cycles", "integer"},    {"lone_cycles", "integer"}};
    ResultSchema::Table names{"modes", "id integer primary key, name text", {}};
    for (std::size_t mode = 0; mode < modes.size(); ++mode)
      names.rows.push_back({mode, boost::json::value(modes[mode])});
    schema.tables = {names};
    schema.joins = "join modes m on m.id = p.mode";
    schema.shown = {
        {"width", "p.width", "width", "", 20, true},
        {"multipliers", "p.multipliers", "multipliers", "", 19, true},
        {"mode", "m.name", "mode", "", 18, true, true},
        {"bits", "p.bits", "bits", "", 11, true},
        {"data_bits", "p.data_bits", "data bits", "", 10, true},
        {"device", "d.name", "device", "", 1, true},
        {"clock_mhz", "p.clock_mhz", "clock", "MHz", 13, true},
        {"throughput", "p.width * p.width * p.clock_mhz * 1e6 / p.cycles", "throughput", "M values/s", 17,
         false, false, true, 1e-6, 3},
        {"cycles", "p.cycles", "cycles", "a channel", 14, false, false, false, 1, 0},
        {"cycles_per_value", "1.0 * p.cycles / (p.width * p.width)", "cycles", "a value", 15, false, false,
         false, 1, 3},
        {"latency_us", "p.lone_cycles / p.clock_mhz", "latency", "us", 12, false, false, false, 1, 2}};
    activations_.extend(schema);
    return schema;
  }
  [[nodiscard]] std::vector<std::string> arguments(const double* choices) const override {
    const NoisyQuantConfig config = config_of(choices);
    return {"--width",       std::to_string(config.max_width),
            "--multipliers", std::to_string(config.multipliers),
            "--bits",        std::to_string(config.bits),
            "--data-bits",   std::to_string(config.data_bits),
            "--mode",        modes[static_cast<std::size_t>(mode_of(choices))],
            "--clock-mhz",   shortest(config.clock_mhz)};
  }
  [[nodiscard]] std::vector<std::string> work_arguments(const double*, int count) const override {
    constexpr int made_up = 20;
    return {"--channels", "random:" + std::to_string(count ? count : made_up)};
  }

private:
  ActivationFigures activations_;
};

class NoisyQuantFamily : public TopFamily {
public:
  [[nodiscard]] std::string name() const override { return "noisyquant"; }
  [[nodiscard]] std::string summary() const override {
    return "NoisyQuant: channels quantized with a step and an offset that are searched online, or static";
  }
  [[nodiscard]] std::string device() const override { return "xc7z020"; }
  [[nodiscard]] std::string items() const override { return "channels"; }
  [[nodiscard]] std::vector<Axis> axes() const override {
    const NoisyQuantConfig standard;
    return {
        {Axis::integer,
         "width",
         "",
         "W: a channel is W x W values",
         2,
         64,
         {},
         std::to_string(standard.max_width)},
        {Axis::integer, "multipliers", "", "multiply-accumulators, up to W", 1, 64, {}, "fit"},
        {Axis::integer, "bits", "", "bits of a code", 2, 5, {}, std::to_string(standard.bits)},
        {Axis::integer, "data_bits", "", "bits of a value", 8, 16, {}, std::to_string(standard.data_bits)},
        {Axis::choice, "mode", "", "search online, or step and offset offline", 0, 0, modes, "online"},
        ActivationFigures::axis(),
        {Axis::real,
         "clock_mhz",
         "",
         "clock to assume, in MHz",
         0.001,
         10000,
         {},
         shortest(standard.clock_mhz)}};
  }
  [[nodiscard]] std::vector<Figure> figures() const override { return ActivationFigures::figures(); }
  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, int items,
                                std::uint64_t seed) const override {
    const std::vector<Axis> all = axes();
    double numbers[axes_count];
    for (std::size_t a = 0; a < all.size(); ++a)
      numbers[a] = all[a].parse(choices[a]);
    const NoisyQuantConfig config = config_of(numbers);
    const NoisyQuantMode mode = mode_of(numbers);
    const std::string width = std::to_string(config.max_width);
    Subject subject;
    subject.name = name();
    subject.title = "NoisyQuant to " + std::to_string(config.bits) + " bits, channels of " + width + " x " +
                    width + ", multipliers: " + std::to_string(config.multipliers) + ", " +
                    modes[static_cast<std::size_t>(mode)];
    subject.description = {{"top", name()},
                           {"width", config.max_width},
                           {"multipliers", config.multipliers},
                           {"bits", config.bits},
                           {"data_bits", config.data_bits},
                           {"mode", modes[static_cast<std::size_t>(mode)]}};
    subject.top = std::make_unique<NoisyQuantTop>(config);
    if (items > 0) {
      subject.work = std::make_unique<NoisyQuantWorkload>(config, mode, items, seed);
      subject.origin = " made up with seed " + std::to_string(seed);
      subject.description["channels"] = items;
      subject.description["random_seed"] = seed;
    }
    return subject;
  }
  [[nodiscard]] std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>& values,
                                                         const std::vector<std::string>& known,
                                                         const std::string&) const override {
    return std::make_unique<NoisyQuantExploration>(values[axis_activations], known);
  }
};

} // namespace

const TopFamily& noisyquant_family() {
  static const NoisyQuantFamily family;
  return family;
}

} // namespace deltatwin
