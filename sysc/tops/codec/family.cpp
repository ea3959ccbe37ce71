#include "tops/codec/family.h"
#include "base/text.h"
#include "tops/codec/config.h"
#include "tops/codec/top.h"
#include "tops/codec/workload.h"
#include "tops/model_runner.h"

namespace deltatwin {
namespace {

enum : std::size_t { axis_alphabet, axis_limit, axis_depth, axis_clock, axes_count };

CodecConfig config_of(const double* choices) {
  CodecConfig config;
  config.symbols = static_cast<int>(choices[axis_alphabet]);
  config.limit = static_cast<int>(choices[axis_limit]);
  config.depth = static_cast<int>(choices[axis_depth]);
  config.clock_mhz = choices[axis_clock];
  return config;
}

class CodecExploration : public Exploration {
public:
  void evaluate(const double* choices, std::size_t count, Evaluation* results) const override {
    for (std::size_t i = 0; i < count; ++i, choices += axes_count) {
      const CodecConfig config = config_of(choices);
      Evaluation& result = results[i];
      result.possible = deltatwin::complaint(config).empty();
      if (!result.possible)
        continue;
      result.area = total_area(CodecTop(config).parts());
      const double cycles = steady_cycles(config, config.depth);
      const auto book = static_cast<double>(book_latency(config));
      result.figures = {config.depth * config.clock_mhz * 1e6 / cycles, book / config.clock_mhz};
      result.stored = {choices[axis_alphabet],
                       choices[axis_limit],
                       choices[axis_depth],
                       choices[axis_clock],
                       cycles,
                       book};
    }
  }
  [[nodiscard]] std::string complaint(const double* choices) const override {
    return deltatwin::complaint(config_of(choices));
  }
  // By the model, on the blocks that `cosim` makes up.
  [[nodiscard]] Cycle run_cycles(const double* choices, int items) const override {
    const CodecConfig config = config_of(choices);
    const CodecWorkload work(config, items, 1);
    Session load, session;
    work.load(load);
    work.run(session, 0, items);
    ModelRunner model{CodecTop(config)};
    (void)model.run(load);
    (void)model.run(session);
    return work.cycles(model.record());
  }
  [[nodiscard]] ResultSchema schema() const override {
    ResultSchema schema;
    schema.stored = {{"alphabet", "integer"}, {"code_limit", "integer"}, {"depth", "integer"},
                     {"clock_mhz", "real"},   {"cycles", "real"},        {"book_cycles", "integer"}};
    schema.shown = {
        {"alphabet", "p.alphabet", "alphabet", "", 20, true},
        {"code_limit", "p.code_limit", "limit", "", 18, true},
        {"depth", "p.depth", "depth", "", 19, true},
        {"device", "d.name", "device", "", 1, true},
        {"clock_mhz", "p.clock_mhz", "clock", "MHz", 13, true},
        {"throughput", "p.depth * p.clock_mhz * 1e6 / p.cycles", "throughput", "M symbols/s", 17, false,
         false, true, 1e-6, 1},
        {"cycles", "p.cycles", "cycles", "a block", 14, false, false, false, 1, 0},
        {"latency_us", "p.book_cycles / p.clock_mhz", "latency", "us", 12, false, false, false, 1, 2}};
    return schema;
  }
  [[nodiscard]] std::vector<std::string> arguments(const double* choices) const override {
    const CodecConfig config = config_of(choices);
    return {"--alphabet", std::to_string(config.symbols), "--code-limit", std::to_string(config.limit),
            "--depth",    std::to_string(config.depth),   "--clock-mhz",  shortest(config.clock_mhz)};
  }
  [[nodiscard]] std::vector<std::string> work_arguments(const double*, int count) const override {
    constexpr int made_up = 100;
    return {"--blocks", "random:" + std::to_string(count ? count : made_up)};
  }
};

class CodecFamily : public TopFamily {
public:
  [[nodiscard]] std::string name() const override { return "codec"; }
  [[nodiscard]] std::string summary() const override {
    return "blocks of symbols through histogram, builder, encoder, memory and decoder";
  }
  [[nodiscard]] std::string items() const override { return "blocks"; }
  [[nodiscard]] std::vector<Axis> axes() const override {
    const CodecConfig standard;
    return {
        {Axis::integer, "alphabet", "", "symbols", 2, 32, {}, std::to_string(standard.symbols)},
        {Axis::integer, "code_limit", "", "longest code, in bits", 1, 8, {}, std::to_string(standard.limit)},
        {Axis::integer,
         "depth",
         "",
         "symbols of the longest block",
         1,
         4096,
         {},
         std::to_string(standard.depth)},
        {Axis::real,
         "clock_mhz",
         "",
         "clock to assume, in MHz",
         0.001,
         10000,
         {},
         shortest(standard.clock_mhz)}};
  }
  [[nodiscard]] std::vector<Figure> figures() const override {
    return {{"throughput", true}, {"latency", false, 0, 1e12, "latency_us"}};
  }
  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, int items,
                                std::uint64_t seed) const override {
    const std::vector<Axis> all = axes();
    double numbers[axes_count];
    for (std::size_t a = 0; a < all.size(); ++a)
      numbers[a] = all[a].parse(choices[a]);
    const CodecConfig config = config_of(numbers);
    Subject subject;
    subject.name = name();
    subject.title = "codec of " + std::to_string(config.symbols) + " symbols, codes of at most " +
                    std::to_string(config.limit) + " bits, blocks of at most " + std::to_string(config.depth);
    subject.description = {
        {"top", name()}, {"alphabet", config.symbols}, {"code_limit", config.limit}, {"depth", config.depth}};
    subject.top = std::make_unique<CodecTop>(config);
    if (items > 0) {
      subject.work = std::make_unique<CodecWorkload>(config, items, seed);
      subject.origin = " made up with seed " + std::to_string(seed);
      subject.description["blocks"] = items;
      subject.description["random_seed"] = seed;
    }
    return subject;
  }
  [[nodiscard]] std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>&,
                                                         const std::vector<std::string>&,
                                                         const std::string&) const override {
    return std::make_unique<CodecExploration>();
  }
};

} // namespace

const TopFamily& codec_family() {
  static const CodecFamily family;
  return family;
}

} // namespace deltatwin
