#include "cosim/twins.h"
#include "base/archive.h"
#include "cosim/end_state.h"
#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace deltatwin {

Twins::Twins(const Top& top, double stall, std::uint64_t seed,
             const std::function<void(const std::string&)>& message, RtlSource source)
    : ports_(top), registers_(top.registers()), clock_mhz_(top.clock_mhz()), source_(std::move(source)),
      message_(message), stall_(stall), seed_(seed), model_(top.model()), ahead_(ports_.interfaces.size()) {
  const auto write_only = [](const Register& described) { return described.access == Register::write_only; };
  registers_.erase(std::remove_if(registers_.begin(), registers_.end(), write_only), registers_.end());
  source_.top = top.module();
  source_.parameters = top.parameters();
  source_.reset_seed = seed;
  rtl_ = std::make_unique<RtlModel>(source_, message);
}

CosimResult Twins::run(const std::function<void(Session&)>& fill,
                       const std::function<void(Cycle, Cycle)>& progress) {
  Session session;
  session.stall = stall_;
  session.seed = seed_;
  if (end_ == 0)
    session.add(HostAction::hard_reset).cycles = 3;
  else if (!history_.empty())
    history_.back().trace.beats = BeatTrace(ports_.interfaces.size());
  fill(session);
  for (const Register& described : registers_) // the end state
    session.read(described.address);
  history_.push_back({std::move(session), SessionTrace(ports_.interfaces.size())});
  Past& now = history_.back();
  now.trace.beats = std::exchange(ahead_, BeatTrace(ports_.interfaces.size()));
  const Cycle begin = end_;
  run_model(now.session, ports_, *model_, now.trace, begin);
  const auto report = [&](Cycle done) { progress(done - begin, now.trace.end - begin); };
  end_ = now.trace.end;
  ahead_ = now.trace.beats.split_off(end_);
  CosimResult result =
      run_rtl(now.session, ports_, *rtl_, now.trace, progress ? report : std::function<void(Cycle)>{});
  std::vector<std::uint32_t>&reads = now.trace.record.reads, &rtl_reads = result.record.reads;
  reads.resize(reads.size() - registers_.size());
  rtl_reads.resize(std::min(rtl_reads.size(), reads.size()));
  if (!result.divergence && model_->stop_cycle() <= now.trace.end) // nothing runs any more
    result.divergence = compare_memories(model_->memories(), *rtl_, now.trace.end);
  return result;
}

std::string Twins::owner() const {
  return state_owner(source_.top, source_.parameters) + ", stalls " + std::to_string(stall_) + ", seed " +
         std::to_string(seed_);
}

std::string Twins::save() {
  Saver saver(owner());
  std::string model = model_->save(), rtl = rtl_->save();
  saver(end_, ahead_.beats, model, rtl);
  return std::move(saver).finish();
}

void Twins::restore(const std::string& state) {
  Restorer restorer(state, owner());
  std::string model, rtl;
  restorer(end_, ahead_.beats, model, rtl);
  model_->restore(model);
  rtl_->restore(rtl);
  history_.clear();
}

void Twins::write_waves(const std::string& path, WaveWindow window, const std::vector<WaveNote>& notes) {
  if (history_.empty() || history_.front().trace.begin > 0)
    throw std::logic_error("what was restored has no waves");
  const SessionTrace& last = history_.back().trace;
  window.first = std::max(window.first, last.begin);
  window.last = std::min(window.last, last.end - 1);
  window.period_ps = static_cast<std::uint64_t>(1e6 / clock_mhz_ + 0.5);
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
      replay_rtl(past.session, ports_, rtl, past.trace, rtl_vcd, window);
    rtl.close_trace();
  }
  write_beats_vcd(model_vcd, source_.top, ports_.interfaces, last.beats, window, notes);
  merge_vcds(model_vcd, rtl_vcd, path);
}

} // namespace deltatwin
