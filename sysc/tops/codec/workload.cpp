#include "tops/codec/workload.h"
#include "base/huffman.h"
#include <algorithm>
#include <array>
#include <random>

namespace deltatwin {

namespace {

// What the codec does with a block, but for time: appends what it reads back from the words.
void code(const CodecConfig& config, const std::vector<std::uint8_t>& block, std::vector<std::uint8_t>& out) {
  std::vector<std::uint64_t> histogram(static_cast<std::size_t>(config.symbols));
  for (const std::uint8_t symbol : block)
    ++histogram[symbol];
  const std::vector<int> lengths = huffman_lengths(histogram, config.limit);
  const std::vector<unsigned> codes = canonical_codes(lengths);
  std::vector<std::uint64_t> words;
  BitPacker packer;
  for (const std::uint8_t symbol : block)
    if (const auto word = packer.put(codes[symbol], lengths[symbol]))
      words.push_back(*word);
  words.push_back(packer.flush());

  std::array<std::uint8_t, 1 << max_code_length> symbol_of{}; // by what the next bits are
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    const int free = max_code_length - lengths[symbol];
    if (lengths[symbol])
      std::fill_n(symbol_of.begin() + (codes[symbol] << free), std::size_t{1} << free,
                  static_cast<std::uint8_t>(symbol));
  }
  std::uint64_t window = 0; // left-aligned
  int bits = 0;
  std::size_t word = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (bits < max_code_length && word < words.size()) {
      window |= words[word++] << (64 - stream_word_bits - bits);
      bits += stream_word_bits;
    }
    const std::uint8_t symbol = symbol_of[window >> (64 - max_code_length)];
    window <<= lengths[symbol];
    bits -= lengths[symbol];
    out.push_back(symbol);
  }
}

} // namespace

CodecWorkload::CodecWorkload(const CodecConfig& config, int blocks, std::uint64_t seed) : config_(config) {
  std::mt19937_64 random(seed);
  const auto below = [&](int bound) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(bound));
  };
  for (int i = 0; i < blocks; ++i) {
    std::vector<std::uint8_t>& block = blocks_.emplace_back();
    block.resize(static_cast<std::size_t>(i ? 1 + below(config.depth) : config.depth));
    const int offset = below(config.symbols);
    for (std::uint8_t& symbol : block) { // each as likely as the two before it together, or so
      int rank = 0;
      while (rank + 1 < config.symbols && below(3) == 0)
        ++rank;
      symbol = static_cast<std::uint8_t>((offset + rank) % config.symbols);
    }
  }
}

void CodecWorkload::run(Session& session, int first, int count) const {
  session.read(codec_reg::cycles);
  HostAction& stream = session.add(HostAction::stream);
  for (int i = first; i < first + count; ++i) {
    const std::vector<std::uint8_t>& block = blocks_[static_cast<std::size_t>(i)];
    stream.values.insert(stream.values.end(), block.begin(), block.end());
    stream.tlast.resize(stream.values.size());
    stream.tlast.back() = 1;
  }
  session.add(HostAction::wait_stop);
  for (const std::uint32_t address : {codec_reg::status, codec_reg::blocks})
    session.read(address);
  for (int i = 0; i < std::min(count, static_cast<int>(codec_sizes)); ++i)
    session.read(codec_reg::sizes + 4 * static_cast<std::uint32_t>(i));
  session.read(codec_reg::cycles);
}

Cycle CodecWorkload::cycles(const RunRecord& record) const {
  return record.reads.size() < 2 ? 0 : static_cast<std::uint32_t>(record.reads.back() - record.reads.front());
}

double CodecWorkload::operations(int count) const {
  double symbols = 0;
  for (int i = 0; i < count; ++i)
    symbols += static_cast<double>(blocks_[static_cast<std::size_t>(i)].size());
  return symbols;
}

std::vector<std::uint8_t> CodecWorkload::expected(int first, int count) const {
  std::vector<std::uint8_t> symbols;
  for (int i = first; i < first + count; ++i)
    code(config_, blocks_[static_cast<std::size_t>(i)], symbols);
  return symbols;
}

} // namespace deltatwin
