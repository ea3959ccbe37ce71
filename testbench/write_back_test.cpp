#include "block_bench.h"

using namespace deltatwin;

TEST_CASE(
    "write_back gives every sum its parameter and its place, layer after layer, inference after inference") {
  constexpr int depth = 8;
  for (const int parameters : {1, 20, 64}) {
    CAPTURE(parameters);
    PinBench pins("write_back", {{"ActDepth", depth}, {"ParamDepth", parameters}}, {"sum_valid_i"},
                  "restart_i");
    RandomWork random(base_seed());
    for (int run = 0; run < repeats(30); ++run) {
      std::vector<int> outputs; // of layers that have parameters for all neurons
      for (int left = parameters, layers = random.in(1, 5); layers > 0 && left > 0; --layers) {
        outputs.push_back(random.in(1, std::min(depth, left)));
        left -= outputs.back();
      }
      pins.set("restart_i", 1);
      pins.set("sum_valid_i", random.word(1));
      pins.settle();
      pins.edge();
      pins.set("restart_i", 0);
      for (int inference = 0; inference < 3; ++inference)
        for (std::size_t layer = 0, neuron = 0, parameter = 0; layer < outputs.size();) {
          const bool valid = random.in(0, 3) > 0, last = static_cast<int>(neuron) + 1 == outputs[layer];
          pins.set("layer_odd_i", layer % 2);
          pins.set("layer_last_i", layer + 1 == outputs.size());
          pins.set("outputs_i", static_cast<std::uint64_t>(outputs[layer] - 1));
          pins.set("sum_valid_i", valid);
          pins.settle();
          CAPTURE(run, inference, layer, neuron);
          REQUIRE(pins.get("param_addr_o") == parameter);
          REQUIRE(pins.get("act_addr_o") == layer % 2 * depth + neuron);
          REQUIRE(pins.get("last_o") == last);
          REQUIRE(pins.get("next_o") == (valid && last));
          pins.edge();
          if (!valid)
            continue;
          ++parameter;
          ++neuron;
          if (last) {
            neuron = 0;
            ++layer;
          }
        }
    }
  }
}
