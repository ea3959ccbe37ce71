#pragma once
#include "net/dataset.h"
#include "tlm/host.h"
#include "tlm/model_top.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include "tops/accelerator/run_timing.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// An accelerator model with a program in it, and its host. One a process: SystemC elaborates once.
class Simulator {
public:
  Simulator(const Design& design, const Program& program);
  /// Runs inferences back to back; returns the wall time in seconds. Throws InputError where the end of
  /// the run lies beyond what SystemC's time can count.
  double run(const std::int8_t* inputs, int images);
  [[nodiscard]] const RunTiming& timing() const { return timing_; }
  /// Of the latest run, [images * outputs].
  [[nodiscard]] std::vector<std::int16_t> results() const { return host_.values<std::int16_t>(); }
  /// From START to the last output beat of the latest run.
  [[nodiscard]] Cycle cycles();
  /// The cycles in which its inferences ended.
  [[nodiscard]] const std::vector<Cycle>& completions() const { return host_.ends(); }
  /// From the first offer of an input beat to the last output beat.
  [[nodiscard]] Cycle latency() const { return host_.last_output() - offered_ + 1; }

private:
  void check_time(int images) const;

  double clock_mhz_;
  RunTiming timing_;
  ModelTop accelerator_;
  Host host_;
  std::size_t inputs_;
  Cycle offered_ = 0;
};

/// What a cycle-exact simulation on the TLM accelerator found.
struct SimulationResult {
  int images = 0, outputs = 0;
  std::vector<std::int16_t> results; ///< [images * outputs]
  std::optional<double> accuracy;  ///< share of images with the largest output at the label; none: no labels
  Cycle run_cycles = 0;            ///< of this run, from START to the last output beat
  double cycles_per_inference = 0; ///< between inferences, in steady state, however many were run
  /// Of this run, between the ends of its first and last inference; none: it has one only.
  std::optional<double> measured_cycles_per_inference;
  Cycle latency_cycles = 0;        ///< of a lone inference: first input beat to last output beat
  std::vector<Cycle> layer_cycles; ///< in steady state, from the layer's first slot to the next layer's
  double wall_seconds = 0;         ///< of the simulation itself
};

[[nodiscard]] SimulationResult simulate(const Design& design, const Program& program, const Dataset& images);

} // namespace deltatwin
