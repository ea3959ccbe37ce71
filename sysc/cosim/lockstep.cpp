#include "cosim/lockstep.h"
#include <algorithm>
#include <sstream>

namespace deltatwin {
namespace {

constexpr Cycle window = 64; ///< cycles after the first difference

std::string cycles(Cycle count) { return std::to_string(count) + (count == 1 ? " cycle" : " cycles"); }

std::string place(const BeatContext& context) {
  std::string text;
  const auto part = [&](const char* name, int value) {
    if (value >= 0)
      text += std::string(", ") + name + " " + std::to_string(value);
  };
  part("image", context.image);
  part("layer", context.layer);
  part("tile", context.tile);
  part("element", context.element);
  return text;
}

std::string in_parentheses(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

// "interface act, cycle 12, layer 1, ...", and both sides in lines that begin with `indent`.
std::string text_of(const Difference& difference, const std::string& indent) {
  std::ostringstream text;
  text << "interface " << difference.interface << ", cycle " << difference.cycle << place(difference.context);
  if (!difference.fields.strobes.empty())
    text << ", after " << difference.index << (difference.index == 1 ? " beat" : " beats") << " of it";
  if (difference.address)
    text << ", of the access at 0x" << std::hex << *difference.address << std::dec
         << in_parentheses(difference.register_name);
  text << "\n"
       << indent
       << "model: " << (difference.model ? describe(difference.fields, difference.model->payload) : "no beat")
       << in_parentheses(difference.model_means) << "\n"
       << indent << "RTL:   " << (difference.rtl ? describe(difference.fields, *difference.rtl) : "no beat")
       << in_parentheses(difference.rtl_means) << "\n";
  for (const std::string& more : {difference.elsewhere, difference.rule})
    if (!more.empty())
      text << indent << more << "\n";
  return text.str();
}

} // namespace

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
  text << "divergence in " << block << ", " << text_of(*this, "  ");
  if (before.empty() && !fields.strobes.empty())
    text << "  no beat on this interface before\n";
  for (std::size_t i = 0; i < before.size(); ++i)
    text << "  equal in cycle " << before[i].cycle << ": " << describe(fields, before[i].payload)
         << in_parentheses(before_means[i]) << place(before[i].context) << "\n";
  for (const Difference& other : others)
    text << "  also in " << other.block << ", " << text_of(other, "    ");
  return text.str();
}

Lockstep::Lockstep(const std::vector<Interface>& interfaces, const BeatTrace& model, const RtlModel& rtl,
                   std::vector<Register> registers)
    : interfaces_(interfaces), model_(model), rtl_(rtl), registers_(std::move(registers)) {
  for (const Interface& interface : interfaces) {
    Monitor& monitor = monitors_.emplace_back();
    if (interface.strobes.size() == 2) {
      const std::string& valid = interface.strobes.front().signal;
      monitor.output = valid.size() > 2 && valid.substr(valid.size() - 2) == "_o";
    }
    for (const Field& strobe : interface.strobes)
      monitor.strobes.push_back(&rtl.signal(strobe.signal));
    for (const Field& field : interface.fields)
      monitor.fields.push_back(&rtl.signal(field.signal));
  }
}

// The RTL's end counts in the cycle in which it came: before it there is no beat left to compare.
bool Lockstep::has_ended() {
  if (!rtl_.has_ended() || first_ || divergence_)
    return rtl_.has_ended();
  divergence_.emplace();
  divergence_->ending = rtl_.ending();
  divergence_->block = "the RTL";
  divergence_->interface = divergence_->ending->kind;
  divergence_->cycle = origin_.value_or(0) + divergence_->ending->edge;
  return true;
}

std::optional<std::uint64_t> Lockstep::look(std::size_t interface, Cycle cycle, const char*& rule) {
  Monitor& monitor = monitors_[interface];
  const Interface& description = interfaces_[interface];
  const auto strobe = [&](std::size_t s) {
    return monitor.strobes[s]->get(description.strobes[s].lsb, 1) != 0;
  };
  bool seen = true;
  const bool valid = !monitor.output || strobe(0);
  for (std::size_t s = 0; s < monitor.strobes.size() && seen; ++s)
    seen = strobe(s);
  std::optional<std::uint64_t> payload;
  if (seen || (monitor.output && valid)) {
    payload = 0;
    int lsb = 0;
    for (std::size_t f = 0; f < monitor.fields.size(); ++f) {
      const Field& field = description.fields[f];
      *payload |= monitor.fields[f]->get(field.lsb, field.width) << lsb;
      lsb += field.width;
    }
  }
  if (monitor.offered && payload != monitor.offered &&
      std::find(model_.resets.begin(), model_.resets.end(), cycle - 1) == model_.resets.end())
    rule = valid ? "the payload changed before READY" : "VALID was withdrawn before READY";
  monitor.offered.reset();
  if (payload && !seen)
    monitor.offered.swap(payload);
  return payload;
}

void Lockstep::watch(std::size_t interface, Cycle cycle) {
  Monitor& monitor = monitors_[interface];
  const std::vector<Beat>& expected = model_.beats[interface];
  const char* rule = nullptr;
  const std::optional<std::uint64_t> payload = look(interface, cycle, rule);
  if (monitor.difference) {
    if (payload)
      monitor.after.push_back({cycle, *payload, {}, cycle});
    return;
  }
  const bool due = monitor.next < expected.size() && expected[monitor.next].cycle <= cycle;
  if (!payload && !due && !rule)
    return;
  if (!rule && payload && due && expected[monitor.next].cycle == cycle &&
      expected[monitor.next].payload == *payload) {
    ++monitor.next;
    beats_ += first_ ? 0 : 1;
    return;
  }
  differ(interface, cycle, payload);
  if (rule)
    monitor.difference->rule = rule;
}

bool Lockstep::check(Cycle cycle) {
  if (!origin_)
    origin_ = cycle - rtl_.edges();
  if (has_ended())
    return false;
  last_ = cycle;
  for (std::size_t i = 0; i < monitors_.size(); ++i)
    watch(i, cycle);
  return !first_ || cycle < *first_ + window;
}

void Lockstep::reset() {
  if (resets_.empty() || resets_.back() != last_)
    resets_.push_back(last_);
  for (Monitor& monitor : monitors_)
    monitor.offered.reset();
}

bool Lockstep::finish() {
  has_ended();
  if (divergence_)
    return false;
  // What the model has and the RTL did not: of all cycles, or of those that were looked at.
  for (std::size_t i = 0; i < monitors_.size(); ++i)
    if (const auto& expected = model_.beats[i]; !monitors_[i].difference &&
                                                monitors_[i].next < expected.size() &&
                                                (!first_ || expected[monitors_[i].next].cycle <= last_))
      differ(i, expected[monitors_[i].next].cycle, std::nullopt);
  if (!first_)
    return true;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < monitors_.size(); ++i)
    if (monitors_[i].difference)
      order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return monitors_[a].difference->cycle < monitors_[b].difference->cycle;
  });
  for (const std::size_t i : order) {
    Difference& found = *monitors_[i].difference;
    found.elsewhere = elsewhere(i);
    found.address = address(i, found.index);
    if (found.address && !registers_.empty())
      found.register_name = register_name(registers_, *found.address);
    if (found.model)
      found.model_means = meaning(i, found.index, found.model->payload);
    if (found.rtl)
      found.rtl_means = meaning(i, found.index, *found.rtl);
  }
  divergence_.emplace();
  const std::size_t first = order.front(), next = monitors_[first].next;
  static_cast<Difference&>(*divergence_) = *monitors_[first].difference;
  constexpr std::size_t shown = 4;
  for (std::size_t i = next > shown ? next - shown : 0; i < next; ++i) {
    divergence_->before.push_back(model_.beats[first][i]);
    divergence_->before_means.push_back(meaning(first, i, model_.beats[first][i].payload));
  }
  for (std::size_t i = 1; i < order.size(); ++i)
    divergence_->others.push_back(*monitors_[order[i]].difference);
  return false;
}

std::vector<std::uint64_t> Lockstep::interface_beats() const {
  std::vector<std::uint64_t> counts;
  for (const Monitor& monitor : monitors_)
    counts.push_back(monitor.next);
  return counts;
}

void Lockstep::differ(std::size_t interface, Cycle cycle, std::optional<std::uint64_t> rtl) {
  Monitor& monitor = monitors_[interface];
  const std::vector<Beat>& expected = model_.beats[interface];
  const std::size_t next = monitor.next;
  Difference& found = monitor.difference.emplace();
  found.block = interfaces_[interface].block;
  found.interface = interfaces_[interface].name;
  found.fields = interfaces_[interface];
  found.cycle = cycle;
  found.rtl = rtl;
  found.index = next;
  if (next < expected.size()) {
    found.context = expected[next].context;
    if (expected[next].cycle == cycle)
      found.model = expected[next];
  } else if (next > 0) {
    found.context = expected[next - 1].context;
  }
  first_ = std::min(first_.value_or(cycle), cycle);
}

// Where a beat is that one side has and the other has not in this cycle.
std::string Lockstep::elsewhere(std::size_t interface) const {
  const Monitor& monitor = monitors_[interface];
  const Difference& found = *monitor.difference;
  const std::vector<Beat>& expected = model_.beats[interface];
  const auto said = [&](const Beat& beat) {
    return "in cycle " + std::to_string(beat.cycle) + ", " + describe(found.fields, beat.payload);
  };
  if (!found.rule.empty())
    return "";
  if (found.model && found.rtl) {
    if (monitor.next > 0 && expected[monitor.next - 1].payload == *found.rtl)
      return "the RTL has the beat before once more";
    if (monitor.next + 1 < expected.size() && expected[monitor.next + 1].payload == *found.rtl)
      return "the RTL has the model's next beat, " + said(expected[monitor.next + 1]);
    return "";
  }
  if (found.model) {
    if (monitor.after.empty())
      return "the RTL has none up to cycle " + std::to_string(last_);
    const Beat& next = monitor.after.front();
    return next.payload == found.model->payload ? "the RTL's beat comes " + cycles(next.cycle - found.cycle) +
                                                      " late, in cycle " + std::to_string(next.cycle)
                                                : "the RTL's next beat is " + said(next);
  }
  if (monitor.next == expected.size())
    return "the model has no more beats";
  const Beat& next = expected[monitor.next];
  return found.rtl && next.payload == *found.rtl && next.cycle > found.cycle
             ? "the RTL's beat comes " + cycles(next.cycle - found.cycle) +
                   " early: the model's is in cycle " + std::to_string(next.cycle)
             : "the model's next beat is " + said(next);
}

// From one reset to the next, the n-th data and the n-th response belong to the n-th address.
std::optional<std::uint32_t> Lockstep::address(std::size_t interface, std::size_t beat) const {
  const std::string& channel = interfaces_[interface].name;
  const char* of = channel == "r" ? "ar" : channel == "b" || channel == "w" ? "aw" : "";
  const auto found = std::find_if(interfaces_.begin(), interfaces_.end(),
                                  [of](const Interface& each) { return each.name == of; });
  const std::vector<Beat>& own = model_.beats[interface];
  if (found == interfaces_.end() || beat >= own.size())
    return std::nullopt;
  const std::vector<Beat>& addresses = model_.beats[static_cast<std::size_t>(found - interfaces_.begin())];
  const auto reset = std::lower_bound(resets_.begin(), resets_.end(), own[beat].cycle);
  const auto before_reset = [&](const std::vector<Beat>& beats) {
    if (reset == resets_.begin())
      return std::size_t{0};
    return static_cast<std::size_t>(
        std::partition_point(beats.begin(), beats.end(),
                             [&](const Beat& each) { return each.cycle <= *std::prev(reset); }) -
        beats.begin());
  };
  const std::size_t at = beat - before_reset(own) + before_reset(addresses);
  return at < addresses.size() ? std::optional(static_cast<std::uint32_t>(addresses[at].payload))
                               : std::nullopt;
}

std::string Lockstep::meaning(std::size_t interface, std::size_t beat, std::uint64_t payload) const {
  const std::string& channel = interfaces_[interface].name;
  if (registers_.empty())
    return "";
  if (channel == "aw" || channel == "ar")
    return register_name(registers_, static_cast<std::uint32_t>(payload));
  const auto of = address(interface, beat);
  if (!of)
    return "";
  const bool has_data = channel != "b";
  if (const std::uint64_t response = channel == "w" ? 0 : has_data ? payload >> 32 : payload; response)
    return register_name(registers_, *of) + ": SLVERR";
  return has_data ? register_text(registers_, *of, static_cast<std::uint32_t>(payload))
                  : register_name(registers_, *of) + ": OKAY";
}

} // namespace deltatwin
