#pragma once
#include "base/cycle.h"
#include "blocks/program_table.h"
#include "tops/accelerator/design.h"
#include <algorithm>
#include <cstddef>
#include <deque>
#include <vector>

namespace deltatwin {

/// The scheduler's contract once more, cycle by cycle: the third opinion on when the model and the RTL
/// read inputs, issue slots and deliver outputs. It shares no code with either, so its numbers stand here
/// again. START is in cycle 0.
struct SchedulerReference {
  struct Layer {
    int inputs, outputs, block_length;
  };
  enum Error { none, weight_range, reference_range };

  int lanes = 1;
  int cycles_per_mac = 1; ///< D of a serial multiplier, 8 with its adder of deltas, else 1
  bool serial = false;
  bool huffman = false;
  int symbol_bits = 1; ///< with Huffman
  int bank_depth = 1 << 20, ref_depth = 1 << 20, out_depth = 16;
  std::vector<Layer> layers;
  int images = 1;

  std::vector<Cycle> inputs, slots, outputs; ///< cycles of all beats
  Error error = none;
  Cycle error_cycle = never;

  /// Runs to the last output, to an error, or to `limit`. `gap(i)`: cycles that the source leaves before
  /// input i, after the input before it was taken; `ready(cycle)`: is the sink?
  template <class Gap, class Ready> void run(Gap gap, Ready ready, Cycle limit = never) {
    // One cycle a layer is checked, and with decoders its book is built: the counting of the lengths and
    // the placing of the symbols go through all of them, the limits take one cycle a length.
    const Cycle build = huffman ? 2 * (Cycle{1} << symbol_bits) + 8 : 0;
    const Cycle first = 1 + layers.size() * (1 + build);
    // From a tile's last slot: the memories' read, the accumulators, the sum, the requantizer.
    const Cycle accumulate = serial ? static_cast<Cycle>(cycles_per_mac) + 1 : 3;
    const Cycle written = 1 + accumulate + 4 + 5, offered = written + 1;
    const std::size_t all =
        static_cast<std::size_t>(images) * static_cast<std::size_t>(layers.back().outputs);

    Cycle next_input = first + gap(std::size_t{0}), next_slot = 0, drained = 0, tile_from = 0;
    bool full[2] = {false, false}, waiting = true;
    int loading = 0, reading = 0, load_index = 0, loads = 0, credits = out_depth;
    int base = 0, index = 0, block_index = 0, weights = 0, references = 0;
    std::size_t at = 0;
    std::deque<Cycle> fifo; // when each result is there
    for (Cycle now = first; outputs.size() < all && now < limit; ++now) {
      // Whatever happens in this cycle is seen in the next one.
      const bool beat_in = loads < images && !full[loading] && now >= next_input;
      const bool beat_out = !fifo.empty() && fifo.front() <= now && ready(now);
      bool loaded = false, read = false;
      int taken = 0;
      if (beat_in) {
        inputs.push_back(now);
        next_input = now + 1 + gap(inputs.size());
        loaded = ++load_index == layers[0].inputs;
      }
      if (beat_out) {
        outputs.push_back(now);
        fifo.pop_front();
      }
      const Layer& layer = layers[at];
      const bool last_layer = at + 1 == layers.size();
      const int active = std::min(lanes, layer.outputs - base);
      if (waiting) {
        if (now >= next_slot && now >= tile_from && (at > 0 || full[reading]) &&
            (!last_layer || credits >= active)) {
          waiting = false;
          taken = last_layer ? active : 0;
        }
      } else if (now >= next_slot) {
        const bool tile_end = index + 1 == layer.inputs;
        const bool block_end = tile_end || block_index + 1 == layer.block_length;
        if (!block_end || now >= drained) {
          if (!huffman && weights == bank_depth)
            error = weight_range;
          else if (block_end && references + active > ref_depth)
            error = reference_range;
          if (error != none) {
            error_cycle = now;
            return;
          }
          slots.push_back(now);
          next_slot = now + static_cast<Cycle>(cycles_per_mac);
          ++weights, ++index, ++block_index;
          if (block_end) {
            drained = now + static_cast<Cycle>(active);
            references += active;
            block_index = 0;
          }
          if (tile_end) {
            for (int i = 0; last_layer && i < active; ++i)
              fifo.push_back(now + offered + static_cast<Cycle>(i));
            const bool layer_end = base + active == layer.outputs;
            waiting = layer_end || last_layer; // room for results is waited for a tile at a time
            read = layer_end && at == 0;
            index = 0;
            if (layer_end && !last_layer) // input n of the next layer may be this tile's
              tile_from = now + written - static_cast<Cycle>(base);
            if (layer_end && last_layer) {
              weights = references = 0;
              tile_from = huffman ? now + 8 : 0; // the decoders go back to their streams' beginnings
            }
            base = layer_end ? 0 : base + lanes;
            at = !layer_end ? at : last_layer ? 0 : at + 1;
          }
        }
      }
      credits += static_cast<int>(beat_out) - taken;
      if (loaded) {
        full[loading] = true;
        loading ^= 1;
        ++loads;
        load_index = 0;
      }
      if (read) {
        full[reading] = false;
        reading ^= 1;
      }
    }
  }
};

/// The reference of a design and a program that is legal.
inline SchedulerReference scheduler_reference(const Design& design,
                                              const std::vector<LayerDescriptor>& layers, int images) {
  SchedulerReference reference;
  reference.lanes = design.lanes;
  reference.serial = design.multiplier == Multiplier::serial;
  reference.cycles_per_mac = !reference.serial ? 1 : design.consecutive ? 8 : design.delta_bits;
  reference.huffman = design.huffman;
  reference.symbol_bits = design.delta_bits;
  reference.bank_depth = design.bank_depth;
  reference.ref_depth = design.ref_depth;
  reference.out_depth = design.out_depth;
  for (const LayerDescriptor& layer : layers)
    reference.layers.push_back({layer.inputs, layer.outputs, layer.block_length});
  reference.images = images;
  return reference;
}

/// From START to each inference's last output, where inputs are always there and outputs are taken at once.
inline std::vector<Cycle> reference_ends(const Design& design, const std::vector<LayerDescriptor>& layers,
                                         int images) {
  SchedulerReference reference = scheduler_reference(design, layers, images);
  reference.run([](std::size_t) { return Cycle{0}; }, [](Cycle) { return true; });
  std::vector<Cycle> ends;
  const auto outputs = static_cast<std::size_t>(layers.back().outputs);
  for (std::size_t last = outputs; last <= reference.outputs.size(); last += outputs)
    ends.push_back(reference.outputs[last - 1]);
  return ends;
}

} // namespace deltatwin
