#include "tops/accelerator/family.h"
#include "base/error.h"
#include "net/networks_directory.h"
#include "tops/accelerator/exploration.h"
#include "tops/accelerator/top.h"
#include "tops/accelerator/workload.h"
#include <algorithm>
#include <random>

namespace deltatwin {
namespace {

namespace axis = accelerator_axis;

class AcceleratorFamily : public TopFamily {
public:
  [[nodiscard]] std::string name() const override { return "accelerator"; }
  [[nodiscard]] std::string summary() const override {
    return "dense networks with delta-coded weights, a neuron a lane";
  }
  [[nodiscard]] std::string items() const override { return "images"; }

  [[nodiscard]] std::vector<Axis> axes() const override {
    std::vector<Axis> axes(axis::count);
    axes[axis::network] = {Axis::text, "network", "networks", "a committed network, or a network file",
                           0,          0,         {},         ""};
    axes[axis::code] = {
        Axis::choice,
        "code",
        "codes",
        "how the deltas of all layers lie in the banks",
        0,
        0,
        {"as_trained", to_string(Code::raw), to_string(Code::huffman), to_string(Code::huffman_pairs)},
        "as_trained"};
    axes[axis::multiplier] = {
        Axis::choice, "multiplier", "multipliers", "how a lane multiplies", 0, 0, multiplier_names(), ""};
    axes[axis::lanes] = {Axis::integer, "lanes", "", "neurons in parallel", 1, 255, {}, ""};
    axes[axis::lanes_per_bank] = {
        Axis::integer, "lanes_per_bank", "", "lanes that share a weight bank", 1, 36, {}, "fit"};
    axes[axis::bank_depth] = {Axis::integer, "bank_depth", "", "words a weight bank", 2, 1 << 20, {}, "fit"};
    axes[axis::clock] = {Axis::real, "clock_mhz", "", "clock to assume, in MHz", 0.001, 10000, {}, "100"};
    return axes;
  }

  [[nodiscard]] std::vector<Figure> figures() const override {
    return {{"accuracy", true, 0, 1},
            {"latency", false, 0, 1e12, "latency_us"},
            {"throughput", true},
            {"bits_a_weight", false}};
  }

  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, int items,
                                std::uint64_t seed) const override {
    const std::vector<Axis> all = axes();
    const auto number = [&](std::size_t a) { return all[a].parse(choices[a]); };
    Network network = load_network(find_network(choices[axis::network]));
    if (const auto code = static_cast<int>(number(axis::code)); code > 0)
      recode(network, static_cast<Code>(code - 1));
    DesignChoice choice;
    choice.lanes = static_cast<int>(number(axis::lanes));
    choice.lanes_per_bank = static_cast<int>(number(axis::lanes_per_bank));
    choice.bank_depth = static_cast<int>(number(axis::bank_depth));
    choice.multiplier = static_cast<Multiplier>(static_cast<int>(number(axis::multiplier)));
    choice.clock_mhz = number(axis::clock);
    const Design design = fit(network, choice);
    std::mt19937_64 generator(seed);
    std::vector<std::int8_t> inputs(static_cast<std::size_t>(items) *
                                    static_cast<std::size_t>(network.layers.front().inputs));
    std::generate(inputs.begin(), inputs.end(), [&] { return static_cast<std::int8_t>(generator()); });
    return accelerator_subject(network, design, compile(network, design), std::move(inputs));
  }

  [[nodiscard]] std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>& values,
                                                         const std::vector<std::string>& known,
                                                         const std::string& dataset) const override {
    const bool accuracy = std::find(known.begin(), known.end(), "accuracy") != known.end();
    return std::make_unique<AcceleratorExploration>(values, accuracy, dataset);
  }
};

} // namespace

const TopFamily& accelerator_family() {
  static const AcceleratorFamily family;
  return family;
}

Subject accelerator_subject(const Network& network, const Design& design, const Program& program,
                            std::vector<std::int8_t> inputs) {
  Subject subject;
  subject.name = network.name;
  subject.title = network.name + ", " + std::to_string(design.lanes) +
                  (design.lanes == 1 ? " lane" : " lanes") + ", multiplier " + to_string(design.multiplier);
  subject.description = {
      {"network", network.name}, {"lanes", design.lanes}, {"multiplier", to_string(design.multiplier)}};
  subject.top = std::make_unique<AcceleratorTop>(design);
  if (!inputs.empty())
    subject.work = std::make_unique<AcceleratorWorkload>(network, program, std::move(inputs));
  return subject;
}

} // namespace deltatwin
