#include "tops/codec/workload.h"
#include <algorithm>
#include <random>

namespace deltatwin {

CodecWorkload::CodecWorkload(const CodecConfig& config, int blocks, std::uint64_t seed) {
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
  stream.values = expected(first, count);
  for (int i = first; i < first + count; ++i) {
    stream.tlast.resize(stream.tlast.size() + blocks_[static_cast<std::size_t>(i)].size());
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

// What comes out is what went in.
std::vector<std::uint8_t> CodecWorkload::expected(int first, int count) const {
  std::vector<std::uint8_t> symbols;
  for (int i = first; i < first + count; ++i) {
    const auto& block = blocks_[static_cast<std::size_t>(i)];
    symbols.insert(symbols.end(), block.begin(), block.end());
  }
  return symbols;
}

} // namespace deltatwin
