#include "cosim/rtl_runner.h"
#include <numeric>

namespace deltatwin {

RtlRunner::RtlRunner(const Top& top, RtlModel& rtl) : rtl_(rtl), lite_(rtl, top.buses().front().prefix) {
  for (const Bus& bus : top.buses())
    if (bus.kind == Bus::stream_in)
      sources_.emplace_back(rtl, bus);
    else if (bus.kind == Bus::stream_out)
      sinks_.emplace_back(rtl, bus);
  outputs_.resize(sinks_.size());
  for (AxiStreamSink& sink : sinks_)
    sink.drive(true);
  rtl.signal("rst_ni").set(0);
  step();
  rtl.signal("rst_ni").set(1);
}

void RtlRunner::step() {
  if (lite_driven_) { // its pins rest while nothing is outstanding
    lite_.drive(cycle_);
    lite_driven_ = !lite_.idle();
  }
  for (AxiStreamSource& source : sources_)
    source.drive(cycle_);
  rtl_.settle();
  if (lite_driven_)
    lite_.sample(cycle_);
  for (AxiStreamSource& source : sources_)
    source.sample(cycle_);
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    if (sinks_[i].valid())
      sinks_[i].append_to(outputs_[i]);
  rtl_.edge();
  ++cycle_;
}

void RtlRunner::wait_for_response() {
  constexpr Cycle patience = 10'000;
  for (const Cycle end = cycle_ + patience; !lite_.idle(); step())
    if (cycle_ >= end)
      throw RtlStuck("the RTL does not answer; `deltatwin cosim` tells where it differs");
}

void RtlRunner::wait_for_bytes(std::size_t bytes, Cycle at_most) {
  const Cycle end = cycle_ + at_most;
  const auto arrived = [&] {
    return std::accumulate(outputs_.begin(), outputs_.end(), std::size_t{0},
                           [](std::size_t sum, const auto& each) { return sum + each.size(); });
  };
  while (arrived() < bytes) {
    if (cycle_ >= end)
      throw RtlStuck("the RTL does not finish; `deltatwin cosim` tells where it differs");
    step();
  }
}

std::vector<std::uint8_t> RtlRunner::run(const Session& session, std::size_t bytes, Cycle at_most) {
  for (auto& output : outputs_)
    output.clear();
  for (const HostAction& action : session.actions) {
    const AxiLitePins::Access access{
        action.address, action.data, action.strobe, action.protection, cycle_, 0, 0};
    switch (action.kind) {
    case HostAction::write:
    case HostAction::read:
      action.kind == HostAction::write ? lite_.write(access) : lite_.read(access);
      lite_driven_ = true;
      if (!action.posted)
        wait_for_response();
      break;
    case HostAction::stream:
      sources_.at(action.port).send({action.values.data(), action.tlast.size(), action.tlast.data()}, cycle_);
      break;
    case HostAction::flush:
      sources_.at(action.port).flush();
      break;
    case HostAction::wait:
      for (const Cycle end = cycle_ + action.cycles; cycle_ < end;)
        step();
      break;
    case HostAction::wait_stop:
      wait_for_bytes(bytes, at_most);
      break;
    case HostAction::hard_reset:
      lite_.reset();
      rtl_.signal("rst_ni").set(0);
      step();
      rtl_.signal("rst_ni").set(1);
      break;
    }
  }
  std::vector<std::uint8_t> all;
  for (const auto& output : outputs_)
    all.insert(all.end(), output.begin(), output.end());
  return all;
}

} // namespace deltatwin
