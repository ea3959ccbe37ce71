#include "base/register.h"
#include <algorithm>

namespace deltatwin {
namespace {

const Register* find(const std::vector<Register>& registers, std::uint32_t address) {
  const auto found = std::find_if(registers.begin(), registers.end(),
                                  [=](const Register& each) { return each.address == address; });
  return found == registers.end() ? nullptr : &*found;
}

} // namespace

std::string register_name(const std::vector<Register>& registers, std::uint32_t address) {
  const Register* found = find(registers, address);
  return found ? found->name : "no register";
}

std::string register_text(const std::vector<Register>& registers, std::uint32_t address,
                          std::uint32_t value) {
  const Register* found = find(registers, address);
  if (!found)
    return register_name(registers, address);
  if (found->fields.empty())
    return found->name + ": " + std::to_string(value);
  std::string text = found->name;
  const char* separator = ": ";
  for (const RegisterField& field : found->fields) {
    const std::uint64_t mask = (std::uint64_t{1} << field.width) - 1, bits = value >> field.lsb & mask;
    text += separator + field.name + "=" +
            (bits < field.values.size() ? field.values[bits] : std::to_string(bits));
    separator = ", ";
  }
  return text;
}

} // namespace deltatwin
