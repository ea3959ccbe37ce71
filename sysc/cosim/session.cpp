#include "cosim/session.h"
#include "base/error.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr Cycle settle_cycles = 64; ///< after the last action, for beats that should not come

HostAction access(HostAction::Kind kind, std::uint32_t address, std::uint32_t data = 0) {
  HostAction action;
  action.kind = kind;
  action.address = address;
  action.data = data;
  return action;
}

// The host in front of the RTL's pins: an AXI4-Lite master, a stream source and a stream sink.
class PinHost {
public:
  PinHost(const Session& session, const SessionTrace& trace, RtlModel& rtl)
      : session_(session), trace_(trace), pace_(session), rst_ni_(rtl.signal("rst_ni")),
        awaddr_(rtl.signal("s_axil_awaddr_i")), awvalid_(rtl.signal("s_axil_awvalid_i")),
        awready_(rtl.signal("s_axil_awready_o")), wdata_(rtl.signal("s_axil_wdata_i")),
        wstrb_(rtl.signal("s_axil_wstrb_i")), wvalid_(rtl.signal("s_axil_wvalid_i")),
        wready_(rtl.signal("s_axil_wready_o")), bvalid_(rtl.signal("s_axil_bvalid_o")),
        bready_(rtl.signal("s_axil_bready_i")), araddr_(rtl.signal("s_axil_araddr_i")),
        arvalid_(rtl.signal("s_axil_arvalid_i")), arready_(rtl.signal("s_axil_arready_o")),
        rdata_(rtl.signal("s_axil_rdata_o")), rvalid_(rtl.signal("s_axil_rvalid_o")),
        rready_(rtl.signal("s_axil_rready_i")), tdata_(rtl.signal("s_axis_tdata_i")),
        tlast_(rtl.signal("s_axis_tlast_i")), tvalid_(rtl.signal("s_axis_tvalid_i")),
        tready_(rtl.signal("s_axis_tready_o")), sink_ready_(rtl.signal("m_axis_tready_i")) {}

  [[nodiscard]] const std::vector<std::uint32_t>& reads() const { return reads_; }
  [[nodiscard]] bool in_reset() const { return rst_ni_.get(0, 1) == 0; }

  void drive(Cycle cycle) {
    begin_actions(cycle);
    const HostAction::Kind now = busy_ ? session_.actions[action_].kind : HostAction::wait;
    rst_ni_.set(now != HostAction::hard_reset);
    awvalid_.set(now == HostAction::write && !aw_done_ && cycle >= aw_from_);
    wvalid_.set(now == HostAction::write && !w_done_ && cycle >= w_from_);
    arvalid_.set(now == HostAction::read && !ar_done_ && cycle >= ar_from_);
    bready_.set(pace_.b.ready(cycle));
    rready_.set(pace_.r.ready(cycle));
    sink_ready_.set(pace_.sink.ready(cycle));
    const bool offer =
        stream_ && beat_ < stream_->values.size() && cycle >= offer_from_ && now != HostAction::hard_reset;
    tvalid_.set(offer);
    if (offer) {
      tdata_.set(static_cast<std::uint8_t>(stream_->values[beat_]));
      tlast_.set(stream_->tlast[beat_]);
    }
  }

  void sample(Cycle cycle) {
    const auto beat = [](const RtlSignal& valid, const RtlSignal& ready) {
      return valid.get(0, 1) != 0 && ready.get(0, 1) != 0;
    };
    if (beat(tvalid_, tready_)) {
      ++beat_;
      offer_from_ = cycle + 1 + pace_.source.gap(beat_);
    }
    if (!busy_)
      return;
    const HostAction::Kind kind = session_.actions[action_].kind;
    const Cycle next =
        action_ + 1 < trace_.action_start.size() ? trace_.action_start[action_ + 1] : trace_.end;
    bool done = false;
    if (kind == HostAction::write) {
      done = aw_done_ && w_done_ && beat(bvalid_, bready_);
      aw_done_ |= beat(awvalid_, awready_);
      w_done_ |= beat(wvalid_, wready_);
    } else if (kind == HostAction::read) {
      done = ar_done_ && beat(rvalid_, rready_);
      if (done)
        reads_.push_back(static_cast<std::uint32_t>(rdata_.get(0, 32)));
      ar_done_ |= beat(arvalid_, arready_);
    } else {
      done = cycle + 1 >= next;
    }
    if (done) {
      busy_ = false;
      ++action_;
    }
  }

private:
  void begin_actions(Cycle cycle) {
    while (!busy_ && action_ < session_.actions.size()) {
      const HostAction& action = session_.actions[action_];
      switch (action.kind) {
      case HostAction::stream:
        stream_ = &action;
        beat_ = 0;
        offer_from_ = cycle + pace_.source.gap(0);
        break;
      case HostAction::flush:
        stream_ = nullptr;
        break;
      case HostAction::write:
        awaddr_.set(action.address);
        wdata_.set(action.data);
        wstrb_.set(action.strobe);
        aw_from_ = cycle + pace_.aw.gap(action_);
        w_from_ = cycle + pace_.w.gap(action_);
        aw_done_ = w_done_ = false;
        busy_ = true;
        break;
      case HostAction::read:
        araddr_.set(action.address);
        ar_from_ = cycle + pace_.ar.gap(action_);
        ar_done_ = false;
        busy_ = true;
        break;
      default: { // the model says how long
        const Cycle next =
            action_ + 1 < trace_.action_start.size() ? trace_.action_start[action_ + 1] : trace_.end;
        busy_ = next > cycle;
        break;
      }
      }
      if (!busy_)
        ++action_;
    }
  }

  const Session& session_;
  const SessionTrace& trace_;
  SessionPacers pace_;
  const RtlSignal &rst_ni_, &awaddr_, &awvalid_, &awready_, &wdata_, &wstrb_, &wvalid_, &wready_, &bvalid_,
      &bready_, &araddr_, &arvalid_, &arready_, &rdata_, &rvalid_, &rready_, &tdata_, &tlast_, &tvalid_,
      &tready_, &sink_ready_;
  std::size_t action_ = 0, beat_ = 0;
  bool busy_ = false, aw_done_ = false, w_done_ = false, ar_done_ = false;
  Cycle aw_from_ = 0, w_from_ = 0, ar_from_ = 0, offer_from_ = 0;
  const HostAction* stream_ = nullptr;
  std::vector<std::uint32_t> reads_;
};

} // namespace

void load_program(Session& session, const Program& program) {
  for_each_load(program, [&](std::uint32_t address, std::uint32_t data) {
    session.actions.push_back(access(HostAction::write, address, data));
  });
}

void run_images(Session& session, std::vector<std::int8_t> inputs, int images) {
  session.actions.push_back(access(HostAction::write, reg::images, static_cast<std::uint32_t>(images)));
  session.actions.push_back(access(HostAction::write, reg::control, control_start));
  HostAction stream;
  stream.kind = HostAction::stream;
  stream.tlast.assign(inputs.size(), 0);
  const std::size_t length = inputs.size() / static_cast<std::size_t>(images);
  for (std::size_t i = length; i <= inputs.size(); i += length)
    stream.tlast[i - 1] = 1;
  stream.values = std::move(inputs);
  session.actions.push_back(std::move(stream));
  HostAction wait;
  wait.kind = HostAction::wait_stop;
  session.actions.push_back(wait);
  for (const std::uint32_t address : {reg::status, reg::cycles_lo, reg::cycles_hi, reg::inferences})
    session.actions.push_back(access(HostAction::read, address));
}

SessionPacers::SessionPacers(const Session& session)
    : aw(session.stall, session.seed * 8), w(session.stall, session.seed * 8 + 1),
      b(session.stall, session.seed * 8 + 2), ar(session.stall, session.seed * 8 + 3),
      r(session.stall, session.seed * 8 + 4), source(session.stall, session.seed * 8 + 5),
      sink(session.stall, session.seed * 8 + 6) {}

TileSink paced_sink(const Pacer& pacer) {
  return [pacer](const OutputTile& tile, std::vector<Cycle>& taken) {
    Cycle offered = tile.offered;
    for (int i = 0; i < tile.count; ++i, ++offered)
      taken.push_back(offered = pacer.next_ready(offered));
  };
}

SocketPort::SocketPort(const Design& design, const Pacer& sink)
    : accelerator_("accelerator", design), host_("host", accelerator_) {
  host_.set_sink(paced_sink(sink));
  end_elaboration();
}

bool SocketPort::write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  return host_.write_at(address, data, cycle, strobe);
}

AcceleratorCore::ReadResult SocketPort::read(std::uint32_t address, Cycle cycle) {
  return host_.read_at(address, cycle);
}

void SocketPort::input(const HostAction& stream, Cycle from, const Pacer& gaps) {
  StreamExtension extension;
  extension.tlast = stream.tlast;
  for (std::size_t i = 0; i < stream.values.size(); ++i)
    extension.gaps.push_back(gaps.gap(i));
  host_.stream_at(stream.values.data(), stream.values.size(), from, &extension);
}

void SocketPort::hard_reset(Cycle cycle) { accelerator_.core().hard_reset(cycle); }
Cycle SocketPort::stop_cycle() { return accelerator_.core().stop_cycle(); }

void run_model(const Session& session, SocketPort& port, SessionTrace& trace, Cycle begin) {
  const SessionPacers pace(session);
  Cycle now = trace.begin = begin;
  port.core().set_trace(&trace.beats);
  for (std::size_t index = 0; index < session.actions.size(); ++index) {
    const HostAction& action = session.actions[index];
    trace.action_start.push_back(now);
    switch (action.kind) {
    case HostAction::write: {
      const Cycle aw = now + pace.aw.gap(index), w = now + pace.w.gap(index), beat = std::max(aw, w);
      const bool okay = port.write(action.address, action.data, beat, action.strobe);
      trace.beats.add(port::aw, {aw, action.address, {}, aw});
      trace.beats.add(port::w, {w, action.data | std::uint64_t{action.strobe} << 32, {}, w});
      const Cycle response = pace.b.next_ready(beat + 1);
      trace.beats.add(port::b, {response, okay ? 0u : 2u, {}, response});
      now = response + 1;
      break;
    }
    case HostAction::read: {
      const Cycle beat = now + pace.ar.gap(index);
      const AcceleratorCore::ReadResult result = port.read(action.address, beat);
      trace.beats.add(port::ar, {beat, action.address, {}, beat});
      const Cycle response = pace.r.next_ready(beat + 1);
      trace.beats.add(port::r,
                      {response, result.data | std::uint64_t{result.okay ? 0u : 2u} << 32, {}, response});
      now = response + 1;
      break;
    }
    case HostAction::stream:
      port.input(action, now, pace.source);
      break;
    case HostAction::flush:
      break;
    case HostAction::wait:
      now += action.cycles;
      break;
    case HostAction::wait_stop: {
      const Cycle stop = port.stop_cycle();
      if (stop != never)
        now = std::max(now, stop);
      now += action.cycles;
      break;
    }
    case HostAction::hard_reset:
      port.hard_reset(now);
      now += action.cycles;
      break;
    }
  }
  trace.end = now + settle_cycles;
  port.core().set_trace(nullptr);
}

CosimResult run_rtl(const Session& session, RtlModel& rtl, const std::vector<Interface>& interfaces,
                    const SessionTrace& trace, const std::function<void(Cycle)>& progress) {
  PinHost host(session, trace, rtl);
  Lockstep lockstep(interfaces, trace.beats, rtl);
  bool equal = true;
  for (Cycle cycle = trace.begin; cycle < trace.end && equal; ++cycle) {
    host.drive(cycle);
    rtl.settle();
    equal = host.in_reset() || lockstep.check(cycle);
    host.sample(cycle);
    rtl.edge();
    if (progress && cycle % 4096 == 0)
      progress(cycle);
  }
  lockstep.finish();
  return {lockstep.beats(), host.reads(), lockstep.divergence()};
}

void replay_rtl(const Session& session, RtlModel& rtl, const SessionTrace& trace, const std::string& vcd,
                const WaveWindow& window) {
  PinHost host(session, trace, rtl);
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
