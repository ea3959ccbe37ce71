#include "tops/noisyquant/workload.h"
#include <algorithm>
#include <random>

namespace deltatwin {

NoisyQuantWorkload::NoisyQuantWorkload(const NoisyQuantConfig& config, NoisyQuantMode mode, int channels,
                                       std::uint64_t seed)
    : config_(config), mode_(mode) {
  std::mt19937_64 random(seed);
  const int top = (1 << (config.data_bits - 1)) - 1;
  for (int i = 0; i < channels; ++i) {
    std::vector<std::int16_t>& channel = channels_.emplace_back();
    channel.resize(NoisyQuantTiming{config, config.max_width}.values());
    const bool rectified = random() % 2 != 0;
    const auto spread = static_cast<std::int64_t>(1 + random() % static_cast<std::uint64_t>(top));
    for (std::int16_t& value : channel) {
      std::int64_t sum = 0; // of four: almost normal
      for (int part = 0; part < 4; ++part)
        sum += static_cast<std::int64_t>(random() % 65536) - 32768;
      const std::int64_t scaled = sum * spread / (4 * 32768);
      value = static_cast<std::int16_t>(rectified ? std::max<std::int64_t>(scaled, 0) : scaled);
    }
  }
  if (mode == NoisyQuantMode::offline && channels > 0)
    calibrated_ = noisy_search(config.quantizer(), config.max_width, channels_[0].data());
}

void NoisyQuantWorkload::run(Session& session, int first, int count) const {
  session.write(noisyquant_reg::channels, static_cast<std::uint32_t>(count));
  session.write(noisyquant_reg::width, static_cast<std::uint32_t>(config_.max_width));
  session.write(noisyquant_reg::mode, static_cast<std::uint32_t>(mode_));
  if (mode_ == NoisyQuantMode::offline) {
    session.write(noisyquant_reg::step, static_cast<std::uint32_t>(calibrated_.step()));
    session.write(noisyquant_reg::offset, static_cast<std::uint32_t>(calibrated_.offset()));
  }
  session.write(noisyquant_reg::control, noisyquant_start);
  HostAction& stream = session.add(HostAction::stream);
  for (int i = first; i < first + count; ++i) {
    for (const std::int16_t value : channels_[static_cast<std::size_t>(i)]) {
      stream.values.push_back(static_cast<std::uint8_t>(value));
      stream.values.push_back(static_cast<std::uint8_t>(value >> 8));
    }
    stream.tlast.resize(stream.values.size() / 2);
    stream.tlast.back() = 1;
  }
  session.add(HostAction::wait_stop);
  for (const std::uint32_t address : {noisyquant_reg::status, noisyquant_reg::done})
    session.read(address);
  for (int i = 0; i < std::min(count, static_cast<int>(noisyquant_found)); ++i)
    session.read(noisyquant_reg::found + 4 * static_cast<std::uint32_t>(i));
  session.read(noisyquant_reg::cycles);
}

Cycle NoisyQuantWorkload::cycles(const RunRecord& record) const {
  return record.reads.empty() ? 0 : record.reads.back();
}

double NoisyQuantWorkload::operations(int count) const {
  return static_cast<double>(count) * config_.max_width * config_.max_width;
}

std::vector<std::uint8_t> NoisyQuantWorkload::expected(int first, int count) const {
  std::vector<std::uint8_t> bytes;
  for (int i = first; i < first + count; ++i) {
    const std::vector<std::int16_t>& channel = channels_[static_cast<std::size_t>(i)];
    const NoisyChoice choice = mode_ == NoisyQuantMode::offline
                                   ? calibrated_
                                   : noisy_search(config_.quantizer(), config_.max_width, channel.data());
    std::vector<std::uint32_t> words(channel.size());
    noisy_words(config_.quantizer(), channel.data(), channel.size(), choice.step(), choice.offset(),
                words.data());
    for (const std::uint32_t word : words)
      for (const int shift : {0, 8, 16, 24})
        bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return bytes;
}

} // namespace deltatwin
