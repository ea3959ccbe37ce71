#pragma once
// The fields of the operators on maps, each with its name and range, once: see fields.h.
#include "net/formats/fields.h"
#include "net/graph.h"
#include <array>
#include <limits>

namespace deltatwin {

inline constexpr int largest_size = 1 << 15;  ///< of a dimension
inline constexpr int widest_weight = 255;     ///< of an int8 or uint8 weight less its zero point
inline constexpr int largest_left_shift = 20; ///< of an addition
inline constexpr std::uint64_t most_weights = std::uint64_t{1} << 24;

/// In the order of Node::op.
inline constexpr std::array<const char*, 6> node_kinds = {"dense", "convolution", "pool",
                                                          "add",   "rescale",     "reshape"};
inline constexpr std::initializer_list<const char*> pool_names = {"max", "average"};
inline constexpr std::initializer_list<const char*> softmax_names = {"tflite", "real"};

/// Of a requantization that multiplies, without the clamp.
template <class Fields, class AnyRequantization>
void scale_fields(const Fields& fields, AnyRequantization& requantization, std::size_t channels) {
  fields.choice("rounding", requantization.rounding, scaling_names);
  fields.one_or("multipliers", requantization.multipliers, channels, 0,
                std::numeric_limits<std::int32_t>::max());
  fields.integers("shifts", requantization.shifts, requantization.multipliers.size(), 0, 62);
}

template <class Fields, class AnyRequantization>
void clamp_fields(const Fields& fields, AnyRequantization& requantization, const Format& format) {
  fields.integer("low", requantization.low, format.low(), format.high());
  fields.integer("high", requantization.high, format.low(), format.high());
}

/// Of a whole requantization.
template <class Fields, class AnyRequantization>
void requantization_fields(const Fields& fields, AnyRequantization& requantization, std::size_t channels,
                           const Format& format) {
  fields.choice("rounding", requantization.rounding, rounding_names);
  clamp_fields(fields, requantization, format);
  if (requantization.rounding != Rounding::thresholds) {
    fields.absent("thresholds", requantization.thresholds.empty(),
                  "has a meaning with rounding thresholds only");
    scale_fields(fields, requantization, channels);
    return;
  }
  constexpr const char* why = "has no meaning with rounding thresholds";
  fields.absent("multipliers", requantization.multipliers == std::vector<std::int32_t>{1}, why);
  fields.absent("shifts", requantization.shifts == std::vector<int>{0}, why);
  const int steps = requantization.high - requantization.low;
  if (steps < 1 || steps > Requantization::most_thresholds)
    fields.fail("high", "is " + std::to_string(steps) + " above low; thresholds are 1 to " +
                            std::to_string(Requantization::most_thresholds));
  fields.one_row_or("thresholds", requantization.thresholds, static_cast<int>(channels), steps,
                    std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
}

/// Of windows on a map.
template <class Fields, class AnyWindow>
void window_fields(const Fields& fields, AnyWindow& window, const Tensor& map) {
  fields.integer("rows", window.rows, 1, largest_size);
  fields.integer("columns", window.columns, 1, largest_size);
  fields.integer("row_stride", window.row_stride, 1, largest_size);
  fields.integer("column_stride", window.column_stride, 1, largest_size);
  fields.integer("top", window.top, 0, window.rows - 1);
  fields.integer("left", window.left, 0, window.columns - 1);
  fields.integer("bottom", window.bottom, 0, window.rows - 1);
  fields.integer("right", window.right, 0, window.columns - 1);
  fields.integer("rows", window.rows, 1, map.shape[0] + window.top + window.bottom);
  fields.integer("columns", window.columns, 1, map.shape[1] + window.left + window.right);
}

/// How a convolution from one map to another is divided.
template <class Fields, class AnyConvolution>
void group_fields(const Fields& fields, AnyConvolution& convolution, const Tensor& in, const Tensor& out) {
  fields.integer("groups", convolution.groups, 1, largest_size);
  if (in.shape[2] % convolution.groups || out.shape[2] % convolution.groups)
    fields.fail("groups", std::to_string(convolution.groups) + " does not divide " +
                              std::to_string(in.shape[2]) + " and " + std::to_string(out.shape[2]) +
                              " channels");
}

/// The weights of a convolution whose windows and groups are known.
template <class Fields, class AnyConvolution>
void weight_fields(const Fields& fields, AnyConvolution& convolution, const Tensor& in) {
  const std::uint64_t each = static_cast<std::uint64_t>(convolution.window.rows) *
                             static_cast<std::uint64_t>(convolution.window.columns) *
                             static_cast<std::uint64_t>(in.shape[2] / convolution.groups);
  if (each * static_cast<std::uint64_t>(convolution.outputs) > most_weights)
    fields.fail("weights", "are more than " + std::to_string(most_weights));
  fields.integers("bias", convolution.bias, static_cast<std::size_t>(convolution.outputs),
                  std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  fields.rows("weights", convolution.weights, convolution.outputs, static_cast<int>(each), -widest_weight,
              widest_weight);
}

/// How weights of that many output channels are stored.
template <class Fields, class AnyDeltas>
void delta_fields(const Fields& fields, AnyDeltas& deltas, std::size_t outputs) {
  fields.integer("bits", deltas.bits, 1, 8);
  fields.integer("shift", deltas.shift, 0, 7);
  fields.one_or("references", deltas.references, outputs, -128, 127);
  fields.choice("code", deltas.code, {"raw", "huffman"}); // huffman: of deltas or of pairs
}

template <class Fields, class AnyPool> void kind_fields(const Fields& fields, AnyPool& pool) {
  fields.choice("kind", pool.kind, pool_names);
  if (pool.kind == Pool::Kind::average)
    fields.optional_flag("raw", pool.raw);
  else
    fields.absent("raw", !pool.raw, "has a meaning with kind average only");
}

template <class Fields, class AnyAdd> void left_shift_field(const Fields& fields, AnyAdd& add) {
  fields.integer("left_shift", add.left_shift, 0, largest_left_shift);
}

template <class Fields, class AnySoftmax> void softmax_fields(const Fields& fields, AnySoftmax& softmax) {
  fields.choice("rule", softmax.rule, softmax_names);
  if (softmax.rule == Softmax::Rule::tflite) {
    fields.integer("multiplier", softmax.multiplier, 1 << 30, std::numeric_limits<std::int32_t>::max());
    fields.integer("left_shift", softmax.left_shift, 1, 31);
  } else {
    fields.absent("multiplier", softmax.multiplier == 0, "has a meaning with rule tflite only");
    fields.absent("left_shift", softmax.left_shift == 0, "has a meaning with rule tflite only");
  }
}

} // namespace deltatwin
