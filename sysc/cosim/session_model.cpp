// A session's host in front of a top's model.
#include "blocks/axi_control.h"
#include "cosim/session.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr Cycle settle_cycles = 64; ///< after the last action, for beats that should not come
enum : std::size_t { port_aw, port_w, port_b, port_ar, port_r, lite_interfaces };

class ModelHost {
public:
  ModelHost(const Session& session, const TopPorts& ports, TopModel& model, SessionTrace& trace, Cycle begin)
      : session_(session), interfaces_(ports.interfaces), model_(model), trace_(trace),
        pace_(session, ports.buses.size()), now_(begin),
        address_mask_((std::uint32_t{1} << ports.buses.front().address_bits) - 1) {
    trace.begin = begin;
    model.record(&trace.beats);
    for (std::size_t bus = 1; bus < ports.buses.size(); ++bus) {
      const Pacer& pacer = pace_.streams[bus];
      if (ports.buses[bus].kind == Bus::stream_in) {
        sources_.push_back({lite_interfaces + bus - 1, pacer, ports.buses[bus].data_bits / 8});
      } else {
        outputs_.push_back(lite_interfaces + bus - 1);
        model.set_sink(outputs_.size() - 1, paced(pacer));
      }
    }
  }

  void run() {
    for (std::size_t index = 0; index < session_.actions.size(); ++index) {
      trace_.action_start.push_back(now_);
      act(index);
    }
    join();
    for (Source& source : sources_) // a beat that is taken was offered in this session
      now_ = std::max(now_, taken_before(source));
    trace_.end = now_ + settle_cycles;
    for (const std::size_t output : outputs_)
      if (!beats(output).empty())
        trace_.record.last_output = std::max(trace_.record.last_output, beats(output).back().cycle);
    model_.record(nullptr);
  }

private:
  // A beat of the AXI4-Lite port: as many bits as it has.
  void add(std::size_t interface, Cycle cycle, std::uint64_t payload) {
    int width = 0;
    for (const Field& field : interfaces_[interface].fields)
      width += field.width;
    trace_.beats.add(interface, {cycle, payload & ((std::uint64_t{1} << width) - 1), {}, cycle});
  }

  // An access that is offered, in the order in which they happen: a read before a write of its cycle.
  struct Access {
    Cycle cycle, response;
    bool is_write;
    std::size_t action;
    bool operator<(const Access& other) const {
      return cycle != other.cycle ? cycle < other.cycle : is_write < other.is_write;
    }
  };
  struct Source {
    std::size_t interface;
    Pacer pacer;
    int bytes;
    const HostAction* stream = nullptr;
    std::size_t before = 0; ///< beats of the interface before the stream
    Cycle begin = 0;        ///< from when its first beat is offered
    Cycle from = 0;         ///< from when beat `index` is
    std::size_t index = 0;
  };

  void act(std::size_t index) {
    const HostAction& action = session_.actions[index];
    switch (action.kind) {
    case HostAction::write:
      post_write(index);
      break;
    case HostAction::read:
      post_read(index);
      break;
    case HostAction::stream: {
      perform_before(now_);
      Source& source = sources_.at(action.port);
      source.stream = &action;
      source.before = beats(source.interface).size();
      source.begin = source.from = now_ + source.pacer.gap(0);
      source.index = 0;
      offer(source);
      break;
    }
    case HostAction::flush:
      perform_before(now_);
      sources_.at(action.port).stream = nullptr;
      break;
    case HostAction::wait:
      now_ += action.cycles;
      break;
    case HostAction::wait_stop:
      join();
      if (model_.stop_cycle() != never)
        now_ = std::max(now_, model_.stop_cycle());
      now_ += action.cycles;
      break;
    case HostAction::hard_reset:
      hard_reset(action.cycles);
      break;
    }
  }

  void post_write(std::size_t index) {
    const HostAction& action = session_.actions[index];
    const AxiLiteTiming::Write at = slave_.write(std::max(now_, aw_free_) + pace_.aw.gap(index),
                                                 std::max(now_, w_free_) + pace_.w.gap(index));
    const Cycle response = pace_.b.next_ready(at.access + 1);
    slave_.write_responded(response);
    aw_free_ = at.aw + 1;
    w_free_ = at.w + 1;
    add(port_aw, at.aw, action.address);
    add(port_w, at.w, action.data | std::uint64_t{action.strobe} << 32);
    post({at.access, response, true, index}, action.posted);
  }

  void post_read(std::size_t index) {
    const HostAction& action = session_.actions[index];
    const Cycle beat = slave_.read(std::max(now_, ar_free_) + pace_.ar.gap(index));
    const Cycle response = pace_.r.next_ready(beat + 1);
    slave_.read_responded(response);
    ar_free_ = beat + 1;
    add(port_ar, beat, action.address);
    post({beat, response, false, index}, action.posted);
  }

  void post(const Access& access, bool posted) {
    idle_from_ = std::max(idle_from_, access.response + 1);
    pending_.insert(std::upper_bound(pending_.begin(), pending_.end(), access), access);
    if (!posted) {
      now_ = access.response + 1;
      perform_before(now_);
    }
  }

  // Accesses change what streams meet: those before `cycle` come first.
  void perform_before(Cycle cycle) {
    while (!pending_.empty() && pending_.front().cycle < cycle) {
      const Access access = pending_.front();
      pending_.erase(pending_.begin());
      const HostAction& action = session_.actions[access.action];
      if (access.is_write) {
        const bool okay =
            model_.write(action.address & address_mask_, action.data, action.strobe, access.cycle);
        add(port_b, access.response, okay ? 0 : 2);
        for (Source& source : sources_) // it may be a start
          offer(source);
      } else {
        const TopModel::ReadResult result = model_.read(action.address & address_mask_, access.cycle);
        add(port_r, access.response, result.data | std::uint64_t{result.okay ? 0u : 2u} << 32);
        trace_.record.reads.push_back(result.data);
      }
    }
  }

  // Waits for all responses.
  void join() {
    perform_before(never);
    now_ = std::max(now_, idle_from_);
  }

  void hard_reset(Cycle cycles) {
    perform_before(now_);
    pending_.clear();
    for (std::size_t i = 0; i < lite_interfaces; ++i) {
      auto& all = trace_.beats.beats[i];
      while (!all.empty() && all.back().cycle >= now_) {
        all.pop_back();
        if (i == port_r)
          trace_.record.reads.pop_back();
      }
    }
    slave_ = {};
    idle_from_ = 0;
    aw_free_ = w_free_ = ar_free_ = 0;
    model_.hard_reset(now_);
    now_ += cycles;
    for (Source& source : sources_)
      if (source.stream) {
        advance(source);
        source.begin = source.from = std::max(source.from, now_);
        offer(source); // a top that needs no start takes beats again
      }
  }

  [[nodiscard]] const std::vector<Beat>& beats(std::size_t interface) const {
    return trace_.beats.beats[interface];
  }

  // What was taken may since have been taken back: the trace knows.
  void advance(Source& source) {
    const std::size_t done = beats(source.interface).size() - source.before;
    if (done == source.index)
      return;
    source.index = done;
    source.from = done ? beats(source.interface).back().cycle + 1 + source.pacer.gap(done) : source.begin;
  }

  // The cycle after the source's latest beat.
  [[nodiscard]] Cycle taken_before(const Source& source) const {
    return beats(source.interface).empty() ? 0 : beats(source.interface).back().cycle + 1;
  }

  void offer(Source& source) {
    if (!source.stream)
      return;
    advance(source);
    const std::size_t all = source.stream->tlast.size(), index = source.index;
    if (index == all)
      return;
    const Pacer pacer = source.pacer;
    Cycle from = source.from;
    model_.offer(static_cast<std::size_t>(&source - sources_.data()),
                 {source.stream->values.data() + index * static_cast<std::size_t>(source.bytes), all - index,
                  source.stream->tlast.data() + index,
                  [=](std::uint64_t i) { return i ? pacer.gap(index + i) : 0; }},
                 from, nullptr);
  }

  const Session& session_;
  const std::vector<Interface>& interfaces_;
  TopModel& model_;
  SessionTrace& trace_;
  SessionPacers pace_;
  Cycle now_;
  std::uint32_t address_mask_;
  AxiLiteTiming slave_;
  Cycle idle_from_ = 0; ///< when all responses are there
  Cycle aw_free_ = 0, w_free_ = 0, ar_free_ = 0;
  std::vector<Access> pending_; ///< ordered
  std::vector<Source> sources_;
  std::vector<std::size_t> outputs_; ///< interfaces
};

} // namespace

void run_model(const Session& session, const TopPorts& ports, TopModel& model, SessionTrace& trace,
               Cycle begin) {
  ModelHost(session, ports, model, trace, begin).run();
}

} // namespace deltatwin
