#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// A field of a register.
struct RegisterField {
  std::string name; ///< "layer"
  int width, lsb;
  std::vector<std::string> values{}; ///< what its values 0, 1, .. are called; empty: numbers
};

/// A 32-bit register of an AXI4-Lite port, as hosts and reports call it.
struct Register {
  std::uint32_t address; ///< in bytes
  std::string name;      ///< "STATUS"
  enum Access { read_only, write_only, read_write } access;
  std::vector<RegisterField> fields{}; ///< empty: a number
};

/// Which one is at an address: "STATUS", "no register".
[[nodiscard]] std::string register_name(const std::vector<Register>& registers, std::uint32_t address);
/// And what a value of it says: "STATUS: status=running, error=none, layer=2", "BLOCKS: 5".
[[nodiscard]] std::string register_text(const std::vector<Register>& registers, std::uint32_t address,
                                        std::uint32_t value);

} // namespace deltatwin
