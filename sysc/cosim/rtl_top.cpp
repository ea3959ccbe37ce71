#include "cosim/rtl_top.h"
#include <algorithm>
#include <stdexcept>

namespace deltatwin {
namespace {

constexpr Cycle lite_patience = 1000; ///< a slave answers within a few cycles, or it is broken

RtlSource source_of(const Top& top, RtlSource source) {
  source.top = top.module();
  source.parameters = top.parameters();
  source.savable = true; // peek() looks at what would be
  return source;
}

} // namespace

RtlTop::RtlTop(const sc_core::sc_module_name& name, const Top& top,
               const std::function<void(const std::string&)>& message, RtlSource source)
    : TopSockets(name, top), prefix_(top.buses().front().prefix),
      rtl_(source_of(top, std::move(source)), message), lite_(rtl_, prefix_), rst_ni_(rtl_.signal("rst_ni")),
      status_(rtl_.signal("status")) {
  for (const Bus& bus : top.buses())
    if (bus.kind == Bus::stream_in)
      sources_.push_back({AxiStreamSource(rtl_, bus)});
    else if (bus.kind == Bus::stream_out)
      sinks_.push_back({AxiStreamSink(rtl_, bus)});
  reset_end_ = 1;
  look();
  rtl_.edge(); // before cycle 0
  reset_end_ = 0;
  looked_ = false;
  SC_THREAD(run);
}

// Cycle c lasts from its beginning to that of c + 1, and who acts meanwhile acts in it.
void RtlTop::run() {
  for (;;) {
    while (cycle_ < clock().cycle())
      step();
    look();
    if (in_flight())
      sc_core::wait(clock().until(cycle_ + 1));
    else
      sc_core::wait(work_);
  }
}

bool RtlTop::in_flight() const {
  return !lite_.idle() || status() == TopStatus::running || status() == TopStatus::error ||
         cycle_ < reset_end_ ||
         std::any_of(sources_.begin(), sources_.end(), [](const Source& s) { return !s.pins.done(); }) ||
         std::any_of(sinks_.begin(), sinks_.end(), [](const Sink& sink) { return sink.taken != never; });
}

// Drives the cycle's pins and passes on what it offers.
void RtlTop::look() {
  if (looked_ && !stirred_)
    return;
  stirred_ = false;
  rst_ni_.set(!in_reset());
  lite_.drive(cycle_);
  for (Source& source : sources_)
    source.pins.drive(cycle_, in_reset());
  for (Sink& sink : sinks_)
    sink.pins.drive(sink.taken == cycle_);
  rtl_.settle();
  bool takes = false;
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    Sink& sink = sinks_[i];
    if (in_reset() || !sink.pins.valid()) {
      sink.taken = never; // of what a reset withdrew, too
    } else if (sink.taken == never) {
      std::vector<std::uint8_t> bytes;
      sink.pins.append_to(bytes);
      std::vector<Cycle> taken;
      deliver(i, {bytes.data(), 1, sink.pins.last(), cycle_}, taken);
      sink.taken = taken.front();
      if (sink.taken == cycle_) {
        sink.pins.drive(true);
        takes = true;
      }
    }
  }
  if (takes)
    rtl_.settle();
  looked_ = true;
}

// To the next cycle.
void RtlTop::step() {
  look();
  if (in_reset()) {
    if (cycle_ == reset_first_)
      begin_reset();
    progress_.notify(sc_core::SC_ZERO_TIME);
  } else {
    const bool quiet = lite_.idle(); // or else a START may be on its way
    const AxiLitePins::Responses responses = lite_.sample(cycle_);
    if (responses.b)
      answer(writes_, {0, *responses.b == 0});
    if (responses.r)
      answer(reads_, {responses.r->data, responses.r->response == 0});
    for (Source& source : sources_)
      if (source.pins.sample(cycle_)) {
        if (source.taken)
          source.taken->push_back(cycle_);
        if (source.pins.done())
          finish(source);
      } else if (quiet && source.pins.waits() && status() != TopStatus::running) {
        finish(source);
      }
    for (Sink& sink : sinks_)
      if (sink.taken == cycle_)
        sink.taken = never;
  }
  rtl_.edge();
  if (rtl_.has_ended()) {
    const RtlEnding ending = rtl_.ending();
    throw std::runtime_error(std::string(name()) + ": the RTL ended in cycle " + std::to_string(cycle_) +
                             " with " + ending.kind + " at " + ending.place + ' ' + ending.message);
  }
  ++cycle_;
  looked_ = false;
  for (const auto* accesses : {&writes_, &reads_})
    if (!accesses->empty() && cycle_ > accesses->front()->offered + lite_patience)
      throw std::runtime_error(std::string(name()) + ": the RTL does not answer an access of cycle " +
                               std::to_string(accesses->front()->offered));
}

void RtlTop::answer(std::deque<Access*>& accesses, const TopModel::ReadResult& result) {
  if (accesses.empty())
    throw std::runtime_error(std::string(name()) + ": the RTL answers an access that there was not");
  accesses.front()->result = result;
  accesses.front()->end = cycle_ + 1;
  accesses.pop_front();
  progress_.notify(sc_core::SC_ZERO_TIME);
}

// Who waits is told that nothing will come.
void RtlTop::begin_reset() {
  lite_.reset();
  while (!writes_.empty())
    answer(writes_, {0, false});
  while (!reads_.empty())
    answer(reads_, {0, false});
  for (Source& source : sources_)
    if (!source.pins.done())
      finish(source);
}

// All is taken, or given up.
void RtlTop::finish(Source& source) {
  source.pins.flush();
  source.end = cycle_ + 1;
  progress_.notify(sc_core::SC_ZERO_TIME);
}

template <class Done> void RtlTop::run_until(const Done& done) {
  stirred_ = true;
  work_.notify(sc_core::SC_ZERO_TIME);
  const bool waits = in_thread();
  while (!done())
    if (waits)
      sc_core::wait(progress_);
    else
      step();
}

RtlTop::Access& RtlTop::access(std::deque<Access*>& accesses, Access& access, AxiLitePins::Access pins) {
  access.offered = pins.not_before = std::max({access.offered, cycle_, reset_end_});
  accesses.push_back(&access);
  &accesses == &writes_ ? lite_.write(pins) : lite_.read(pins);
  run_until([&] { return access.end != never; });
  return access;
}

bool RtlTop::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle& cycle) {
  Access own{cycle};
  access(writes_, own, {address, data, strobes});
  cycle = own.end;
  return own.result.okay;
}

TopModel::ReadResult RtlTop::read(std::uint32_t address, Cycle& cycle) {
  Access own{cycle};
  access(reads_, own, {address});
  cycle = own.end;
  return own.result;
}

// Reads in a future that is then undone.
TopModel::ReadResult RtlTop::peek(std::uint32_t address) {
  constexpr Cycle settling = 4; ///< cycles in which what is outstanding is answered
  const std::string now = rtl_.save();
  AxiLitePins pins(rtl_, prefix_);
  for (Sink& sink : sinks_)
    sink.pins.drive(false);
  for (Source& source : sources_)
    source.pins.drive(cycle_, true);
  const auto ahead = [&](Cycle cycle) {
    pins.drive(cycle);
    rtl_.settle();
    const auto response = pins.sample(cycle).r;
    rtl_.edge();
    return response;
  };
  const Cycle missing = clock().cycle() - std::min(cycle_, clock().cycle());
  for (Cycle i = 0; i < (lite_.idle() ? 0 : settling) + (in_flight() ? missing : 0); ++i)
    (void)ahead(cycle_);
  pins.read({address});
  std::optional<AxiLitePins::Responses::Read> response;
  for (Cycle waited = 0; !response && waited < lite_patience; ++waited)
    response = ahead(cycle_ + waited);
  rtl_.restore(now);
  looked_ = false;
  return response ? TopModel::ReadResult{response->data, response->response == 0}
                  : TopModel::ReadResult{0, false};
}

std::size_t RtlTop::offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                          std::vector<Cycle>* taken) {
  Source& source = sources_[stream];
  run_until([&] { return source.pins.done(); }); // of another thread
  source.taken = taken;
  source.pins.send(burst, std::max({from, cycle_, reset_end_}));
  run_until([&] { return source.pins.done(); });
  source.taken = nullptr;
  from = source.end;
  return source.pins.taken();
}

void RtlTop::reset(Cycle& cycle, Cycle cycles) {
  reset_first_ = std::max(cycle, cycle_);
  reset_end_ = reset_first_ + cycles;
  run_until([this] { return cycle_ >= reset_end_; });
  cycle = reset_end_;
}

} // namespace deltatwin
