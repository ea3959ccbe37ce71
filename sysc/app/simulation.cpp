#include "app/simulation.h"
#include "net/inference.h"
#include "tlm/host.h"
#include "tops/accelerator/run_timing.h"
#include <chrono>

namespace deltatwin {
Simulator::Simulator(const Design& design, const Program& program)
    : accelerator_("accelerator", design), host_("host", accelerator_),
      inputs_(static_cast<std::size_t>(program.layers[0].inputs)) {
  end_elaboration();
  host_.load(program);
}

double Simulator::run(const std::int8_t* inputs, int images) {
  host_.clear_results();
  const auto begin = std::chrono::steady_clock::now();
  host_.start(static_cast<std::uint32_t>(images));
  offered_ = host_.now();
  host_.stream(inputs, inputs_ * static_cast<std::size_t>(images));
  host_.wait_until(host_.last_output() + 1);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Cycle Simulator::cycles() const {
  const AcceleratorCore& core = accelerator_.core();
  return core.stop_cycle() - core.start_cycle() - 1;
}

SimulationResult simulate(const Design& design, const Program& program, const Dataset& images) {
  check_labels(images.labels, program.layers.back().outputs);
  Simulator simulator(design, program);
  const std::vector<std::int8_t> inputs = images.inputs(images.count);
  SimulationResult result;
  result.images = images.count;
  result.outputs = program.layers.back().outputs;
  simulator.run(inputs.data(), 1);
  result.latency_cycles = simulator.latency();
  result.wall_seconds = simulator.run(inputs.data(), images.count);
  result.run_cycles = simulator.cycles();
  const std::vector<Cycle> ends = simulator.completions();
  result.cycles_per_inference =
      ends.size() > 1 ? static_cast<double>(ends.back() - ends.front()) / static_cast<double>(ends.size() - 1)
                      : static_cast<double>(result.run_cycles);
  result.results = simulator.results();
  int right = 0;
  for (int i = 0; i < images.count; ++i)
    right += argmax(&result.results[static_cast<std::size_t>(i) * static_cast<std::size_t>(result.outputs)],
                    result.outputs) == images.labels[static_cast<std::size_t>(i)];
  result.accuracy = static_cast<double>(right) / images.count;
  result.layer_cycles = steady_layer_cycles(design, program.layers);
  return result;
}

} // namespace deltatwin
