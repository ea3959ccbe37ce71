#include "app/simulation.h"
#include "app/text.h"
#include "base/error.h"
#include "net/inference.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <chrono>

namespace deltatwin {
Simulator::Simulator(const Design& design, const Program& program)
    : clock_mhz_(design.clock_mhz), timing_(run_timing(design, program.layers)),
      accelerator_("accelerator", AcceleratorTop(design)), host_("host", accelerator_),
      inputs_(static_cast<std::size_t>(program.layers[0].inputs)) {
  end_elaboration();
  Session session;
  load_program(session, program);
  host_.play(session);
}

void Simulator::check_time(int images) const {
  constexpr double countable = 1.0e19; // of SystemC's 2^64 ps, with room for rounding
  const double cycles = static_cast<double>(host_.now() + timing_.first) + images * timing_.interval();
  const double picoseconds = cycles * 1e6 / clock_mhz_;
  if (picoseconds > countable)
    throw InputError(count_of(static_cast<std::uint64_t>(images), "image") + " at " + shortest(clock_mhz_) +
                     " MHz take " + rate(picoseconds / 86400e12) + " days, SystemC's time ends after " +
                     rate(countable / 86400e12) + "; fewer --images or a faster --clock would do");
}

double Simulator::run(const std::int8_t* inputs, int images) {
  check_time(images);
  host_.clear_received();
  const auto begin = std::chrono::steady_clock::now();
  host_.write(reg::images, static_cast<std::uint32_t>(images));
  host_.write(reg::control, control_start);
  offered_ = host_.now();
  host_.stream(0, reinterpret_cast<const std::uint8_t*>(inputs), inputs_ * static_cast<std::size_t>(images),
               inputs_);
  host_.wait_until(host_.last_output() + 1);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Cycle Simulator::cycles() {
  const Cycle low = host_.read(reg::cycles_lo);
  return low | Cycle{host_.read(reg::cycles_hi)} << 32;
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
  if (const std::vector<Cycle>& ends = simulator.completions(); ends.size() > 1)
    result.measured_cycles_per_inference =
        static_cast<double>(ends.back() - ends.front()) / static_cast<double>(ends.size() - 1);
  result.cycles_per_inference = simulator.timing().interval();
  result.results = simulator.results();
  result.layer_cycles = steady_layer_cycles(design, program.layers);
  if (images.labels.empty())
    return result;
  const auto outputs = static_cast<std::size_t>(result.outputs);
  result.accuracy = static_cast<double>(count_right(result.results, outputs, images.labels)) / images.count;
  return result;
}

} // namespace deltatwin
