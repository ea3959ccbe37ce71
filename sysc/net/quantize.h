#pragma once
#include "net/layer.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// How a layer's weights are to be stored.
struct DeltaFormat {
  Scheme scheme = Scheme::fixed_reference;
  int delta_bits = 4;
  Group group = Group::layer;
  int block = 0;
  int shift = 0;
};

/// Stores int8 weights [outputs * inputs] exactly: fills scheme, group, deltas and references of
/// the layer returned. `references` as in Layer (empty for plain). Throws InputError naming the
/// first weight (output, input, value) that the format cannot hold, and what it could hold.
[[nodiscard]] Layer encode(int inputs, int outputs, const std::vector<std::int8_t>& weights,
                           const DeltaFormat& format, const std::vector<int>& references);

/// Stores real-valued weights as well as the format can: each weight becomes the nearest
/// representable one (closed loop for consecutive: against the reconstructed neighbour).
/// `scaled` is in units of the int8 weight's LSB, [outputs * inputs]. References are the group
/// means, rounded (consecutive, by neuron or block: the group's first weight). Never fails.
[[nodiscard]] Layer quantize(int inputs, int outputs, const std::vector<float>& scaled,
                             const DeltaFormat& format);

} // namespace deltatwin
