#include "tops/accelerator/run_timing.h"
#include "tops/accelerator/configs.h"
#include <algorithm>

namespace deltatwin {
namespace {

class Run {
public:
  Run(const Design& design, const std::vector<LayerDescriptor>& layers)
      : Run(scheduler_config(design), layers) {}

  Run(const SchedulerConfig& config, const std::vector<LayerDescriptor>& layers)
      : timing_(config, layers, preparation_cycles(config, layers.size())) {}

  // Calls visit(const IssuedBlock&) for each block of one inference; gives its last output beat.
  template <class Visit> Cycle infer(Visit visit) {
    timing_.loaded(timing_.input_ready() + static_cast<Cycle>(timing_.layers()[0].inputs) - 1);
    Cycle end = 0;
    timing_.issue(visit, [&end](int base, int active, Cycle offered, OutputCredits& credits) {
      take_each_cycle(base, active, offered, credits);
      end = offered + static_cast<Cycle>(active) - 1;
    });
    return end;
  }
  Cycle infer() {
    return infer([](const IssuedBlock&) {});
  }

  [[nodiscard]] std::vector<Cycle> phase() const { return timing_.phase(); }

private:
  SchedulerTiming timing_;
};

} // namespace

RunTiming run_timing(const Design& design, const std::vector<LayerDescriptor>& layers) {
  Run run(design, layers);
  std::vector<Cycle> ends;
  std::vector<std::vector<Cycle>> phases;
  for (;;) {
    ends.push_back(run.infer());
    phases.push_back(run.phase());
    const auto same = std::find(phases.rbegin() + 1, phases.rend(), phases.back());
    if (same == phases.rend())
      continue;
    const auto period = same - phases.rbegin();
    return {ends.front(), ends.back() - ends.rbegin()[period], static_cast<int>(period)};
  }
}

Cycle run_cycles(const Design& design, const std::vector<LayerDescriptor>& layers, int inferences) {
  Run run(design, layers);
  for (int i = 1; i < inferences; ++i)
    run.infer();
  return run.infer();
}

std::vector<Cycle> steady_layer_cycles(const Design& design, const std::vector<LayerDescriptor>& layers) {
  constexpr std::size_t settled = 4; // inferences, of which the last two are in steady state
  Run run(design, layers);
  std::vector<Cycle> first_slots;
  for (std::size_t i = 0; i < settled; ++i)
    run.infer([&](const IssuedBlock& block) {
      if (block.base == 0 && block.tile_first)
        first_slots.push_back(block.first_slot);
    });
  std::vector<Cycle> cycles;
  for (std::size_t slot = (settled - 2) * layers.size(); cycles.size() < layers.size(); ++slot)
    cycles.push_back(first_slots[slot + 1] - first_slots[slot]);
  return cycles;
}

} // namespace deltatwin
