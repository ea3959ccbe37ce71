#include "block_bench.h"
#include "blocks/program_check.h"

using namespace deltatwin;

namespace {

// The lowest of the errors that a layer has, by the contract; 0 for none.
int expected_error(const SchedulerConfig& config, const std::vector<LayerDescriptor>& table, unsigned layers,
                   std::uint32_t images, std::size_t l) {
  const LayerDescriptor& layer = table[l];
  const bool last = l + 1 == layers;
  int neurons = 0;
  for (std::size_t i = 0; i <= l; ++i)
    neurons += table[i].outputs;
  const bool errors[] = {layers < 1 || static_cast<int>(layers) > config.max_layers,
                         images == 0,
                         layer.inputs < 1 || layer.inputs > (l ? config.act_depth : config.in_depth),
                         layer.outputs < 1 || layer.outputs > (last ? 4096 : config.act_depth),
                         l && layer.inputs != table[l - 1].outputs,
                         layer.block_length < 1 || layer.block_length > layer.inputs,
                         (layer.consecutive && !config.consecutive) || (layer.huffman && !config.huffman),
                         static_cast<int>(layer.activation) == 3 ||
                             (layer.activation == Activation::none && !last),
                         neurons > config.param_depth};
  return static_cast<int>(std::find(std::begin(errors), std::end(errors), true) - std::begin(errors) + 1) %
         static_cast<int>(std::size(errors) + 1);
}

// A legal program, and mostly one field of it moved to a bound or over it.
std::vector<LayerDescriptor> random_table(RandomWork& random, const SchedulerConfig& config,
                                          unsigned layers) {
  std::vector<LayerDescriptor> table(layers);
  const auto small = [&](int most) { return random.in(0, 2) ? random.in(1, most) : most; };
  for (std::size_t l = 0; l < layers; ++l) {
    LayerDescriptor& layer = table[l];
    layer.inputs = l ? table[l - 1].outputs : small(config.in_depth);
    layer.outputs = l + 1 == layers && random.in(0, 3) == 0 ? random.in(4095, 4097) : small(config.act_depth);
    layer.block_length = small(layer.inputs);
    layer.activation = l + 1 == layers ? static_cast<Activation>(random.in(0, 2)) : Activation::relu;
    layer.consecutive = config.consecutive && random.in(0, 1);
    layer.huffman = config.huffman && random.in(0, 1);
  }
  LayerDescriptor& layer = table[static_cast<std::size_t>(random.in(0, static_cast<int>(layers) - 1))];
  const int most = &layer == table.data() ? config.in_depth : config.act_depth;
  switch (random.in(0, 9)) {
  case 0:
    layer.inputs = random.in(0, 1) * (most + 1);
    break;
  case 1:
    layer.outputs = random.in(0, 1) * (config.act_depth + 1);
    break;
  case 2:
    layer.block_length = random.in(0, 1) * (layer.inputs + 1);
    break;
  case 3:
    layer.consecutive = layer.huffman = true;
    break;
  case 4:
    layer.activation = static_cast<Activation>(random.in(0, 1) * 3);
    break;
  case 5:
    layer.inputs += layer.inputs > 1 ? -1 : 1;
    break;
  default:
    break;
  }
  return table;
}

} // namespace

TEST_CASE("program_check names the lowest error of a program's first bad layer, and model, RTL and contract "
          "agree") {
  SchedulerConfig config;
  config.in_depth = 16;
  config.act_depth = 8;
  config.param_depth = 24;
  config.max_layers = 4;
  for (const int kind : {0, 1, 2}) { // without consecutive deltas or decoders, with one of them
    config.consecutive = kind == 1;
    config.huffman = kind == 2;
    PinBench pins("program_check",
                  {{"Consecutive", config.consecutive},
                   {"Huffman", config.huffman},
                   {"InDepth", config.in_depth},
                   {"ActDepth", config.act_depth},
                   {"ParamDepth", config.param_depth},
                   {"MaxLayers", config.max_layers}},
                  {"restart_i", "check_i"});
    RandomWork random(base_seed());
    std::vector<int> met(10);
    for (int i = 0; i < repeats(3000); ++i) {
      const unsigned layers = static_cast<unsigned>(random.in(0, 19) ? random.in(1, 4) : random.in(0, 1) * 5);
      const std::uint32_t images = random.in(0, 19) ? 1u << random.in(0, 31) : 0;
      const std::vector<LayerDescriptor> table = random_table(random, config, std::max(layers, 1u));
      pins.set("restart_i", 1);
      pins.set("layers_i", layers);
      pins.set("images_i", images);
      pins.settle();
      pins.edge();
      pins.set("restart_i", 0);
      const RunError model = check_program(config, table, layers, images);
      for (std::size_t l = 0; l < table.size(); ++l) {
        const LayerDescriptor& layer = table[l];
        const auto less_one = [](int length) { return static_cast<std::uint64_t>(length - 1) & 0x1fff; };
        pins.set("check_i", 1);
        pins.set("first_i", l == 0);
        pins.set("last_i", l + 1 == layers);
        pins.set("inputs_i", less_one(layer.inputs));
        pins.set("outputs_i", less_one(layer.outputs));
        pins.set("block_i", less_one(layer.block_length));
        pins.set("activation_i", static_cast<std::uint64_t>(layer.activation));
        pins.set("consecutive_i", layer.consecutive);
        pins.set("huffman_i", layer.huffman);
        pins.settle();
        const int error = expected_error(config, table, layers, images, l);
        CAPTURE(kind, i, l, layers, images);
        REQUIRE(pins.get("error_o") == static_cast<std::uint64_t>(error));
        const bool ends = error != 0 || l + 1 == table.size();
        if (ends) {
          REQUIRE(static_cast<int>(model.code) == error);
          REQUIRE((error == 0 || (model.layer == static_cast<int>(l) && model.cycle == l)));
          ++met[static_cast<std::size_t>(error)];
        }
        pins.edge();
        pins.set("check_i", 0);
        if (ends)
          break;
      }
    }
    for (std::size_t error = 0; error < met.size(); ++error) {
      CAPTURE(kind, error);
      CHECK(met[error] > 10);
    }
  }
}
