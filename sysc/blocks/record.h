#pragma once
#include "base/error.h"
#include <cstddef>
#include <cstdint>
#include <string>

namespace deltatwin {

/// A field of a record of 32-bit words.
struct RecordField {
  const char* name;
  std::size_t word;
  int lsb, width;
  bool is_signed = false;
};

/// Puts a record's fields into words; InputError names the one that does not fit, and what would.
template <class Words> struct RecordPacker {
  Words& words;
  /// `stored_more`: what is stored is the value and this.
  void operator()(const RecordField& field, std::int64_t value, int stored_more = 0) const {
    const std::int64_t size = std::int64_t{1} << field.width;
    const std::int64_t low = field.is_signed ? -size / 2 : 0, high = low + size - 1;
    const std::int64_t stored = value + stored_more;
    if (stored < low || stored > high)
      throw InputError(std::string(field.name) + " is " + std::to_string(value) + ", possible are " +
                       std::to_string(low - stored_more) + ".." + std::to_string(high - stored_more));
    words[field.word] |= static_cast<std::uint32_t>(stored & (size - 1)) << field.lsb;
  }
};

/// And takes them from there.
template <class Words> struct RecordUnpacker {
  const Words& words;
  void operator()(const RecordField& field, int& value, int stored_more = 0) const {
    const std::int64_t size = std::int64_t{1} << field.width;
    const std::int64_t bits = words[field.word] >> field.lsb & (size - 1);
    value = static_cast<int>(field.is_signed && bits >= size / 2 ? bits - size : bits) - stored_more;
  }
};

} // namespace deltatwin
