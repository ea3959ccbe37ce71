#include "blocks/plane_product.h"
#include "blocks/fields.h"
#include <algorithm>
#include <cstddef>
#include <vector>

namespace deltatwin {
namespace {

/// As the RTL names them.
struct Shape {
  int planes, widths, widest = 0, levels, pairs, latency, count_latency, plane_levels, spare, product_bits;

  Shape(int bytes, int planes_, int widths_) : planes(planes_), widths(widths_) {
    const int positions = 8 * bytes;
    int most = 0;
    for (int code = 0; code < width_codes; ++code)
      if (const int bits = width_bits(code); widths >> code & 1) {
        widest = std::max(widest, bits);
        most = std::max(most, positions / bits * std::max((1 << (bits - 1)) - 1, 1));
      }
    const int least = widest > 1 ? positions / widest << (widest - 1) : 0;
    levels = address_bits(widest);
    pairs = positions / widest;
    count_latency = 3 + address_bits(groups());
    plane_levels = address_bits(planes);
    latency = 4 + address_bits(ceil_div(bytes, 3)) + plane_levels;
    spare = latency - count_latency - levels - plane_levels;
    product_bits = 1 + std::max(address_bits(most + 1), address_bits(least));
  }
  [[nodiscard]] int groups() const { return ceil_div(pairs, 18); }
  [[nodiscard]] bool one_width() const { return (widths & (widths - 1)) == 0; }
  /// There is a register of whether the whole sum is negated.
  [[nodiscard]] bool negated() const { return planes == 1 || widths & 8; }
};

/// A number in registers: of each bit how many in a row have done nothing but keep it.
using Number = std::vector<int>;

/// Counts adders and registers. Three registers in a row, or more, are a shift register in a LUT.
class Adders {
public:
  /// lower + upper * 2^shift; the bits below are kept if the shift and signs are always the same.
  Number add(const Number& lower, const Number& upper, int shift, int bits, bool keeps) {
    const int kept = keeps ? shift : 0;
    Number sum(static_cast<std::size_t>(bits), 1);
    for (std::size_t bit = 0; bit < lower.size(); ++bit)
      if (bit < static_cast<std::size_t>(kept))
        sum[bit] = lower[bit] + 1;
      else
        end(lower[bit]);
    end(upper);
    luts += bits - kept;
    ff += bits;
    return sum;
  }
  Number wait(Number number, int cycles) {
    for (int& age : number)
      age += cycles;
    ff += cycles * static_cast<int>(number.size());
    return number;
  }
  void end(const Number& number) {
    for (const int age : number)
      end(age);
  }

  int luts = 0, ff = 0, shift_registers = 0;

private:
  void end(int age) {
    if (age < 3)
      return;
    ++shift_registers;
    ff -= age;
  }
};

// The tree of a position's counts of 18 pairs each.
Number count_of(Adders& adders, const Shape& shape) {
  Number first(5, 1);
  first[0] = 2; // a lone bit of the six counts before
  std::vector<Number> terms(static_cast<std::size_t>(shape.groups()), first);
  while (terms.size() > 1) {
    std::vector<Number> sums;
    for (std::size_t i = 0; i < terms.size(); i += 2)
      if (i + 1 < terms.size())
        sums.push_back(adders.add(terms[i], terms[i + 1], 0, static_cast<int>(terms[i].size()) + 1, true));
      else
        sums.push_back(adders.wait(terms[i], 1));
    terms = std::move(sums);
  }
  return terms[0];
}

} // namespace

Resources plane_product_resources(int bytes, int planes, int widths) {
  // Fitted: of a position's pairs, up to counts of 18, and what widths cost that meet in an adder.
  constexpr double per_pair = 1.1, position = 1, pair_ff = 1.3, position_ff = 2.5, widths_meet = 0.1;

  const Shape shape(bytes, planes, widths);
  Adders joins, rest; // of widths; planes, and counts
  std::vector<Number> products;
  for (int u = 0; u < planes; ++u) {
    std::vector<Number> terms;
    for (int m = 0; m < shape.widest; ++m)
      terms.push_back(count_of(rest, shape));
    for (int level = 0; level < shape.levels; ++level) {
      const int bits = level + 1 == shape.levels
                           ? shape.product_bits
                           : 1 + address_bits(((1 << (2 << level)) - 1) * shape.pairs + 1);
      std::vector<Number> sums;
      for (std::size_t j = 0; j + 1 < terms.size(); j += 2)
        sums.push_back(joins.add(terms[j], terms[j + 1], 1 << level, bits, shape.one_width()));
      terms = std::move(sums);
    }
    products.push_back(terms[0]);
  }
  for (int level = 0, bits = shape.product_bits; level < shape.plane_levels; ++level) {
    bits += level == 0 ? 2 : 1 << level;
    std::vector<Number> sums;
    for (std::size_t j = 0; j + 1 < products.size(); j += 2) // the uppermost plane may be negative
      sums.push_back(
          rest.add(products[j], products[j + 1], 1 << level, bits, level > 0 || j + 2 < products.size()));
    products = std::move(sums);
  }
  const Number late = rest.wait(products[0], shape.spare);
  rest.end(late);
  const int counts = planes * shape.widest;
  Resources all;
  all.lut = static_cast<int>(counts * (per_pair * shape.pairs + position) +
                             joins.luts * (shape.one_width() ? 1 : 1 + widths_meet)) +
            rest.luts + (shape.negated() ? static_cast<int>(late.size()) : 0);
  all.ff = static_cast<int>(counts * (pair_ff * shape.pairs + position_ff)) + joins.ff + rest.ff;
  all.lut_ram = joins.shift_registers + rest.shift_registers;
  all.lut += all.lut_ram;
  return all;
}

Resources plane_product_control_resources(int bytes, int planes, int widths) {
  const Shape shape(bytes, planes, widths);
  Resources all{1, 0, 0, 0, 0, 1}; // whether the uppermost plane is negative, in a shift register
  if (shape.one_width())
    return all;
  // Two bits of a width, read by the levels and at the end; where three cycles lie between, in shift
  // registers.
  const int to_levels = shape.count_latency - 1,
            to_end = widths & 8 ? shape.latency - shape.count_latency - shape.levels + 1 : 0;
  for (const int cycles : {to_levels, to_end})
    if (cycles >= 3)
      all += {2, 0, 0, 0, 0, 2};
    else
      all.ff += 2 * cycles;
  constexpr int signs = 4, decoding = 6;
  all += {decoding, 2 * shape.levels + shape.levels + signs + 1};
  return all;
}

Resources product_triple_resources(int bytes) {
  constexpr int outputs = 3, first_bits = 9;
  // Of two weights' signs; of a chain what waits for its DSPs, and what of it is a shift register.
  constexpr int signs = 2, waiting = 59, shift_registers = 7;
  const int chains = bytes / 2;
  Resources all{2 * bytes * signs + shift_registers * chains,
                waiting * chains,
                2 * bytes,
                0,
                0,
                shift_registers * chains};
  for (int adders = chains / 2, bits = first_bits; adders > 0; adders /= 2, ++bits)
    all += outputs * adders * Resources{bits, bits + 1};
  return all;
}

} // namespace deltatwin
