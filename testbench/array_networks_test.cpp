// The committed networks of 4-bit maps and 4-bit deltas, on the array whose weights stand still: what they
// reach, and that all of them is in an XC7S15.
#include "base/device.h"
#include "base/paths.h"
#include "net/dataset.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/input_set.h"
#include "tops/array/program.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

Graph committed(const std::string& name) { return load_graph(source_path("traces/" + name + ".json")); }

// As sysc/tops/array/README.md gives it, with books of `symbol_weights` deltas.
ArrayConfig xc7s15_array(int symbol_weights) {
  ArrayConfig config;
  config.leave_open();
  config.outputs = config.channels = 8;
  config.rows = 1;
  config.results = config.planes = 4;
  config.multiplier = ArrayConfig::no_multiplier;
  config.widths = 0b0010;
  config.sum_bits = 18;
  config.sweep = 64;
  config.lookup = 1;
  config.scale_bits = 12;
  config.dsp_outputs = 3;
  config.symbol_weights = symbol_weights;
  config.decoders = 4 / symbol_weights;
  return config;
}

} // namespace

TEST_CASE("s15_conv and s15_resnet8 have room in an XC7S15's block RAM and DSPs, at their cycles") {
  const Device device = find_device("xc7s15");
  for (const auto& [name, most_cycles, symbol_weights] :
       {std::tuple("s15_conv", 100'000, 2), std::tuple("s15_resnet8", 110'000, 1)}) {
    CAPTURE(name);
    const Graph graph = committed(name);
    for (const Node& node : graph.nodes)
      if (const auto* convolution = std::get_if<Convolution>(&node.op)) {
        REQUIRE(convolution->delta);
        CHECK(convolution->delta->bits == 4);
      }
    ArrayConfig config = xc7s15_array(symbol_weights);
    const ArrayProgram program = compile_to_fit(graph, config);
    CHECK(array_run(config, program, 6).period() <= most_cycles);
    const Resources area = total_area(ArrayTop(config).parts());
    CHECK(area.bram36() <= device.bram36);
    CHECK(area.dsp <= device.dsp);
    CHECK(area.ff <= device.ff);
    CHECK(area.lut <= 1.05 * device.lut); // the model's own error; `deltatwin synth` counts them
  }
}

TEST_CASE("s15_conv reaches its accuracy on FashionMNIST's test images") {
  const Graph graph = committed("s15_conv");
  const InputSet inputs =
      image_inputs(load_image_set(default_dataset, Split::test), "test images", graph.tensors[graph.input]);
  GraphInference inference(graph);
  std::vector<std::int32_t> outputs(static_cast<std::size_t>(inputs.count) * inference.outputs());
  inference.run(inputs.values.data(), inputs.count, outputs.data());
  CHECK(accuracy(outputs, inference.outputs(), inputs.labels) >= 0.925);
}
