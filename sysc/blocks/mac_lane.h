#pragma once
#include <array>
#include <cstdint>

namespace deltatwin {

/// A lane of the delta MAC, or a packed pair: the multiply-accumulate of each of its neurons, edge by
/// edge. Parallel: a delta loaded in cycle t is multiplied by the x of t + 1, and the product added in
/// t + 2. Serial: in each cycle with `add` from t + 1 on, the operand's next bit decides whether x is
/// added; whoever drives x doubles it from bit to bit and negates it for the sign bit.
class MacLaneCore {
public:
  struct Config {
    int count = 1;      ///< neurons: 1, or 2 when packed
    int delta_bits = 4; ///< 1..8
    bool serial = false;
    bool consecutive = true; ///< operands are running sums where `running` says so, of 8 bits
    int accumulator_bits = 32;
  };
  struct Inputs {
    bool load = false, running = false, add = false, first = false;
    std::array<int, 2> deltas{}; ///< of each neuron, signed
    int x = 0;
  };

  explicit MacLaneCore(const Config& config) : config_(config) {}

  /// The rising edge that ends a cycle with these inputs.
  void edge(const Inputs& in) {
    for (int n = 0; n < config_.count; ++n) {
      Neuron& neuron = neurons_[static_cast<std::size_t>(n)];
      const std::int64_t term = config_.serial ? (neuron.operand >> neuron.bit & 1) * in.x : neuron.product;
      if (in.add)
        neuron.accumulator = wrap(term + (in.first ? 0 : neuron.accumulator), config_.accumulator_bits);
      neuron.product = std::int64_t{neuron.operand} * in.x;
      neuron.bit = in.load ? 0 : neuron.bit + in.add;
      if (in.load) {
        const int before = config_.consecutive && in.running ? neuron.operand : 0;
        neuron.operand = static_cast<int>(wrap(before + in.deltas[static_cast<std::size_t>(n)],
                                               config_.consecutive ? 8 : config_.delta_bits));
      }
    }
  }
  /// In the cycle after the latest edge, signed.
  [[nodiscard]] std::int64_t accumulator(int neuron) const {
    return neurons_[static_cast<std::size_t>(neuron)].accumulator;
  }

private:
  static std::int64_t wrap(std::int64_t value, int bits) {
    const std::int64_t range = std::int64_t{1} << bits, low = value & (range - 1);
    return low >= range / 2 ? low - range : low;
  }

  struct Neuron {
    int operand = 0, bit = 0;
    std::int64_t product = 0, accumulator = 0;
  };
  Config config_;
  std::array<Neuron, 2> neurons_;
};

} // namespace deltatwin
