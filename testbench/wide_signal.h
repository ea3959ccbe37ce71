#pragma once
#include "base/trace.h"
#include "cosim/rtl_library.h"
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// The bits of a signal of more than 64.
class WideValue {
public:
  explicit WideValue(int bits) : bits_(bits), words_(static_cast<std::size_t>((bits + 63) / 64)) {}
  template <class Byte>
  explicit WideValue(const std::vector<Byte>& bytes) : WideValue(8 * static_cast<int>(bytes.size())) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      put(static_cast<int>(8 * i), 8, static_cast<std::uint64_t>(bytes[i]));
  }

  void put(int lsb, int bits, std::uint64_t value) {
    for (int bit = 0; bit < bits; ++bit)
      words_[static_cast<std::size_t>((lsb + bit) / 64)] |= (value >> bit & 1) << (lsb + bit) % 64;
  }
  void drive(const RtlSignal& signal) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      signal.set_bits(static_cast<int>(64 * i), width(i), words_[i]);
  }

  /// Interfaces of one output of so many bits: a beat is one of each of them.
  static std::vector<Interface> interfaces(const std::string& signal, int bits,
                                           const std::vector<Field>& strobes) {
    std::vector<Interface> parts;
    const WideValue value(bits);
    for (std::size_t i = 0; i < value.words_.size(); ++i)
      parts.push_back(
          {"", signal + std::to_string(i), strobes, {{signal, value.width(i), static_cast<int>(64 * i)}}});
    return parts;
  }
  void add_to(BeatTrace& trace, Cycle cycle) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      trace.add(i, {cycle, words_[i], {}, cycle});
  }

private:
  [[nodiscard]] int width(std::size_t word) const {
    return std::min(64, bits_ - static_cast<int>(64 * word));
  }

  int bits_;
  std::vector<std::uint64_t> words_;
};

} // namespace deltatwin
