#include "tops/accelerator/recorder.h"
#include "blocks/requantizer.h"
#include "tops/accelerator/configs.h"
#include <utility>

namespace deltatwin {

Recorder::Recorder(const Design& design) : design_(design), decoders_(huffman_weights_config(design)) {}

void Recorder::start(std::vector<std::vector<std::uint64_t>> lane_words, Cycle clean) {
  image_ = 0;
  decoders_.start(std::move(lane_words), clean);
}

void Recorder::input(Cycle cycle, std::uint8_t value, bool last, std::uint32_t image, std::size_t element) {
  if (trace_)
    trace_->add(port::s_axis, {cycle,
                               value | std::uint64_t{last} << 8,
                               {static_cast<int>(image), -1, -1, static_cast<int>(element)},
                               cycle});
}

void Recorder::begin_image(const DecodedProgram& program, std::uint32_t image,
                           const std::vector<std::int8_t>& inputs) {
  image_ = image;
  if (!trace_)
    return;
  activations_ = {inputs};
  sums_.clear();
  for (const DenseLayer& layer : program.weights) {
    std::vector<std::int32_t> sums;
    std::vector<std::int8_t> next;
    for (int o = 0; o < layer.outputs; ++o) {
      std::uint32_t sum = 0;
      for (int i = 0; i < layer.inputs; ++i)
        sum +=
            static_cast<std::uint32_t>(layer.weight(o, i) * activations_.back()[static_cast<std::size_t>(i)]);
      const auto neuron = static_cast<std::size_t>(o);
      sums.push_back(static_cast<std::int32_t>(sum));
      next.push_back(static_cast<std::int8_t>(requantize(sums.back(), layer.multiplier[neuron],
                                                         layer.bias[neuron], layer.shift, layer.activation)));
    }
    sums_.push_back(std::move(sums));
    activations_.push_back(std::move(next));
  }
}

void Recorder::block(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block,
                     Cycle stop) {
  if (!trace_ || block.first_slot >= stop)
    return;
  issue(program, timing, block);
  if (design_.huffman)
    decode(program, timing, block, stop);
  if (block.complete)
    drain(program, timing, block);
}

// A slot each, and what the MAC gets a cycle later.
void Recorder::issue(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block) {
  const auto layer = static_cast<std::size_t>(block.layer);
  for (int i = 0; i < block.slots; ++i) {
    const bool last = block.complete && i + 1 == block.slots;
    const Cycle cycle = block.slot(i, timing.mac.cycles_per_mac);
    const int input = block.first_input + i;
    const auto word = static_cast<std::size_t>(block.weight_address + i);
    const auto x = static_cast<std::uint8_t>(activations_[layer][static_cast<std::size_t>(input)]);
    const unsigned flags = (block.tile_first && i == 0) | unsigned{i == 0} << 1 | unsigned{last} << 2 |
                           unsigned{last && block.tile_last} << 3;
    trace_->add(port::slot, {cycle,
                             (design_.huffman ? 0 : word) | static_cast<std::uint64_t>(input) << 20 |
                                 std::uint64_t{layer} << 33,
                             context(block, input), cycle});
    trace_->add(port::mac, {cycle + 1, x | std::uint64_t{flags} << 8, context(block, input), cycle});
    for (std::size_t bank = 0; bank < program.streams.banks.size(); ++bank) {
      const int width = design_.lanes_of_bank(static_cast<int>(bank)) * design_.delta_bits;
      const std::uint64_t deltas = program.streams.banks[bank][word] & ((std::uint64_t{1} << width) - 1);
      trace_->add(port::bank0 + bank, {cycle + 1, deltas, context(block, input), cycle});
    }
  }
}

void Recorder::decode(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block,
                      Cycle stop) {
  const auto layer = static_cast<std::size_t>(block.layer);
  const bool last_block = block.complete && layer + 1 == program.layers.size() && block.tile_last &&
                          block.base + block.active == program.layers[layer].outputs;
  for (int i = 0; i < block.slots; ++i) {
    const Cycle cycle = block.slot(i, timing.mac.cycles_per_mac);
    if (cycle >= stop)
      return;
    if ((block.first_input + i) % design_.symbol_deltas == 0)
      decoders_.take(program.books[layer], block.active, cycle);
    if (last_block && i + 1 == block.slots)
      decoders_.end(cycle);
  }
}

// A lane per cycle: its reference, and at a tile's end its sum and its activation.
void Recorder::drain(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block) {
  const auto layer = static_cast<std::size_t>(block.layer);
  for (int lane = 0; lane < block.active; ++lane) {
    const Cycle slot = block.last_slot + static_cast<Cycle>(lane);
    const Cycle beat = slot + WriteBackTiming::read_latency;
    const int neuron = block.base + lane;
    const BeatContext where = context(block, neuron);
    trace_->add(port::ref,
                {beat + timing.mac.reference_request(),
                 static_cast<std::uint64_t>(block.reference_address + lane), where, block.last_slot});
    if (!block.tile_last)
      continue;
    const auto at = static_cast<std::size_t>(neuron);
    trace_->add(port::sum, {beat + timing.mac.sum(), static_cast<std::uint32_t>(sums_[layer][at]), where,
                            block.last_slot});
    if (layer + 1 == program.layers.size())
      continue;
    const auto activation = static_cast<std::uint8_t>(activations_[layer + 1][at]);
    const auto address = static_cast<std::uint64_t>(block.layer % 2 * design_.act_depth + neuron);
    trace_->add(port::act,
                {slot + timing.write(), address | std::uint64_t{activation} << 14, where, block.last_slot});
  }
}

void Recorder::output(Cycle cycle, std::int16_t value, bool last, int layer, int element, Cycle origin) {
  if (trace_)
    trace_->add(port::m_axis, {cycle,
                               static_cast<std::uint16_t>(value) | std::uint64_t{last} << 16,
                               {static_cast<int>(image_), layer, element / design_.lanes, element},
                               origin});
}

void Recorder::fetches(Cycle stop) {
  if (!trace_)
    return;
  const std::size_t first = port::bank0 + static_cast<std::size_t>(design_.banks());
  decoders_.for_each_new_fetch([&](std::size_t lane, Cycle cycle) {
    trace_->add(first + lane, {cycle, 0, {static_cast<int>(image_), -1, -1, -1}, cycle});
  });
  if (stop != never)
    trace_->drop_cycles_after(stop - 1, first);
}

void Recorder::error(Cycle cycle) {
  if (trace_)
    trace_->drop_origins_after(cycle, port::s_axis);
}

void Recorder::reset(Cycle cycle) {
  if (trace_)
    trace_->reset_after(cycle, port::s_axis);
}

} // namespace deltatwin
