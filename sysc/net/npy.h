#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// An array of NumPy's file format, as its numbers lie in the file.
struct NpyArray {
  enum class Kind { signed_integer, unsigned_integer, real };
  Kind kind = Kind::signed_integer;
  std::size_t bytes = 1; ///< of a number: 1, 2, 4, 8
  std::vector<std::uint64_t> shape;
  std::string data; ///< little-endian, the last dimension first

  [[nodiscard]] std::uint64_t elements() const;
  [[nodiscard]] std::int64_t integer(std::size_t index) const; ///< of an integer kind
  [[nodiscard]] double real(std::size_t index) const;          ///< of kind real
};

[[nodiscard]] bool is_npy(const std::string& text);
/// Throws InputError that names `origin` on anything but a whole file of integers or floats in C order.
[[nodiscard]] NpyArray parse_npy(const std::string& text, const std::string& origin);
[[nodiscard]] std::string npy_text(const NpyArray& array);

} // namespace deltatwin
