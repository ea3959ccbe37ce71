#include "tops/edqa/channel_values.h"
#include "base/clones.h"
#include "blocks/edqa_dequantizer.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace deltatwin {
namespace {

// A step of a channel: what a magnitude is divided by, and into how many halves.
struct Scale {
  int scale_bits, low, full, shift;
  bool is_signed, half_down;
};

// Numbers in which all products here are exact, and quotients but for one in their last place, which is
// mended: 32-bit integers hold 2^13 times an int16, doubles that of 32 bits or of a float's 24.
template <class Value>
using Exact = std::conditional_t<std::is_same_v<Value, std::int16_t>, std::int32_t, double>;
template <class Value>
using Quotient = std::conditional_t<std::is_same_v<Value, std::int16_t>, float, double>;

// Values lie as bytes, one behind the other.
template <class Value> [[gnu::always_inline]] inline Value load(const std::uint8_t* values, std::size_t i) {
  Value value;
  std::memcpy(&value, values + i * sizeof value, sizeof value);
  return value;
}
template <class Value>
[[gnu::always_inline]] inline void store(std::uint8_t* results, std::size_t i, Value value) {
  std::memcpy(results + i * sizeof value, &value, sizeof value); // little-endian, as AXI's bytes are
}

template <class Value>
[[gnu::always_inline]] inline void quantize(const std::uint8_t* values, std::size_t count, Scale scale,
                                            Exact<Value> maximum, std::int16_t* quantities) {
  using Number = Exact<Value>;
  const auto halves = static_cast<Number>(2 << scale.scale_bits);
  const auto inverse = static_cast<Quotient<Value>>(1.0 / static_cast<double>(maximum));
  const auto scaled_down = static_cast<std::int16_t>(scale.half_down);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Number>(load<Value>(values, i));
    const int negative = value < 0;
    Number size = value < 0 ? (scale.is_signed ? -value : Number{0}) : value;
    size = (size < maximum ? size : maximum) * halves;
    int steps = static_cast<int>(static_cast<Quotient<Value>>(size) * inverse);
    Number rest = size - static_cast<Number>(steps) * maximum;
    const int less = rest < 0, more = rest >= maximum;
    steps += more - less;
    rest += static_cast<Number>(less - more) * maximum;
    const int tie = scaled_down ? negative : steps >> 1 & 1;
    const int magnitude = (steps >> 1) + ((steps & 1) & (rest > 0 ? 1 : tie));
    int v = negative ? -magnitude : magnitude;
    v = v < scale.low ? scale.low : v;
    v = v < scale.full ? v : scale.full - 1;
    quantities[i] = static_cast<std::int16_t>(v * (1 << scale.shift));
  }
}

DELTATWIN_CLONES void quantize_int16(const std::uint8_t* values, std::size_t count, Scale scale,
                                     std::int32_t maximum, std::int16_t* quantities) {
  quantize<std::int16_t>(values, count, scale, maximum, quantities);
}
DELTATWIN_CLONES void quantize_int32(const std::uint8_t* values, std::size_t count, Scale scale,
                                     double maximum, std::int16_t* quantities) {
  quantize<std::int32_t>(values, count, scale, maximum, quantities);
}
DELTATWIN_CLONES void quantize_float32(const std::uint8_t* values, std::size_t count, Scale scale,
                                       double maximum, std::int16_t* quantities) {
  quantize<float>(values, count, scale, maximum, quantities);
}

// Of numbers in the order of magnitudes: integers, or a float's bits.
template <class Value>
[[gnu::always_inline]] inline std::uint32_t largest(const std::uint8_t* values, std::size_t count,
                                                    bool is_signed, std::uint32_t sign) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::int32_t>(load<Value>(values, i));
    const auto bits = static_cast<std::uint32_t>(value);
    const std::uint32_t below = sign ? bits & ~sign : 0 - bits;
    const std::uint32_t magnitude = value < 0 ? (is_signed ? below : 0) : bits;
    most = most < magnitude ? magnitude : most;
  }
  return most;
}

constexpr std::uint32_t float_sign = 0x80000000;

DELTATWIN_CLONES std::uint32_t largest_int16(const std::uint8_t* values, std::size_t count, bool is_signed) {
  return largest<std::int16_t>(values, count, is_signed, 0);
}
DELTATWIN_CLONES std::uint32_t largest_int32(const std::uint8_t* values, std::size_t count, bool is_signed,
                                             std::uint32_t sign) {
  return largest<std::int32_t>(values, count, is_signed, sign);
}

DELTATWIN_CLONES bool normal(const std::uint8_t* values, std::size_t count) {
  constexpr std::uint32_t smallest = 0x00800000, infinity = 0x7f800000;
  std::uint32_t strange = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = load<std::uint32_t>(values, i) & ~float_sign;
    strange |= static_cast<std::uint32_t>((magnitude != 0) & (magnitude - smallest >= infinity - smallest));
  }
  return strange == 0;
}

DELTATWIN_CLONES void multiply_int16(const std::int16_t* factors, std::size_t count, std::int32_t maximum,
                                     std::uint8_t* results) {
  for (std::size_t i = 0; i < count; ++i)
    store(results, i, factors[i] * maximum);
}
DELTATWIN_CLONES void multiply_int32(const std::int16_t* factors, std::size_t count, std::int64_t maximum,
                                     std::uint8_t* results) {
  for (std::size_t i = 0; i < count; ++i)
    store(results, i, factors[i] * maximum);
}
DELTATWIN_CLONES void multiply_float32(const std::int16_t* factors, std::size_t count, double step,
                                       std::uint8_t* results) {
  for (std::size_t i = 0; i < count; ++i)
    store(results, i, static_cast<float>(factors[i] * step));
}

// A lane's values one behind the other: where they lie, or copied from between those of others.
template <class Value> class Packed {
public:
  explicit Packed(const ChannelValues& values) : data_(values.data) {
    if (values.stride == sizeof(Value))
      return;
    copy_.resize(values.count * sizeof(Value));
    for (std::size_t i = 0; i < values.count; ++i)
      std::memcpy(copy_.data() + i * sizeof(Value), values.data + i * values.stride, sizeof(Value));
    data_ = copy_.data();
  }
  [[nodiscard]] const std::uint8_t* data() const { return data_; }

private:
  std::vector<std::uint8_t> copy_;
  const std::uint8_t* data_;
};

// Has `multiply` write results one behind the other, and spreads them.
template <class Value, class Multiply>
void spread(std::size_t count, std::uint8_t* out, std::size_t stride, Multiply multiply) {
  if (stride == sizeof(Value)) {
    multiply(out);
    return;
  }
  std::vector<std::uint8_t> results(count * sizeof(Value));
  multiply(results.data());
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(out + i * stride, results.data() + i * sizeof(Value), sizeof(Value));
}

double number_of(EdqaFormat format, std::uint32_t magnitude) {
  if (format != EdqaFormat::float32)
    return magnitude;
  float number = 0;
  std::memcpy(&number, &magnitude, sizeof number);
  return number;
}

} // namespace

bool vectorizable(EdqaFormat format, const ChannelValues& values) {
  return format != EdqaFormat::float32 || normal(Packed<std::uint32_t>(values).data(), values.count);
}

bool vectorizable(EdqaFormat format, const EdqaScheme& scheme, std::uint32_t maximum) {
  constexpr std::uint32_t least = 16u << 23, most = 240u << 23; // 2^12 times more and less are normal
  return format != EdqaFormat::float32 || maximum == 0 || (!scheme.raw && maximum >= least && maximum < most);
}

std::uint32_t largest_magnitude(EdqaFormat format, bool is_signed, const ChannelValues& values) {
  if (format == EdqaFormat::int16)
    return largest_int16(Packed<std::int16_t>(values).data(), values.count, is_signed);
  return largest_int32(Packed<std::int32_t>(values).data(), values.count, is_signed,
                       format == EdqaFormat::float32 ? float_sign : 0);
}

void quantize_channel(EdqaFormat format, const EdqaScheme& scheme, bool direct, std::uint32_t maximum,
                      const ChannelValues& values, std::vector<std::int16_t>& quantities) {
  quantities.assign(values.count, 0);
  if (maximum == 0)
    return;
  const int shift = direct ? scheme.extra : 0, scale_bits = scheme.scale_bits() - shift,
            full = 1 << scale_bits;
  const Scale scale{scale_bits,      scheme.is_signed ? -full : 0, full, shift, scheme.is_signed,
                    scheme.half_down};
  const double number = number_of(format, maximum);
  if (format == EdqaFormat::int16)
    quantize_int16(Packed<std::int16_t>(values).data(), values.count, scale,
                   static_cast<std::int32_t>(maximum), quantities.data());
  else if (format == EdqaFormat::int32)
    quantize_int32(Packed<std::int32_t>(values).data(), values.count, scale, number, quantities.data());
  else
    quantize_float32(Packed<float>(values).data(), values.count, scale, number, quantities.data());
}

void dequantize_channel(EdqaFormat format, const EdqaScheme& scheme, std::uint32_t maximum,
                        const std::vector<std::int16_t>& quantities, std::uint8_t* out, std::size_t stride) {
  const std::size_t count = quantities.size();
  std::vector<std::int16_t> raw;
  if (scheme.raw)
    for (const std::int16_t v : quantities)
      raw.push_back(
          static_cast<std::int16_t>(edqa_factor(scheme, scheme.quantized(v), scheme.shifting_error(v))));
  const std::int16_t* const factors = scheme.raw ? raw.data() : quantities.data();
  if (format == EdqaFormat::int16)
    spread<std::int32_t>(count, out, stride, [&](std::uint8_t* results) {
      multiply_int16(factors, count, static_cast<std::int32_t>(maximum), results);
    });
  else if (format == EdqaFormat::int32)
    spread<std::int64_t>(count, out, stride,
                         [&](std::uint8_t* results) { multiply_int32(factors, count, maximum, results); });
  else
    spread<float>(count, out, stride, [&](std::uint8_t* results) {
      multiply_float32(factors, count, std::ldexp(number_of(format, maximum), -scheme.scale_bits()), results);
    });
}

} // namespace deltatwin
