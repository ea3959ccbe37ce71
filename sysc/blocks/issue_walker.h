#pragma once
#include "blocks/channel.h"
#include "blocks/huffman_decoder.h"
#include "blocks/input_loader.h"
#include "blocks/program_check.h"
#include "blocks/write_back.h"
#include <algorithm>
#include <vector>

namespace deltatwin {

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

/// The scheduler's issue walker: layer > tile > block > input, computed a block at a time. A tile starts
/// in the cycle after one in which its operands and the room for its results are there; a block's last
/// slot waits until the block before has drained.
class IssueWalker {
public:
  /// `first_wait`: the first cycle in which it waits for an inference.
  IssueWalker(const SchedulerConfig& config, Cycle first_wait)
      : lanes_(config.lanes), bank_depth_(config.bank_depth), ref_depth_(config.ref_depth),
        huffman_(config.huffman), write_back_{config.mac}, wait_(first_wait), drain_(0),
        credits_(config.out_depth) {}

  /// See SchedulerTiming.
  template <class Visit, class Deliver>
  RunError issue(const std::vector<LayerDescriptor>& layers, InputLoader& loader, Visit& visit,
                 Deliver& deliver) {
    Position at;
    at.ready = std::max(wait_, loader.loaded());
    if (at.ready == never)
      return {};
    const std::size_t last = layers.size() - 1;
    for (at.layer = 0; at.layer <= last && at.ready != never; ++at.layer) {
      const LayerDescriptor& layer = layers[at.layer];
      const RunError error =
          at.layer == last ? issue_last_layer(layer, at, visit, deliver) : issue_layer(layer, at, visit);
      if (error.code != ErrorCode::none)
        return error;
      if (at.layer == 0 && at.ready != never)
        loader.release(at.last_slot);
    }
    wait_ = at.ready;
    return {};
  }

  [[nodiscard]] const WriteBackTiming& write_back() const { return write_back_; }
  /// The first cycle in which it waits for the next inference.
  [[nodiscard]] Cycle wait() const { return wait_; }

  void append_phase(std::vector<Cycle>& phase) const {
    drain_.append_phase(wait_, wait_, phase);
    credits_.append_phase(wait_, phase);
  }

  template <class Archive> void archive(Archive& bytes) { bytes(wait_, drain_, credits_); }

private:
  /// Where it stands in an inference.
  struct Position {
    std::size_t layer = 0;
    int weight_address = 0, references = 0;
    Cycle ready = 0; ///< the cycle that sees all that the next tile needs, of those in which it waits
    Cycle last_slot = 0;
  };

  [[nodiscard]] Cycle step() const { return static_cast<Cycle>(write_back_.mac.cycles_per_mac); }

  /// A hidden layer's tiles follow each other; the next layer waits for the last tile's results.
  template <class Visit> RunError issue_layer(const LayerDescriptor& layer, Position& at, Visit& visit) {
    Cycle slot = at.ready + 1;
    int base = 0;
    for (int tile = 0; base < layer.outputs; ++tile, base += lanes_) {
      const RunError error = issue_tile(layer, at, tile, slot, visit);
      if (error.code != ErrorCode::none)
        return error;
      slot = at.last_slot + step();
    }
    at.ready = std::max(slot, write_back_.next_layer(at.last_slot, base - lanes_) - 1);
    return {};
  }

  /// Each of the last layer's tiles waits for room in the output FIFO; an inference that never gets it
  /// never ends.
  template <class Visit, class Deliver>
  RunError issue_last_layer(const LayerDescriptor& layer, Position& at, Visit& visit, Deliver& deliver) {
    for (int tile = 0, base = 0; base < layer.outputs; ++tile, base += lanes_) {
      const int active = std::min(lanes_, layer.outputs - base);
      at.ready = std::max(at.ready, credits_.room(active));
      if (at.ready == never)
        return {};
      const RunError error = issue_tile(layer, at, tile, at.ready + 1, visit);
      if (error.code != ErrorCode::none)
        return error;
      deliver(base, active, at.last_slot + write_back_.output(), credits_);
      at.ready = at.last_slot + step();
    }
    if (huffman_) // the decoders begin their streams anew
      at.ready = std::max(at.ready, at.last_slot + HuffmanDecoderCore::restart_latency - 1);
    return {};
  }

  template <class Visit>
  RunError issue_tile(const LayerDescriptor& layer, Position& at, int tile, Cycle slot, Visit& visit) {
    const int base = tile * lanes_, active = std::min(lanes_, layer.outputs - base);
    for (int block = 0, input = 0; input < layer.inputs; ++block) {
      const int length = std::min(layer.block_length, layer.inputs - input);
      IssuedBlock issued{static_cast<int>(at.layer),
                         tile,
                         block,
                         base,
                         active,
                         input,
                         length,
                         at.weight_address,
                         at.references,
                         input == 0,
                         input + length == layer.inputs,
                         true,
                         slot,
                         std::max(slot + static_cast<Cycle>(length - 1) * step(), drain_.room())};
      const int words_left = huffman_ ? length : bank_depth_ - at.weight_address;
      if (words_left < length || at.references + active > ref_depth_)
        return stop(issued, words_left, visit);
      visit(issued);
      at.last_slot = issued.last_slot;
      at.weight_address += length;
      at.references += active;
      input += length;
      drain_.push(issued.last_slot);
      drain_.pop(issued.last_slot + static_cast<Cycle>(active));
      slot = issued.last_slot + step();
    }
    return {};
  }

  /// A block that runs out of weights or, with its last slot, out of references.
  template <class Visit> RunError stop(IssuedBlock& block, int words_left, Visit& visit) {
    const int length = block.slots;
    const bool weight = words_left < length;
    block.complete = false;
    block.slots = weight ? words_left : length - 1;
    const Cycle cycle = block.slots == length - 1
                            ? block.last_slot
                            : block.first_slot + static_cast<Cycle>(block.slots) * step();
    visit(block);
    return {weight ? ErrorCode::weight_range : ErrorCode::reference_range, block.layer, cycle};
  }

  int lanes_, bank_depth_, ref_depth_;
  bool huffman_;
  WriteBackTiming write_back_;
  Cycle wait_;
  Channel<1> drain_; ///< of a block's accumulators, a lane per cycle
  OutputCredits credits_;
};

} // namespace deltatwin
