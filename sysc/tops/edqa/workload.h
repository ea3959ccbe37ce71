#pragma once
#include "tops/edqa/calibration.h"
#include "tops/family.h"

namespace deltatwin {

/// Writes a program: registers, tables, books.
void load_edqa_program(Session& session, const EdqaConfig& config, const EdqaProgram& program);
/// TDATA's bytes of a stream of channels, and TLAST.
void add_edqa_channels(HostAction& stream, const EdqaConfig& config, const EdqaChannels& channels,
                       std::size_t first, std::size_t count);
/// Channels like those behind a convolution, made up by a seed: values are like the ones above and as often
/// small as not, unsigned ones behind a ReLU. The first group is as large as can be, the others of any size.
[[nodiscard]] EdqaChannels made_up_channels(const EdqaConfig& config, const EdqaSettings& settings,
                                            int groups, std::uint64_t seed);

/// Channels from CSV: a line each, numbers with commas between; with several lanes, lines that come together
/// have one size. Of more than `most` groups the first; 0: all. Throws InputError, which names the line of
/// `file`.
[[nodiscard]] EdqaChannels read_channels(const EdqaConfig& config, const std::string& text,
                                         const std::string& file, int most = 0);

/// Groups of channels, one behind the other.
class EdqaWorkload : public Workload {
public:
  EdqaWorkload(const EdqaConfig& config, const EdqaSettings& settings, EdqaChannels channels);

  [[nodiscard]] std::string unit() const override { return config_.channels == 1 ? "channel" : "group"; }
  [[nodiscard]] int items() const override { return static_cast<int>(channels_.groups.size()); }
  void load(Session& session) const override;
  void run(Session& session, int first, int count) const override;
  [[nodiscard]] Cycle cycles(const RunRecord& record) const override;
  [[nodiscard]] std::string operation() const override { return "value"; }
  [[nodiscard]] double operations(int count) const override;
  [[nodiscard]] std::vector<std::uint8_t> expected(int first, int count) const override;
  [[nodiscard]] std::vector<Fact> facts(const std::vector<std::uint8_t>& outputs) const override;
  [[nodiscard]] std::optional<std::string> csv(const std::vector<std::uint8_t>& bytes) const override;

private:
  EdqaConfig config_;
  EdqaChannels channels_;
  EdqaProgram program_;
};

} // namespace deltatwin
