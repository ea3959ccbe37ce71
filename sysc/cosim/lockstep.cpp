#include "cosim/lockstep.h"
#include <algorithm>
#include <sstream>

namespace deltatwin {

std::string describe(const Interface& interface, std::uint64_t payload) {
  std::ostringstream text;
  int lsb = 0;
  for (const Field& field : interface.fields) {
    const std::uint64_t mask = field.width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << field.width) - 1;
    text << (lsb ? " " : "") << field.signal << "=0x" << std::hex << (payload >> lsb & mask);
    lsb += field.width;
  }
  return interface.fields.empty() ? "a beat" : text.str();
}

std::string Divergence::report() const {
  std::ostringstream text;
  if (ending) {
    text << "the RTL ended the simulation in cycle " << cycle << ": " << ending->kind;
    if (!ending->place.empty())
      text << " at " << ending->place;
    text << (ending->message.empty() ? "" : "\n  ") << ending->message << "\n";
    return text.str();
  }
  text << "divergence in " << block << ", interface " << interface << ", cycle " << cycle;
  const auto part = [&](const char* name, int value) {
    if (value >= 0)
      text << ", " << name << " " << value;
  };
  part("image", context.image);
  part("layer", context.layer);
  part("tile", context.tile);
  part("element", context.element);
  text << "\n  model: " << (model ? describe(fields, model->payload) : "no beat")
       << "\n  RTL:   " << (rtl ? describe(fields, *rtl) : "no beat") << "\n";
  if (!rule.empty())
    text << "  " << rule << "\n";
  if (before.empty())
    text << "  no beat on this interface before\n";
  for (const Beat& beat : before)
    text << "  equal in cycle " << beat.cycle << ": " << describe(fields, beat.payload) << "\n";
  return text.str();
}

Lockstep::Lockstep(const std::vector<Interface>& interfaces, const BeatTrace& model, const RtlModel& rtl)
    : interfaces_(interfaces), model_(model), rtl_(rtl) {
  for (const Interface& interface : interfaces) {
    Monitor& monitor = monitors_.emplace_back();
    for (const Field& strobe : interface.strobes)
      monitor.strobes.push_back(&rtl.signal(strobe.signal));
    const std::string& valid = interface.strobes.front().signal;
    monitor.output =
        interface.strobes.size() == 2 && valid.size() > 2 && valid.substr(valid.size() - 2) == "_o";
    for (const Field& field : interface.fields)
      monitor.fields.push_back(&rtl.signal(field.signal));
  }
}

// The RTL's end counts in the cycle in which it came: before it there is no beat left to compare.
bool Lockstep::has_ended() {
  if (!rtl_.has_ended() || divergence_)
    return rtl_.has_ended();
  divergence_.emplace();
  divergence_->ending = rtl_.ending();
  divergence_->block = "the RTL";
  divergence_->interface = divergence_->ending->kind;
  divergence_->cycle = origin_.value_or(0) + divergence_->ending->edge;
  return true;
}

bool Lockstep::look(std::size_t interface, Cycle cycle, std::optional<std::uint64_t>& payload) {
  Monitor& monitor = monitors_[interface];
  const Interface& description = interfaces_[interface];
  const auto strobe = [&](std::size_t s) {
    return monitor.strobes[s]->get(description.strobes[s].lsb, 1) != 0;
  };
  bool seen = true;
  const bool valid = !monitor.output || strobe(0);
  for (std::size_t s = 0; s < monitor.strobes.size() && seen; ++s)
    seen = strobe(s);
  if (seen || (monitor.output && valid)) {
    payload = 0;
    int lsb = 0;
    for (std::size_t f = 0; f < monitor.fields.size(); ++f) {
      const Field& field = description.fields[f];
      *payload |= monitor.fields[f]->get(field.lsb, field.width) << lsb;
      lsb += field.width;
    }
  }
  if (monitor.offered && payload != monitor.offered) {
    const bool was_reset =
        std::find(model_.resets.begin(), model_.resets.end(), cycle - 1) != model_.resets.end();
    if (!was_reset) {
      diverge(interface, cycle, payload);
      divergence_->rule = valid ? "the payload changed before READY" : "VALID was withdrawn before READY";
      return false;
    }
  }
  monitor.offered.reset();
  if (payload && !seen)
    monitor.offered.swap(payload);
  return true;
}

bool Lockstep::check(Cycle cycle) {
  if (!origin_)
    origin_ = cycle - rtl_.edges();
  if (has_ended())
    return false;
  for (std::size_t i = 0; i < monitors_.size(); ++i) {
    Monitor& monitor = monitors_[i];
    const std::vector<Beat>& expected = model_.beats[i];
    const bool due = monitor.next < expected.size() && expected[monitor.next].cycle <= cycle;
    std::optional<std::uint64_t> payload;
    if (!look(i, cycle, payload))
      return false;
    if (!payload && !due)
      continue;
    if (!payload || !due || expected[monitor.next].cycle != cycle ||
        expected[monitor.next].payload != *payload) {
      diverge(i, cycle, payload);
      return false;
    }
    ++monitor.next;
    ++beats_;
  }
  return true;
}

void Lockstep::reset() {
  for (Monitor& monitor : monitors_)
    monitor.offered.reset();
}

bool Lockstep::finish() {
  if (!divergence_)
    has_ended();
  for (std::size_t i = 0; i < monitors_.size() && !divergence_; ++i)
    if (monitors_[i].next < model_.beats[i].size())
      diverge(i, model_.beats[i][monitors_[i].next].cycle, std::nullopt);
  return !divergence_;
}

void Lockstep::diverge(std::size_t interface, Cycle cycle, std::optional<std::uint64_t> rtl) {
  const std::vector<Beat>& expected = model_.beats[interface];
  const std::size_t next = monitors_[interface].next;
  Divergence found;
  found.block = interfaces_[interface].block;
  found.interface = interfaces_[interface].name;
  found.fields = interfaces_[interface];
  found.cycle = cycle;
  found.rtl = rtl;
  if (next < expected.size()) {
    found.context = expected[next].context;
    if (expected[next].cycle == cycle)
      found.model = expected[next];
  } else if (next > 0) {
    found.context = expected[next - 1].context;
  }
  constexpr std::size_t shown = 4;
  for (std::size_t i = next > shown ? next - shown : 0; i < next; ++i)
    found.before.push_back(expected[i]);
  divergence_ = found;
}

} // namespace deltatwin
