#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/delta_mac.h"
#include "blocks/huffman_code_book.h"
#include "blocks/huffman_decoder.h"
#include "blocks/requantizer.h"
#include "tops/accelerator/program.h"
#include <deque>
#include <utility>
#include <vector>

namespace deltatwin {

/// STATUS's error codes; when several hold at once, the lowest is raised.
enum class ErrorCode {
  none,
  layer_count,
  image_count,
  input_length,
  output_length,
  chain,
  block_length,
  scheme,
  activation,
  parameter_range,
  weight_range,
  reference_range,
  framing,
  code_book,
  bad_code,
  short_stream,
  left_over
};
[[nodiscard]] const char* to_string(ErrorCode code);

struct RunError {
  ErrorCode code = ErrorCode::none;
  int layer = 0;
  Cycle cycle = never; ///< the last running cycle; the error shows in the next one
};

/// The check that START begins: one layer a cycle. `cycle` of the result counts from 0, the cycle
/// of layer 0's check.
[[nodiscard]] RunError check_program(const Design& design, const std::vector<LayerDescriptor>& table,
                                     unsigned layers, std::uint32_t images);

/// With decoders, the check is followed by the build of each layer's code book. `cycle` of the
/// result counts like check_program()'s.
[[nodiscard]] RunError check_books(const Design& design, const std::vector<CodeTable>& books);

/// From START to the first cycle in which a run waits for its input.
[[nodiscard]] Cycle preparation_cycles(const Design& design, std::size_t layers);

/// One block of a tile, as the scheduler issues it: `slots` reads of an activation and a word of
/// every weight bank; all but the last are `cycles_per_mac` apart.
struct IssuedBlock {
  int layer, tile, block;
  int base, active;      ///< first neuron, lanes that work
  int first_input;       ///< of this block
  int slots;             ///< inputs of this block that are issued (fewer than its length on an error)
  int weight_address;    ///< of the first slot; with decoders, symbols of each lane before it
  int reference_address; ///< of lane 0
  bool tile_first, tile_last, complete;
  Cycle first_slot, last_slot;

  [[nodiscard]] Cycle slot(int index, int cycles_per_mac) const {
    return complete && index + 1 == slots ? last_slot
                                          : first_slot + static_cast<Cycle>(index * cycles_per_mac);
  }
};

/// When the scheduler issues what: computed a block at a time. The cost of an inference grows with
/// its tiles, not with its cycles. Steady state, one block a neuron: a layer takes
/// ceil(outputs / lanes) * max(inputs * cycles_per_mac, min(lanes, outputs)) cycles.
class SchedulerTiming {
public:
  /// `first_wait`: the cycle after the last layer's check.
  SchedulerTiming(const Design& design, std::vector<LayerDescriptor> layers, Cycle first_wait);

  /// The earliest cycle in which the next inference's first input beat can be taken.
  [[nodiscard]] Cycle input_ready() const { return std::max(half_free_[next_half_], loader_free_); }
  /// Its last input beat was at this cycle.
  void loaded(Cycle last_beat);

  /// Issues one loaded inference. `visit(const IssuedBlock&)` sees each block in order;
  /// `deliver(base, active, offered, beats)` is called for each of the last layer's tiles with the
  /// cycle of its first output offer (one more a neuron), the cycle of its last slot stands in
  /// IssuedBlock before; it appends the output beats' cycles.
  /// Returns the run-time error that stopped it, if any.
  template <class Visit, class Deliver> RunError issue(Visit visit, Deliver deliver);

  /// Between inferences: where everything stands that the next ones' timing depends on, relative to
  /// the issue side's wait for the next one. Equal phases have equal futures.
  [[nodiscard]] std::vector<Cycle> phase() const;

  /// From a tile's last slot to its first neuron's offer at the output stream.
  [[nodiscard]] Cycle output_latency() const { return write_latency() + 1; }
  /// From a tile's last slot to the write of its first neuron into the activation buffer.
  [[nodiscard]] Cycle write_latency() const { return read_latency + mac_.sum() + RequantizerTiming::latency; }
  [[nodiscard]] const DeltaMacTiming& mac() const { return mac_; }
  [[nodiscard]] const std::vector<LayerDescriptor>& layers() const { return layers_; }

  static constexpr Cycle read_latency = 1; ///< of the weight banks and activation buffers

private:
  [[nodiscard]] Cycle room(int need, Cycle from);

  int lanes_, bank_depth_, ref_depth_, out_depth_;
  bool huffman_;
  DeltaMacTiming mac_;
  std::vector<LayerDescriptor> layers_;
  Cycle wait_;             ///< the first cycle in which the issue side waits for the next inference
  Cycle drain_free_ = 0;   ///< earliest cycle for a block's last slot
  Cycle half_free_[2];     ///< input buffer halves: first cycle in which they take a beat
  Cycle loader_free_;      ///< the cycle after the latest input beat
  std::deque<Cycle> full_; ///< first cycle in which a loaded half is seen
  int next_half_ = 0, issue_half_ = 0;
  std::deque<Cycle> output_beats_; ///< of results that took a place in the output FIFO
  std::vector<Cycle> delivered_;
};

/// A `deliver` for issue(): every result is taken when it is offered.
inline void take_each_cycle(int, int active, Cycle offered, std::vector<Cycle>& taken) {
  for (int i = 0; i < active; ++i)
    taken.push_back(offered + static_cast<Cycle>(i));
}

template <class Visit, class Deliver> RunError SchedulerTiming::issue(Visit visit, Deliver deliver) {
  const Cycle step = static_cast<Cycle>(mac_.cycles_per_mac);
  int weight_address = 0, references = 0;
  Cycle ready = std::max(wait_, full_.front()); // the WAIT cycle that sees all it needs
  full_.pop_front();
  if (ready == never)
    return {};
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const LayerDescriptor& layer = layers_[l];
    const bool last_layer = l + 1 == layers_.size();
    Cycle slot = ready + 1, last_slot = 0;
    int base = 0;
    for (int tile = 0;; ++tile, base += lanes_) {
      const int active = std::min(lanes_, layer.outputs - base);
      if (last_layer) {
        const Cycle seen = room(active, slot - 1);
        if (seen == never) { // nothing ever leaves the output FIFO
          wait_ = never;
          return {};
        }
        slot = seen + 1;
      }
      for (int block = 0, input = 0; input < layer.inputs; ++block) {
        const int length = std::min(layer.block_length, layer.inputs - input);
        IssuedBlock issued{static_cast<int>(l),
                           tile,
                           block,
                           base,
                           active,
                           input,
                           length,
                           weight_address,
                           references,
                           input == 0,
                           input + length == layer.inputs,
                           true,
                           slot,
                           0};
        last_slot = std::max(slot + static_cast<Cycle>(length - 1) * step, drain_free_);
        issued.last_slot = last_slot;
        const int words_left = huffman_ ? length : bank_depth_ - weight_address;
        if (words_left < length || references + active > ref_depth_) {
          const bool weight = words_left < length;
          issued.complete = false;
          issued.slots = weight ? words_left : length - 1;
          const Cycle stop =
              issued.slots == length - 1 ? last_slot : slot + static_cast<Cycle>(issued.slots) * step;
          visit(issued);
          return {weight ? ErrorCode::weight_range : ErrorCode::reference_range, issued.layer, stop};
        }
        visit(issued);
        weight_address += length;
        references += active;
        input += length;
        drain_free_ = last_slot + static_cast<Cycle>(active);
        slot = last_slot + step;
      }
      const bool layer_done = base + lanes_ >= layer.outputs;
      if (last_layer) {
        delivered_.clear();
        deliver(base, active, last_slot + output_latency(), delivered_);
        output_beats_.insert(output_beats_.end(), delivered_.begin(), delivered_.end());
        slot = last_slot + step + 1; // one WAIT cycle
      }
      if (layer_done)
        break;
    }
    if (l == 0) {
      half_free_[issue_half_] = last_slot + 1;
      issue_half_ ^= 1;
    }
    ready = last_slot + step;
    if (huffman_ && last_layer) // the decoders begin their streams anew
      ready = std::max(ready, last_slot + HuffmanDecoderCore::restart_latency - 1);
    const Cycle written = last_slot + write_latency() + 1; // when lane 0's result can be read
    if (!last_layer && written > ready + 1 + static_cast<Cycle>(base))
      ready = written - 1 - static_cast<Cycle>(base);
  }
  wait_ = ready;
  return {};
}

/// What the scheduler takes.
[[nodiscard]] Resources scheduler_resources(const Design& design);

} // namespace deltatwin
