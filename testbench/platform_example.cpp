// A virtual platform around the accelerator: a processor's software, a DMA and a result buffer, on
// TLM-2.0 sockets. Either twin stands behind them:
//
//     platform_example NETWORK.json           the model
//     platform_example NETWORK.json --rtl     the Verilated RTL; prints the same
#include "base/error.h"
#include "cosim/rtl_top.h"
#include "net/dataset.h"
#include "net/inference.h"
#include "tlm/host.h"
#include "tlm/model_top.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <cstdio>
#include <cstring>
#include <memory>

using namespace deltatwin;

namespace {

constexpr int images = 8;

// The platform's software. Host has the sockets and keeps the local time; when it waits for the run to end
// it lets SystemC run everything else that the platform has.
class Software : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(Software);
  Software(const sc_core::sc_module_name& name, Host& host, const Program& program, const Dataset& set)
      : sc_module(name), host_(host), program_(program), set_(set) {
    SC_THREAD(run);
  }

private:
  void run() {
    Session session;
    load_program(session, program_);
    host_.play(session);
    std::printf("program loaded in cycle %llu\n", static_cast<unsigned long long>(host_.now()));
    host_.write(reg::images, images);
    host_.write(reg::control, control_start);
    const std::vector<std::int8_t> inputs = set_.inputs(images);
    host_.stream(0, reinterpret_cast<const std::uint8_t*>(inputs.data()), inputs.size(),
                 inputs.size() / images);
    host_.wait_stop();
    const std::vector<std::int16_t> results = host_.values<std::int16_t>();
    const int outputs = program_.layers.back().outputs;
    for (int i = 0; i < images; ++i)
      std::printf("image %d: label %d, class %d\n", i, set_.labels[static_cast<std::size_t>(i)],
                  argmax(&results[static_cast<std::size_t>(i * outputs)], outputs));
    std::printf("%u inferences in %u cycles\n", host_.read(reg::inferences), host_.read(reg::cycles_lo));
    sc_core::sc_stop();
  }

  Host& host_;
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
  const AcceleratorTop top(design);
  std::unique_ptr<TopSockets> accelerator;
  if (argc > 2 && std::strcmp(argv[2], "--rtl") == 0)
    accelerator = std::make_unique<RtlTop>("accelerator", top);
  else
    accelerator = std::make_unique<ModelTop>("accelerator", top);
  Host host("host", *accelerator);
  Software software("software", host, program, set);
  sc_core::sc_start();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "platform_example: %s\n", error.what());
  return 2;
}
