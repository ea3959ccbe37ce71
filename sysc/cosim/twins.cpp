#include "cosim/twins.h"
#include <filesystem>

namespace deltatwin {
namespace {

Session paced(double stall, std::uint64_t seed) {
  Session session;
  session.stall = stall;
  session.seed = seed;
  return session;
}

} // namespace

Twins::Twins(const Design& design, double stall, std::uint64_t seed,
             const std::function<void(const std::string&)>& message, RtlSource source)
    : design_(design), source_(std::move(source)), message_(message), stall_(stall), seed_(seed),
      interfaces_(AcceleratorCore::interfaces(design)),
      model_(design, SessionPacers(paced(stall, seed)).sink) {
  source_.top = "accelerator";
  source_.parameters = design.parameters();
  rtl_ = std::make_unique<RtlModel>(source_, message);
}

CosimResult Twins::run(const std::function<void(Session&)>& fill,
                       const std::function<void(Cycle, Cycle)>& progress) {
  Session session = paced(stall_, seed_);
  Cycle begin = 0;
  if (history_.empty()) {
    HostAction reset;
    reset.kind = HostAction::hard_reset;
    reset.cycles = 3;
    session.actions.push_back(reset);
  } else {
    begin = history_.back().trace.end;
    history_.back().trace.beats = BeatTrace(interfaces_.size());
  }
  fill(session);
  history_.push_back({std::move(session), SessionTrace(design_)});
  Past& now = history_.back();
  run_model(now.session, model_, now.trace, begin);
  const auto report = [&](Cycle done) { progress(done - begin, now.trace.end - begin); };
  return run_rtl(now.session, *rtl_, interfaces_, now.trace,
                 progress ? report : std::function<void(Cycle)>{});
}

void Twins::write_waves(const std::string& path, WaveWindow window) {
  const SessionTrace& last = history_.back().trace;
  window.first = std::max(window.first, last.begin);
  window.last = std::min(window.last, last.end - 1);
  window.period_ps = static_cast<std::uint64_t>(1e6 / design_.clock_mhz + 0.5);
  const std::string model_vcd = path + ".model", rtl_vcd = path + ".rtl";
  struct Cleaner {
    const std::string &a, &b;
    ~Cleaner() {
      std::error_code error;
      std::filesystem::remove(a, error);
      std::filesystem::remove(b, error);
    }
  } const cleaner{model_vcd, rtl_vcd};
  RtlSource traced = source_;
  traced.trace = true;
  {
    RtlModel rtl(traced, message_);
    for (const Past& past : history_)
      replay_rtl(past.session, rtl, past.trace, rtl_vcd, window);
    rtl.close_trace();
  }
  write_beats_vcd(model_vcd, "accelerator", interfaces_, last.beats, window);
  merge_vcds(model_vcd, rtl_vcd, path);
}

} // namespace deltatwin
