#pragma once
#include "blocks/channel.h"
#include "blocks/delta_mac.h"
#include "blocks/requantizer.h"
#include <vector>

namespace deltatwin {

/// When the results of a tile arrive where the write-back walker sends them: one per cycle, in the order
/// of the neurons.
struct WriteBackTiming {
  static constexpr Cycle read_latency = 1; ///< of the weight banks and activation buffers
  DeltaMacTiming mac;

  /// From a tile's last slot to the write of its first neuron into the activation buffer.
  [[nodiscard]] Cycle write() const { return read_latency + mac.sum() + RequantizerTiming::latency; }
  /// From a tile's last slot to its first neuron's offer at the output stream.
  [[nodiscard]] Cycle output() const { return write() + 1; }
  /// The first slot of the layer behind one whose last tile begins with neuron `base`: it may read neuron
  /// n not before its (n + 1)th cycle.
  [[nodiscard]] Cycle next_layer(Cycle last_slot, int base) const {
    return last_slot + write() + 1 - static_cast<Cycle>(base);
  }
};

/// The places of the output FIFO as the issue side counts them: a tile of the last layer takes its
/// neurons' places before it starts, an output beat gives one back, seen a cycle later.
class OutputCredits {
public:
  explicit OutputCredits(int depth) : places_(static_cast<std::size_t>(depth), 0) {}

  /// The first cycle in which a tile of so many neurons can take its places; `never` if nothing gives them.
  [[nodiscard]] Cycle room(int neurons) const { return places_.room(static_cast<std::size_t>(neurons)); }
  /// A neuron's output beat, which may be `never`.
  void beat(Cycle cycle) {
    places_.push(cycle);
    places_.pop(cycle == never ? never : cycle + 1);
  }

  void append_phase(Cycle origin, std::vector<Cycle>& phase) const {
    places_.append_phase(origin, origin, phase);
  }

  template <class Archive> void archive(Archive& bytes) { bytes(places_); }

private:
  Channel<> places_;
};

} // namespace deltatwin
