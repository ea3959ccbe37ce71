#pragma once
#include "blocks/noisy_search.h"
#include "tops/family.h"
#include "tops/noisyquant/config.h"

namespace deltatwin {

/// Channels of the largest width, made up by a seed: what stands behind a ReLU, half of it zeros, or of
/// both signs, each of a spread of its own. Offline, step and offset are what the first one asks for.
class NoisyQuantWorkload : public Workload {
public:
  NoisyQuantWorkload(const NoisyQuantConfig& config, NoisyQuantMode mode, int channels, std::uint64_t seed);

  [[nodiscard]] std::string unit() const override { return "channel"; }
  [[nodiscard]] int items() const override { return static_cast<int>(channels_.size()); }
  void load(Session&) const override {} // there is nothing to load
  void run(Session& session, int first, int count) const override;
  [[nodiscard]] Cycle cycles(const RunRecord& record) const override;
  [[nodiscard]] std::string operation() const override { return "value"; }
  [[nodiscard]] double operations(int count) const override;
  [[nodiscard]] std::vector<std::uint8_t> expected(int first, int count) const override;

private:
  NoisyQuantConfig config_;
  NoisyQuantMode mode_;
  std::vector<std::vector<std::int16_t>> channels_;
  NoisyChoice calibrated_;
};

} // namespace deltatwin
