#include "app/commands.h"
#include "app/options.h"
#include "app/simulation.h"
#include "base/error.h"
#include "cosim/session.h"
#include "net/inference.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct BenchOptions : CommonOptions {
  int rtl_images = 20;
  int repeats = 5;
};

template <class Work> double seconds_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The Verilated accelerator in the tightest loop around it: inputs always valid, outputs always
// taken, collected, and nothing else watched. Returns seconds for `images`, without the program's
// load.
double time_rtl(RtlModel& rtl, const Program& program, const std::vector<std::int8_t>& inputs, int images,
                std::vector<std::int16_t>& results, Cycle cycles_at_most) {
  const auto cycle = [&] {
    rtl.settle();
    rtl.edge();
  };
  for (const char* name : {"s_axil_awvalid_i", "s_axil_wvalid_i", "s_axil_arvalid_i", "s_axis_tvalid_i"})
    rtl.signal(name).set(0);
  for (const char* name : {"s_axil_bready_i", "s_axil_rready_i", "m_axis_tready_i"})
    rtl.signal(name).set(1);
  rtl.signal("s_axil_wstrb_i").set(0xf);
  rtl.signal("rst_ni").set(0);
  cycle();
  rtl.signal("rst_ni").set(1);
  const auto write = [&](std::uint32_t address, std::uint32_t data) {
    rtl.signal("s_axil_awaddr_i").set(address);
    rtl.signal("s_axil_wdata_i").set(data);
    for (const char* name : {"s_axil_awvalid_i", "s_axil_wvalid_i"})
      rtl.signal(name).set(1);
    cycle();
    for (const char* name : {"s_axil_awvalid_i", "s_axil_wvalid_i"})
      rtl.signal(name).set(0);
    cycle();
  };
  for_each_load(program, write);
  write(reg::images, static_cast<std::uint32_t>(images));
  write(reg::control, control_start);

  const RtlSignal &data = rtl.signal("s_axis_tdata_i"), &last = rtl.signal("s_axis_tlast_i"),
                  &valid = rtl.signal("s_axis_tvalid_i"), &ready = rtl.signal("s_axis_tready_o"),
                  &out_valid = rtl.signal("m_axis_tvalid_o"), &out_last = rtl.signal("m_axis_tlast_o"),
                  &out = rtl.signal("m_axis_tdata_o");
  const std::size_t length = static_cast<std::size_t>(program.layers[0].inputs);
  const std::size_t beats = length * static_cast<std::size_t>(images);
  return seconds_of([&] {
    std::size_t at = 0;
    Cycle cycles = 0;
    for (int done = 0; done < images;) {
      valid.set(at < beats);
      if (at < beats) {
        data.set(static_cast<std::uint8_t>(inputs[at]));
        last.set((at + 1) % length == 0);
      }
      rtl.settle();
      at += at < beats && ready.get(0, 1);
      if (out_valid.get(0, 1)) {
        results.push_back(static_cast<std::int16_t>(out.get(0, 16)));
        done += static_cast<int>(out_last.get(0, 1));
      }
      if (++cycles > cycles_at_most)
        throw Disagreement("the RTL does not finish; `deltatwin cosim` tells where it differs");
      rtl.edge();
    }
  });
}

void run(const BenchOptions& options) {
  const Setup setup(options);
  const Dataset images = load_test_images(options, setup.network);
  if (options.rtl_images > images.count)
    throw InputError("--rtl-images is " + std::to_string(options.rtl_images) + ", but there are " +
                     std::to_string(images.count) + " images");
  const std::vector<std::int8_t> inputs = images.inputs(images.count);
  Progress progress("benchmark");
  RtlModel rtl({"accelerator", setup.design.parameters(), false, "", true},
               [&](const std::string& text) { progress.message(text); });
  IntegerInference inference(setup.network);
  std::vector<std::int16_t> outputs(static_cast<std::size_t>(images.count) *
                                    static_cast<std::size_t>(inference.outputs()));
  Simulator simulation(setup.design, setup.program);
  std::vector<double> simulated, plain, verilated;
  for (int i = 0; i < options.repeats; ++i) { // side by side, in turn
    simulated.push_back(simulation.run(inputs.data(), images.count));
    plain.push_back(seconds_of([&] { inference.run(inputs.data(), images.count, outputs.data()); }));
    std::vector<std::int16_t> rtl_outputs;
    verilated.push_back(
        time_rtl(rtl, setup.program, inputs, options.rtl_images, rtl_outputs, simulation.cycles()) *
        images.count / options.rtl_images);
    if (!std::equal(rtl_outputs.begin(), rtl_outputs.end(), outputs.begin()))
      throw Disagreement("RTL and plain inference disagree; `deltatwin cosim` tells where");
    progress.update(i + 1, options.repeats);
  }
  if (simulation.results() != outputs)
    throw Disagreement("simulation and plain inference disagree");
  const double sim = median(simulated), functional = median(plain), hardware = median(verilated);
  const double macs = static_cast<double>(setup.network.macs()) * images.count;
  std::printf("%s, %s, %s, one core, median of %d runs taken in turn\n\n", setup.network.name.c_str(),
              count_of(static_cast<std::uint64_t>(setup.design.lanes), "lane").c_str(),
              describe(parse_images(options.images), images.count).c_str(), options.repeats);
  const auto row = [&](const char* name, double seconds) {
    std::printf("  %-44s %10.3f s  %10.1f x\n", name, seconds, seconds / sim);
  };
  row("cycle-exact simulation (TLM)", sim);
  row("plain integer inference, no timing", functional);
  row("Verilated RTL, --cc -O3 (extrapolated)", hardware);
  std::printf("\n  plain inference reaches %.1f G MAC/s, Verilated RTL %.2f M cycles/s\n"
              "  simulation is %.0f times faster than the RTL and takes %.2f times plain inference\n",
              macs / functional / 1e9, static_cast<double>(simulation.cycles()) / hardware / 1e6,
              hardware / sim, sim / functional);
  write_json(options.json, "bench",
             {{"network", setup.network.name},
              {"lanes", setup.design.lanes},
              {"images", images.count},
              {"simulation_seconds", sim},
              {"plain_seconds", functional},
              {"rtl_seconds_extrapolated", hardware},
              {"rtl_images", options.rtl_images},
              {"plain_macs_per_second", macs / functional},
              {"speedup_over_rtl", hardware / sim},
              {"ratio_to_plain", sim / functional}});
}

} // namespace

void add_bench_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("bench", "speed of simulation against Verilated RTL and plain inference");
  auto options = std::make_shared<BenchOptions>();
  options->network = "paper_fixed4";
  add_common_options(*command, *options, "images to simulate, 0 for all [0]");
  command->add_option("--rtl-images", options->rtl_images, "images the Verilated RTL runs, then extrapolated")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--repeats", options->repeats, "runs of each, in turn; medians are shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->footer("Examples:\n"
                  "  deltatwin bench --network paper_fixed4 --lanes 16\n"
                  "  deltatwin bench --network my_network.json --images random:1000 --json -");
  command->callback([options] { run(*options); });
}

} // namespace deltatwin
