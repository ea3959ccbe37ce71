#include "blocks/line_buffer.h"
#include "blocks/weight_bank.h"
#include <algorithm>

namespace deltatwin {

void LineBufferCore::write(unsigned parts, int bank, int address, const std::int8_t* data) {
  if (address >= config_.depth)
    return;
  std::int8_t* const word = bytes_.data() + offset(bank, address);
  for (int bit = config_.lost(); bit < 8 * config_.channels; ++bit)
    if (parts >> (bit / config_.part_bits) & 1) {
      const auto mask = static_cast<std::int8_t>(1 << bit % 8);
      word[bit / 8] = static_cast<std::int8_t>((word[bit / 8] & ~mask) | (data[bit / 8] & mask));
    }
}

void LineBufferCore::read(int bank, const Read* lanes, std::int8_t zero, std::int8_t* window) const {
  for (int lane = 0; lane < config_.banks; ++lane, window += config_.channels) {
    const Read& read = lanes[lane];
    if (read.pad || read.address >= config_.depth)
      std::fill_n(window, config_.channels, read.pad ? zero : std::int8_t{0});
    else
      std::copy_n(bytes_.data() + offset((bank + lane) % config_.banks, read.address), config_.channels,
                  window);
  }
}

// Of banks, of the words' registers and the window's, of the addresses' register. Fitted: LUTs of a bit of
// multiplexers, of an address among lanes, of a word among banks and the zero point; and what is left, of
// the lanes' choices.
Resources line_buffer_resources(const LineBufferConfig& config) {
  constexpr int address_luts[] = {0, 1, 1, 1, 2, 2, 2}, word_luts[] = {1, 1, 1, 2, 2, 3, 3};
  const int banks = config.banks, address = address_bits(config.depth);
  const int window = banks * (8 * config.channels - config.lost());
  const int beyond = address < 16 ? 2 * banks : 0;
  const int width = config.part_bits - config.lost();
  Resources buffer = banks * config.parts() *
                     (config.block ? weight_bank_resources({width, config.depth, 2, config.depth > 64})
                                   : distributed_ram_resources(width, config.depth));
  buffer.lut +=
      banks * address * address_luts[banks - 1] + window * word_luts[banks - 1] + 14 * banks * banks / 5 + 5;
  buffer.ff += 2 * window + banks * address + beyond + banks * (3 + address_bits(banks + 1)) +
               2 * std::max(1, address_bits(banks)) + 3;
  if (config.lost() > 0) { // of zeros alone, the same for all bytes
    buffer.lut += banks * 8;
    buffer.ff += banks * 8;
  }
  constexpr int zero_bits = 8; // in shift registers
  buffer.lut += zero_bits;
  buffer.lut_ram += zero_bits;
  return buffer;
}

} // namespace deltatwin
