// A session's host in front of a top's RTL: each action begins when it began on the model.
#include "cosim/pins/axi_lite.h"
#include "cosim/pins/axi_stream.h"
#include "cosim/session.h"

namespace deltatwin {
namespace {

class RtlHost {
public:
  RtlHost(const Session& session, const TopPorts& ports, const SessionTrace& trace, const RtlModel& rtl)
      : session_(session), trace_(trace), pace_(session, ports.buses.size()), rst_ni_(rtl.signal("rst_ni")),
        address_mask_((std::uint32_t{1} << ports.buses.front().address_bits) - 1),
        lite_(rtl, ports.buses.front().prefix) {
    for (std::size_t bus = 1; bus < ports.buses.size(); ++bus)
      if (ports.buses[bus].kind == Bus::stream_in)
        sources_.push_back({AxiStreamSource(rtl, ports.buses[bus]), pace_.streams[bus]});
      else
        sinks_.push_back({AxiStreamSink(rtl, ports.buses[bus]), pace_.streams[bus]});
  }

  [[nodiscard]] const RunRecord& record() const { return record_; }
  [[nodiscard]] bool in_reset() const { return reset_left_ > 0; }

  void drive(Cycle cycle) {
    for (; action_ < session_.actions.size() && trace_.action_start[action_] <= cycle; ++action_)
      begin(session_.actions[action_], cycle);
    rst_ni_.set(!in_reset());
    lite_.drive(cycle, pace_.b.ready(cycle), pace_.r.ready(cycle));
    for (auto& [source, pacer] : sources_)
      source.drive(cycle, in_reset());
    for (auto& [sink, pacer] : sinks_)
      sink.drive(pacer.ready(cycle));
  }

  void sample(Cycle cycle) {
    if (in_reset()) {
      --reset_left_;
      return;
    }
    const AxiLitePins::Responses responses = lite_.sample(cycle);
    if (responses.r)
      record_.reads.push_back(responses.r->data);
    for (auto& [source, pacer] : sources_)
      source.sample(cycle);
    for (auto& [sink, pacer] : sinks_)
      if (sink.beat())
        record_.last_output = cycle;
  }

private:
  void begin(const HostAction& action, Cycle cycle) {
    const AxiLitePins::Access access{action.address & address_mask_,
                                     action.data,
                                     action.strobe,
                                     action.protection,
                                     cycle,
                                     action.kind == HostAction::read ? pace_.ar.gap(action_)
                                                                     : pace_.aw.gap(action_),
                                     pace_.w.gap(action_)};
    switch (action.kind) {
    case HostAction::write:
      lite_.write(access);
      break;
    case HostAction::read:
      lite_.read(access);
      break;
    case HostAction::stream: {
      auto& [source, pacer] = sources_.at(action.port);
      source.send({action.values.data(), action.tlast.size(), action.tlast.data(),
                   [pacer = pacer](std::uint64_t index) { return pacer.gap(index); }},
                  cycle);
      break;
    }
    case HostAction::flush:
      sources_.at(action.port).first.flush();
      break;
    case HostAction::hard_reset:
      reset_left_ = action.cycles;
      lite_.reset();
      break;
    case HostAction::wait:
    case HostAction::wait_stop:
      break;
    }
  }

  const Session& session_;
  const SessionTrace& trace_;
  SessionPacers pace_;
  const RtlSignal& rst_ni_;
  std::uint32_t address_mask_;
  AxiLitePins lite_;
  std::vector<std::pair<AxiStreamSource, Pacer>> sources_;
  std::vector<std::pair<AxiStreamSink, Pacer>> sinks_;
  std::size_t action_ = 0;
  Cycle reset_left_ = 0;
  RunRecord record_;
};

} // namespace

CosimResult run_rtl(const Session& session, const TopPorts& ports, RtlModel& rtl, const SessionTrace& trace,
                    const std::function<void(Cycle)>& progress) {
  RtlHost host(session, ports, trace, rtl);
  Lockstep lockstep(ports.interfaces, trace.beats, rtl, ports.registers);
  bool equal = true;
  for (Cycle cycle = trace.begin; cycle < trace.end && equal; ++cycle) {
    host.drive(cycle);
    rtl.settle();
    if (host.in_reset())
      lockstep.reset();
    else
      equal = lockstep.check(cycle);
    host.sample(cycle);
    rtl.edge();
    if (progress && cycle % 4096 == 0)
      progress(cycle);
  }
  lockstep.finish();
  return {lockstep.beats(), host.record(), lockstep.divergence(), lockstep.interface_beats()};
}

void replay_rtl(const Session& session, const TopPorts& ports, RtlModel& rtl, const SessionTrace& trace,
                const std::string& vcd, const WaveWindow& window) {
  RtlHost host(session, ports, trace, rtl);
  for (Cycle cycle = trace.begin; cycle < trace.end && cycle <= window.last; ++cycle) {
    if (cycle == window.first)
      rtl.open_trace(vcd, cycle, window.period_ps);
    host.drive(cycle);
    rtl.settle();
    host.sample(cycle);
    rtl.edge();
  }
}

} // namespace deltatwin
