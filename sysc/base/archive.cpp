#include "base/archive.h"
#include <boost/crc.hpp>
#include <cstdint>

namespace deltatwin {
namespace {

std::uint32_t checksum(const char* data, std::size_t size) {
  boost::crc_32_type crc;
  crc.process_bytes(data, size);
  return crc.checksum();
}

} // namespace

std::string state_owner(const std::string& module,
                        const std::vector<std::pair<std::string, int>>& parameters) {
  std::string owner = module;
  for (const auto& [name, value] : parameters)
    owner += " " + name + "=" + std::to_string(value);
  return owner;
}

std::string Saver::finish() && {
  const std::uint32_t sum = checksum(saved_.data(), saved_.size());
  bytes(&sum, sizeof sum);
  return std::move(saved_);
}

Restorer::Restorer(const std::string& saved, const std::string& owner)
    : saved_(saved), at_(saved.find('\n') + 1) {
  std::uint32_t sum = 0;
  if (at_ == 0 || saved.size() - at_ < sizeof sum)
    throw InputError("the saved state is damaged");
  const std::size_t size = saved.size() - sizeof sum;
  std::memcpy(&sum, saved.data() + size, sizeof sum);
  if (sum != checksum(saved.data(), size))
    throw InputError("the saved state is damaged");
  if (const std::string found = saved.substr(0, at_ - 1); found != owner)
    throw InputError("the saved state is of " + found + ", not of " + owner);
}

} // namespace deltatwin
