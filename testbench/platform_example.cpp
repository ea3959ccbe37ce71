// A virtual platform around the accelerator: a processor's software, a DMA and a result buffer, on
// TLM-2.0 sockets. Either twin stands behind them:
//
//     platform_example NETWORK.json           the model
//     platform_example NETWORK.json --rtl     the Verilated RTL; prints the same
#include "base/error.h"
#include "cosim/rtl_accelerator.h"
#include "net/dataset.h"
#include "net/inference.h"
#include "tlm/host.h"
#include "tops/accelerator/program.h"
#include <cstdio>
#include <cstring>
#include <memory>

using namespace deltatwin;

namespace {

constexpr int images = 8;

// The platform's software. Host has the sockets and keeps the local time; this thread gives
// SystemC the chance to run everything else that the platform has whenever it polls.
class Software : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(Software);
  Software(const sc_core::sc_module_name& name, Host& host, const Clock& clock, const Program& program,
           const Dataset& set)
      : sc_module(name), host_(host), clock_(clock), program_(program), set_(set) {
    SC_THREAD(run);
  }

private:
  void run() {
    host_.load(program_);
    std::printf("program loaded in cycle %llu\n", static_cast<unsigned long long>(host_.now()));
    host_.start(images);
    const std::vector<std::int8_t> inputs = set_.inputs(images);
    host_.stream(inputs.data(), inputs.size());
    while (host_.read(reg::status) == static_cast<std::uint32_t>(Status::running))
      wait(clock_.until(host_.now())); // catch up with the local time
    const int outputs = program_.layers.back().outputs;
    for (int i = 0; i < images; ++i)
      std::printf("image %d: label %d, class %d\n", i, set_.labels[static_cast<std::size_t>(i)],
                  argmax(&host_.results()[static_cast<std::size_t>(i * outputs)], outputs));
    std::printf("%u inferences in %u cycles\n", host_.read(reg::inferences), host_.read(reg::cycles_lo));
    sc_core::sc_stop();
  }

  Host& host_;
  Clock clock_;
  const Program& program_;
  const Dataset& set_;
};

} // namespace

int sc_main(int argc, char** argv) try {
  if (argc < 2)
    throw InputError("usage: platform_example NETWORK.json [--rtl]");
  const Network network = load_network(argv[1]);
  const Design design = fit(network, DesignChoice{});
  const Program program = compile(network, design);
  const Dataset set = load_dataset(default_dataset, "t10k", images);
  std::unique_ptr<AcceleratorSockets> accelerator;
  if (argc > 2 && std::strcmp(argv[2], "--rtl") == 0)
    accelerator = std::make_unique<RtlAccelerator>("accelerator", design);
  else
    accelerator = std::make_unique<Accelerator>("accelerator", design);
  Host host("host", *accelerator);
  Software software("software", host, accelerator->clock(), program, set);
  sc_core::sc_start();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "platform_example: %s\n", error.what());
  return 2;
}
