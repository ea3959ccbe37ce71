#pragma once
#include "cosim/session.h"
#include <functional>
#include <memory>
#include <vector>

namespace deltatwin {

/// The model and the RTL of one design, side by side.
///
///     Twins twins(AcceleratorTop(design), 0.2, seed);   // random stalls at every port
///     const CosimResult result = twins.run([&](Session& session) {
///       load_program(session, program);
///       run_images(session, inputs, images);
///     });
class Twins {
public:
  /// `source` may name other RTL than the project's; top and parameters are set here. By `seed` come
  /// the stalls, and what the RTL's state is before its first reset.
  Twins(const Top& top, double stall, std::uint64_t seed,
        const std::function<void(const std::string&)>& message = {}, RtlSource source = {});

  /// Runs what `fill` puts into a session on both twins, after what they ran before. At the end all
  /// registers are read, and where nothing runs then, the memories are compared too.
  CosimResult run(const std::function<void(Session&)>& fill,
                  const std::function<void(Cycle done, Cycle all)>& progress = {});

  /// Both twins as they are at the end of the latest session, in mid-run too; needs RtlSource::savable. Twins
  /// of the same top and stalls go on from there; restore() throws InputError for others'.
  [[nodiscard]] std::string save();
  void restore(const std::string& state);

  /// Writes both twins' waves of a window of the latest session to `path` (VCD), `notes` beside the model's.
  /// What was restored has none.
  void write_waves(const std::string& path, WaveWindow window, const std::vector<WaveNote>& notes = {});

  [[nodiscard]] const std::vector<Interface>& interfaces() const { return ports_.interfaces; }
  [[nodiscard]] TopModel& model() { return *model_; }
  /// Of the latest session.
  [[nodiscard]] const SessionTrace& trace() const { return history_.back().trace; }

private:
  struct Past {
    Session session;
    SessionTrace trace; ///< the latest one's beats only
  };

  [[nodiscard]] std::string owner() const;

  TopPorts ports_;
  std::vector<Register> registers_; ///< that can be read
  double clock_mhz_;
  RtlSource source_;
  std::function<void(const std::string&)> message_;
  double stall_;
  std::uint64_t seed_;
  std::unique_ptr<TopModel> model_;
  std::unique_ptr<RtlModel> rtl_;
  std::vector<Past> history_;
  BeatTrace ahead_; ///< what the model has computed beyond the latest session
  Cycle end_ = 0;   ///< of the latest session; 0: there was none
};

} // namespace deltatwin
