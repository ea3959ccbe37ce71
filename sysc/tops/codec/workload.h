#pragma once
#include "tops/codec/config.h"
#include "tops/family.h"

namespace deltatwin {

/// Blocks of symbols, made up by a seed: the first one is the longest that the codec takes, the others
/// are of any length, each with a few frequent symbols.
class CodecWorkload : public Workload {
public:
  CodecWorkload(const CodecConfig& config, int blocks, std::uint64_t seed);

  [[nodiscard]] std::string unit() const override { return "block"; }
  [[nodiscard]] int items() const override { return static_cast<int>(blocks_.size()); }
  void load(Session&) const override {} // there is nothing to load
  void run(Session& session, int first, int count) const override;
  [[nodiscard]] Cycle cycles(const RunRecord& record) const override;
  [[nodiscard]] std::string operation() const override { return "symbol"; }
  [[nodiscard]] double operations(int count) const override;
  [[nodiscard]] std::vector<std::uint8_t> expected(int first, int count) const override;

private:
  CodecConfig config_;
  std::vector<std::vector<std::uint8_t>> blocks_;
};

} // namespace deltatwin
