// The accelerator's inner beats, on demand: what trace_ is given.
#include "tops/accelerator/accelerator.h"

namespace deltatwin {

// The traced inference's activations and sums, a layer each.
void AcceleratorCore::compute_sums() {
  activations_ = {loading_};
  sums_.clear();
  for (DenseLayer& layer : decoded_) {
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

void AcceleratorCore::trace_block(const IssuedBlock& block) {
  const auto layer = static_cast<std::size_t>(block.layer);
  const auto context = [&](int element) {
    return BeatContext{static_cast<int>(issued_), block.layer, block.tile, element};
  };
  for (int i = 0; i < block.slots; ++i) {
    const bool last = block.complete && i + 1 == block.slots;
    const Cycle cycle = block.slot(i, timing_->write_back().mac.cycles_per_mac);
    const int input = block.first_input + i;
    const auto word = static_cast<std::size_t>(block.weight_address + i);
    const auto x = static_cast<std::uint8_t>(activations_[layer][static_cast<std::size_t>(input)]);
    const unsigned flags = (block.tile_first && i == 0) | unsigned{i == 0} << 1 | unsigned{last} << 2 |
                           unsigned{last && block.tile_last} << 3;
    trace_->add(port::slot, {cycle,
                             (design_.huffman ? 0 : word) | static_cast<std::uint64_t>(input) << 20 |
                                 std::uint64_t{layer} << 33,
                             context(input), cycle});
    trace_->add(port::mac, {cycle + 1, x | std::uint64_t{flags} << 8, context(input), cycle});
    for (std::size_t bank = 0; bank < banks_.size(); ++bank) {
      const int width = design_.lanes_of_bank(static_cast<int>(bank)) * design_.delta_bits;
      const std::uint64_t deltas = slot_words()[bank][word] & ((std::uint64_t{1} << width) - 1);
      trace_->add(port::bank0 + bank, {cycle + 1, deltas, context(input), cycle});
    }
  }
  if (design_.huffman)
    trace_decoders(block);
  for (int lane = 0; block.complete && lane < block.active; ++lane) {
    const Cycle beat = block.last_slot + WriteBackTiming::read_latency + static_cast<Cycle>(lane);
    const int neuron = block.base + lane;
    trace_->add(port::ref, {beat + timing_->write_back().mac.reference_request(),
                            static_cast<std::uint64_t>(block.reference_address + lane), context(neuron),
                            block.last_slot});
    if (!block.tile_last)
      continue;
    trace_->add(port::sum, {beat + timing_->write_back().mac.sum(),
                            static_cast<std::uint32_t>(sums_[layer][static_cast<std::size_t>(neuron)]),
                            context(neuron), block.last_slot});
    if (layer + 1 < timing_->layers().size())
      trace_->add(port::act, {beat - WriteBackTiming::read_latency + timing_->write_back().write(),
                              static_cast<std::uint64_t>(block.layer % 2 * design_.act_depth + neuron) |
                                  std::uint64_t{static_cast<std::uint8_t>(
                                      activations_[layer + 1][static_cast<std::size_t>(neuron)])}
                                      << 14,
                              context(neuron), block.last_slot});
  }
}

void AcceleratorCore::trace_decoders(const IssuedBlock& block) {
  const auto layer = static_cast<std::size_t>(block.layer);
  const bool last_block = block.complete && layer + 1 == control_.layers() && block.tile_last &&
                          block.base + block.active == timing_->layers()[layer].outputs;
  for (int i = 0; i < block.slots && block.slot(i, timing_->write_back().mac.cycles_per_mac) < run_.stop;
       ++i) {
    const Cycle cycle = block.slot(i, timing_->write_back().mac.cycles_per_mac);
    decoders_.take(books_[layer], block.active, cycle);
    if (last_block && i + 1 == block.slots)
      decoders_.end(cycle);
  }
}

// The words that decoders take, once all is known that can prevent it.
void AcceleratorCore::trace_fetches() {
  if (!trace_)
    return;
  decoders_.for_each_new_fetch([&](std::size_t lane, Cycle cycle) {
    trace_->add(port::bank0 + banks_.size() + lane,
                {cycle, 0, {static_cast<int>(issued_), -1, -1, -1}, cycle});
  });
  stop_fetches();
}

// Nothing is fetched when the run is over.
void AcceleratorCore::stop_fetches() {
  if (trace_ && run_.stop != never)
    trace_->drop_cycles_after(run_.stop - 1, port::bank0 + banks_.size());
}

} // namespace deltatwin
