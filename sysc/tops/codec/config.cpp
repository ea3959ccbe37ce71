#include "tops/codec/config.h"
#include "base/error.h"
#include "base/huffman.h"
#include "base/resources.h"
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include "blocks/huffman_decoder.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {

int CodecConfig::symbol_bits() const { return address_bits(symbols); }
int CodecConfig::count_bits() const { return address_bits(depth + 1); }
int CodecConfig::fifo_depth() const { return 1 << address_bits(2 * depth); }
int CodecConfig::store_words() const { return ceil_div(depth * symbol_bits(), stream_word_bits); }

std::vector<std::pair<std::string, int>> CodecConfig::parameters() const {
  return {{"Symbols", symbols}, {"Limit", limit}, {"Depth", depth}};
}

std::string complaint(const CodecConfig& config) {
  std::string what;
  const auto range = [&what](const char* name, int value, int low, int high) {
    if (what.empty() && (value < low || value > high))
      what = std::string(name) + " is " + std::to_string(value) + ", possible are " + std::to_string(low) +
             ".." + std::to_string(high);
  };
  range("alphabet", config.symbols, 2, 32);
  range("code-length limit", config.limit, config.symbol_bits(), max_code_length);
  range("depth", config.depth, 1, 4096);
  if (what.empty() && !(config.clock_mhz >= 0.001 && config.clock_mhz <= 10000))
    what = "clock is " + std::to_string(config.clock_mhz) + " MHz, possible are 0.001 to 10000";
  return what;
}

void validate(const CodecConfig& config) {
  if (const std::string text = complaint(config); !text.empty())
    throw InputError(text);
}

std::vector<Register> codec_registers() {
  std::vector<Register> registers = {
      {codec_reg::id, "ID", Register::read_only},
      {codec_reg::control, "CONTROL", Register::write_only, {{"reset", 1, 1}}},
      {codec_reg::status,
       "STATUS",
       Register::read_only,
       {{"status", 2, 0, {"idle", "running", "2", "error"}}, {"error", 5, 8, {"none", "symbol", "length"}}}},
      {codec_reg::blocks, "BLOCKS", Register::read_only},
      {codec_reg::alphabet, "ALPHABET", Register::read_only},
      {codec_reg::limit, "LIMIT", Register::read_only},
      {codec_reg::depth, "DEPTH", Register::read_only},
      {codec_reg::cycles, "CYCLES", Register::read_only}};
  for (std::uint32_t i = 0; i < codec_sizes; ++i)
    registers.push_back({codec_reg::sizes + 4 * i, "SIZE[" + std::to_string(i) + "]", Register::read_only});
  return registers;
}

Cycle book_latency(const CodecConfig& config) {
  return 2 * static_cast<Cycle>(config.symbols) + BuilderTiming{config.symbols, config.limit}.error() +
         code_book_timing(config.symbol_bits()).build() + 1;
}

double steady_cycles(const CodecConfig& config, int length) {
  const double symbols = config.symbols, room = config.fifo_depth();
  const double builder =
      2 * symbols + static_cast<double>(BuilderTiming{config.symbols, config.limit}.error());
  const double book = symbols + static_cast<double>(code_book_timing(config.symbol_bits()).build()) + 1;
  const double decoder = length - 1 + static_cast<double>(HuffmanDecoderCore::restart_latency);
  double most = std::max({builder, book, decoder});
  // A symbol takes the place of the one `room` before it, `blocks` blocks ago, which waited for the
  // rest of its block, for its book, and for those before it in its block.
  const double wait = length + static_cast<double>(book_latency(config)) + 1;
  for (const double blocks : {std::floor(room / length), std::ceil(room / length)})
    most = std::max(most, length + (wait - room) / blocks);
  return most;
}

} // namespace deltatwin
