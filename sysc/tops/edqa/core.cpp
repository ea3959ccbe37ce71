#include "tops/edqa/core.h"
#include "base/archive.h"
#include "blocks/axi_control.h"
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

enum : std::size_t { port_in = 5, port_out, port_more };
enum : std::size_t {
  lane_quantized,
  lane_lengths,
  lane_encode,
  lane_words,
  lane_stored,
  lane_decoded,
  lane_ports
};
constexpr int chunk = 32; ///< bits of a wide stream that an interface shows
enum : unsigned { first_input_flag = 0, first_output_flag = 3 };

std::size_t chunks(int bits) { return static_cast<std::size_t>((bits + chunk - 1) / chunk); }

int input_bits(const EdqaConfig& config) { return config.channels * edqa_value_bits(config.format); }
int output_bits(const EdqaConfig& config) { return config.channels * edqa_result_bits(config.format); }

std::uint64_t little_endian(const std::uint8_t* data, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= std::uint64_t{data[i]} << 8 * i;
  return value;
}

} // namespace

EdqaCore::Lane::Lane(const EdqaConfig& config) : store(config.store_words()) {}

EdqaCore::Pipe::Pipe(const EdqaConfig& config)
    : lanes(static_cast<std::size_t>(config.channels), Lane(config)) {}

EdqaCore::EdqaCore(const EdqaConfig& config)
    : config_((validate(config), config)), sink_(take_at_once), more_in_(port_more),
      more_out_(more_in_ + chunks(input_bits(config)) - 1),
      first_lane_(more_out_ + chunks(output_bits(config)) - 1), pipe_(config) {
  registers_.settings = old_registers_.settings = EdqaSettings::initial(config);
  now_.sizes.resize(static_cast<std::size_t>(config.channels));
  before_.sizes.resize(static_cast<std::size_t>(config.channels));
}

std::vector<Interface> EdqaCore::interfaces(const EdqaConfig& config) {
  const std::vector<Field> in = {"s_axis_tvalid_i", "s_axis_tready_o"},
                           out = {"m_axis_tvalid_o", "m_axis_tready_i"};
  const int in_bits = input_bits(config), out_bits = output_bits(config);
  std::vector<Interface> all = axi_lite_interfaces("host", "edqa_control");
  all.insert(
      all.end(),
      {{"host", "values in", in, {{"s_axis_tdata_i", std::min(in_bits, chunk)}, "s_axis_tlast_i"}},
       {"edqa", "values out", out, {{"m_axis_tdata_o", std::min(out_bits, chunk)}, "m_axis_tlast_o"}}});
  const auto more = [&](const char* block, const char* name, const std::vector<Field>& strobes,
                        const char* data, int bits) {
    for (int lsb = chunk; lsb < bits; lsb += chunk)
      all.push_back({block,
                     std::string(name) + ", from bit " + std::to_string(lsb),
                     strobes,
                     {{data, std::min(chunk, bits - lsb), lsb}}});
  };
  more("host", "values in", in, "s_axis_tdata_i", in_bits);
  more("edqa", "values out", out, "m_axis_tdata_o", out_bits);
  for (int l = 0; l < config.channels; ++l) {
    const auto interface = [&](const char* block, const char* name, const std::string& strobe,
                               const std::vector<std::pair<const char*, int>>& fields) {
      Interface one{block, config.channels > 1 ? name + (", lane " + std::to_string(l)) : name, {}, {}};
      one.strobes = {{strobe, 1, l}, "interior_rst_n"};
      for (const auto& [field, width] : fields)
        one.fields.push_back({field, width, l * width});
      all.push_back(std::move(one));
    };
    interface("edqa_quantizer", "quantized", "lane_quantized_valid",
              {{"lane_quantized", config.max_bits()}, {"lane_quantized_last", 1}});
    interface("huffman_builder", "lengths", "lane_length_beat", {{"lane_length", 4}});
    interface(
        "edqa_lane", "encode", "lane_encode_beat",
        {{"lane_encode_book", 3}, {"lane_encode_symbol", config.symbol_bits()}, {"lane_encode_last", 1}});
    interface("huffman_encoder", "words", "lane_word_beat", {{"lane_word", 36}, {"lane_word_last", 1}});
    interface("channel_store", "stored words", "lane_stored_beat",
              {{"lane_stored", 36}, {"lane_stored_last", 1}});
    interface("channel_decoder", "decoded", "lane_decoded_valid",
              {{"lane_decoded", config.symbol_bits()}, {"lane_decoded_last", 1}});
  }
  return all;
}

std::size_t EdqaCore::port(std::size_t lane, std::size_t which) const {
  return first_lane_ + lane_ports * lane + which;
}

void EdqaCore::add_stream(std::size_t first, std::size_t more, Cycle cycle, const std::uint8_t* data,
                          int bits, bool last) {
  for (int lsb = 0; trace_ && lsb < bits; lsb += chunk) {
    const int width = std::min(chunk, bits - lsb);
    const std::uint64_t part = little_endian(data + lsb / 8, width / 8);
    if (lsb == 0)
      add(first, cycle, part | std::uint64_t{last} << width);
    else
      add(more + static_cast<std::size_t>(lsb / chunk) - 1, cycle, part);
  }
}

// Registers.

std::size_t EdqaCore::Epoch::left_before(Cycle cycle) const {
  return static_cast<std::size_t>(
      std::partition_point(groups.begin(), groups.end(), [=](const Group& g) { return g.out < cycle; }) -
      groups.begin());
}

bool EdqaCore::Epoch::running(Cycle cycle) const {
  const auto inside = groups.begin() + static_cast<std::ptrdiff_t>(left_before(cycle));
  return (inside == groups.end() ? open : inside->first_in) < cycle ||
         std::any_of(builds.begin(), builds.end(),
                     [=](const Span& build) { return cycle >= build.from && cycle < build.until; });
}

std::uint32_t EdqaCore::Epoch::size(int entry, int lane_bits, Cycle cycle) const {
  const std::vector<Size>& all = sizes[static_cast<std::size_t>(entry & ((1 << lane_bits) - 1))];
  for (auto size = all.rbegin(); size != all.rend(); ++size)
    if (size->row == entry >> lane_bits && size->encoded < cycle)
      return size->bits;
  return old_sizes[static_cast<std::size_t>(entry)];
}

// Cycles with something inside up to `until`, of which those behind the first `left` groups are because
// of a group that came in from `first_in` on.
Cycle EdqaCore::Epoch::busy(std::size_t left, Cycle first_in, Cycle until) const {
  const Cycle before = left ? groups[left - 1].busy : 0, from = left ? groups[left - 1].out : 0;
  return before + until - std::min(until, std::max(from, first_in));
}

std::uint32_t EdqaCore::Epoch::cycles(Cycle cycle) const {
  const Cycle until = std::min(cycle - 1, error_at);
  const std::size_t left = left_before(until + 1);
  Cycle cycles = busy(left, left < groups.size() ? groups[left].first_in : open, until);
  for (const Span& build : builds) // nothing is inside then
    cycles += std::min(build.until, std::max(build.from, until + 1)) - build.from;
  return static_cast<std::uint32_t>(cycles);
}

void EdqaCore::set(const Registers& registers, Cycle cycle) {
  if (cycle != registers_since_) // else the values before this cycle stay what it shows
    old_registers_ = registers_;
  registers_ = registers;
  registers_since_ = cycle;
}

bool EdqaCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) {
  constexpr unsigned all = 0xf;
  if (strobes != all)
    return strobes == 0;
  if (address == edqa_reg::control && ((data & edqa_control_reset) || !(data & edqa_control_start))) {
    if (data & edqa_control_reset) {
      reset(cycle + 1);
      if (trace_)
        trace_->reset_after(cycle, port_in);
      Registers registers = registers_;
      registers.ready_from = never;
      set(registers, cycle);
    }
    return true;
  }
  const bool value_comes =
      now_.open == cycle || std::any_of(now_.groups.rbegin(), now_.groups.rend(),
                                        [=](const Group& group) { return group.first_in == cycle; });
  if (now_.error_at < cycle || now_.running(cycle) || value_comes)
    return false;
  return write_idle(address, data, cycle);
}

bool EdqaCore::write_idle(std::uint32_t address, std::uint32_t data, Cycle cycle) {
  if (address == edqa_reg::control) {
    take_back(cycle);
    start(cycle);
    return true;
  }
  if (address == edqa_reg::inject) {
    take_back(cycle);
    pipe_.injection = {true, data & 63, data >> 16 & 0xfff};
    return true;
  }
  Registers registers = registers_;
  registers.ready_from = never;
  EdqaSettings& settings = registers.settings;
  const std::uint32_t count = static_cast<std::uint32_t>(settings.count);
  switch (address) {
  case edqa_reg::config:
    settings = EdqaSettings::of(data, count, settings.row_register());
    break;
  case edqa_reg::count:
    settings = EdqaSettings::of(settings.config(), data, settings.row_register());
    break;
  case edqa_reg::row:
    settings = EdqaSettings::of(settings.config(), count, data);
    break;
  default:
    if (!write_table(address, data))
      return false;
  }
  set(registers, cycle);
  take_back(cycle);
  return true;
}

bool EdqaCore::write_table(std::uint32_t address, std::uint32_t data) {
  if (address % 4)
    return false;
  const std::size_t index = address / 4 % edqa_entries;
  const std::uint32_t page = address & ~std::uint32_t{0xff};
  const bool is_lane =
      (index & ((1u << config_.lane_bits()) - 1)) < static_cast<std::size_t>(config_.channels);
  if (page == edqa_reg::scales && is_lane) {
    const int bits = edqa_magnitude_bits(config_.format);
    tables_.scales[index] = bits == 32 ? data : data & ((1u << bits) - 1);
  } else if (page == edqa_reg::direct && is_lane) {
    tables_.direct[index] = data & 1;
  } else if (page == edqa_reg::book_of && config_.books > 1) {
    tables_.book_of[index] = static_cast<std::uint8_t>(data & static_cast<std::uint32_t>(config_.books - 1));
  } else if (address >= edqa_reg::lengths && address < edqa_reg::lengths + 0x800) {
    const std::size_t book = (address - edqa_reg::lengths) / 256;
    if (book >= static_cast<std::size_t>(config_.books) || index >= std::size_t{1} << config_.symbol_bits())
      return false;
    tables_.lengths[book][index] = data & 15;
  } else {
    return false;
  }
  return true;
}

void EdqaCore::start(Cycle cycle) {
  Registers registers = registers_;
  const EdqaSettings& settings = registers.settings;
  now_.started = now_.groups.size();
  pipe_.channels = 0;
  for (Lane& lane : pipe_.lanes)
    lane.coded = 0;
  books_.clear();
  entries_.clear();
  if (!complaint(config_, settings).empty()) {
    fail(EdqaError::configuration, cycle);
    registers.ready_from = never;
  } else {
    const bool whole = settings.mode == EdqaMode::whole;
    const int books = whole ? settings.books : settings.mode == EdqaMode::fixed && settings.extra > 0;
    const std::size_t symbols = std::size_t{1} << (whole ? settings.total_bits() : settings.extra);
    const CodeBookTiming timing{symbols};
    Cycle at = cycle + 1;
    bool good = true;
    for (int b = 0; good && b < books; ++b) {
      const auto& lengths = tables_.lengths[static_cast<std::size_t>(b)];
      std::vector<int> all(std::size_t{1} << config_.symbol_bits());
      std::copy_n(lengths.begin(), symbols, all.begin());
      books_.emplace_back(std::move(all));
      good = books_.back().fault == BookFault::none;
      entries_.push_back(code_entries(books_.back()));
      at += (good ? timing.build() : timing.fault()) + 1;
    }
    if (books)
      now_.builds.push_back({cycle + 1, at});
    if (!good)
      fail(EdqaError::book, at - 1);
    if (books || registers.ready_from == never)
      registers.ready_from = good ? at : never;
  }
  set(registers, cycle);
}

TopModel::ReadResult EdqaCore::read(std::uint32_t address, Cycle cycle) const {
  const Epoch& epoch = cycle > now_.begin ? now_ : before_;
  const Registers& current = registers(cycle);
  switch (address) {
  case edqa_reg::id:
    return {edqa_id, true};
  case edqa_reg::status: {
    std::uint32_t status = epoch.running(cycle) ? 1 : 0;
    if (epoch.error_at < cycle)
      status =
          3 | static_cast<std::uint32_t>(epoch.error) << 8 | static_cast<std::uint32_t>(epoch.fault) << 14;
    status |= static_cast<std::uint32_t>(current.ready_from <= cycle) << 4;
    for (std::size_t f = 0; f < epoch.flags.size(); ++f)
      status |= static_cast<std::uint32_t>(epoch.flags[f] < cycle) << (16 + f);
    return {status, true};
  }
  case edqa_reg::groups:
    return {static_cast<std::uint32_t>(epoch.left_before(cycle)), true};
  case edqa_reg::config:
    return {current.settings.config(), true};
  case edqa_reg::count:
    return {static_cast<std::uint32_t>(current.settings.count), true};
  case edqa_reg::row:
    return {current.settings.row_register(), true};
  case edqa_reg::cycles:
    return {epoch.cycles(cycle), true};
  case edqa_reg::design:
    return {static_cast<std::uint32_t>(static_cast<int>(config_.format) | config_.bits << 4 |
                                       config_.extra << 8 | config_.dynamic << 12 | config_.whole << 13 |
                                       config_.books << 16 | config_.channels << 20),
            true};
  case edqa_reg::depth:
    return {static_cast<std::uint32_t>(config_.depth), true};
  default:
    break;
  }
  const int entry = static_cast<int>(address - edqa_reg::sizes) / 4;
  if (address % 4 || address < edqa_reg::sizes || entry >= edqa_entries ||
      (entry & ((1 << config_.lane_bits()) - 1)) >= config_.channels)
    return {0, false};
  return {epoch.size(entry, config_.lane_bits(), cycle), true};
}

// In the reset's cycles there are no beats, and what was computed beyond its first one never comes.
void EdqaCore::reset(Cycle cycle) {
  Epoch next;
  next.begin = cycle;
  next.sizes.resize(now_.sizes.size());
  for (int i = 0; i < edqa_entries; ++i)
    if ((i & ((1 << config_.lane_bits()) - 1)) < config_.channels)
      next.old_sizes[static_cast<std::size_t>(i)] = now_.size(i, config_.lane_bits(), cycle);
  before_ = std::exchange(now_, std::move(next));
  pipe_ = Pipe(config_);
  pipe_.input_free = cycle + 1;
  for (Lane& lane : pipe_.lanes)
    lane.decoder.reset(cycle + 1);
}

void EdqaCore::hard_reset(Cycle cycle) {
  reset(cycle);
  Registers registers;
  registers.settings = EdqaSettings::initial(config_);
  set(registers, cycle);
  if (trace_ && cycle)
    trace_->drop_cycles_after(cycle - 1, port_in);
}

// Nothing is inside in `cycle`: what comes later was computed ahead of a write that changes it.
void EdqaCore::take_back(Cycle cycle) {
  while (!now_.groups.empty() && now_.groups.back().first_in > cycle)
    now_.groups.pop_back();
  now_.open = never;
  for (std::vector<Size>& sizes : now_.sizes)
    while (!sizes.empty() && sizes.back().encoded > cycle)
      sizes.pop_back();
  if (now_.error_at != never && now_.error_at > cycle) {
    now_.error_at = never;
    now_.error = EdqaError::none;
    now_.fault = StreamFault::none;
  }
  for (Cycle& flag : now_.flags)
    if (flag > cycle)
      flag = never;
  if (trace_)
    trace_->drop_cycles_after(cycle, port_in);
  const Injection injection =
      pipe_.channels == now_.groups.size() - now_.started ? pipe_.injection : Injection{};
  pipe_ = Pipe(config_);
  pipe_.injection = injection;
  pipe_.channels = now_.groups.size() - now_.started;
  pipe_.input_free = std::max(now_.begin + 1, cycle + 1);
  for (std::size_t l = 0; l < pipe_.lanes.size(); ++l) {
    Lane& lane = pipe_.lanes[l];
    lane.decoder.reset(cycle + 1);
    for (std::uint64_t channel = 0; channel < pipe_.channels; ++channel) {
      const auto rows = static_cast<std::uint64_t>(registers_.settings.count);
      const std::size_t at = static_cast<std::size_t>(channel % rows) << config_.lane_bits() | l;
      lane.coded += registers_.settings.extra > 0 && !tables_.direct[at];
    }
  }
}

void EdqaCore::fail(EdqaError error, Cycle cycle, StreamFault fault) {
  if (cycle > now_.error_at || (cycle == now_.error_at && error >= now_.error))
    return;
  now_.error = error;
  now_.error_at = cycle;
  now_.fault = fault;
}

void EdqaCore::flag(unsigned flags, unsigned first, Cycle cycle) {
  for (; flags; flags >>= 1, ++first)
    if (flags & 1)
      now_.flags[first] = std::min(now_.flags[first], cycle);
}

// Values in.

void EdqaCore::set_sink(std::size_t, OutputSink sink) { sink_ = std::move(sink); }

int EdqaCore::entry(std::size_t lane) const {
  const auto rows = static_cast<std::uint64_t>(registers_.settings.count);
  return static_cast<int>(pipe_.channels % rows) << config_.lane_bits() | static_cast<int>(lane);
}

bool EdqaCore::is_coded(const Lane& lane) const {
  const EdqaSettings& settings = registers_.settings;
  return settings.mode == EdqaMode::whole || (settings.extra > 0 && !lane.direct);
}

// The first cycle in which a lane takes the next value.
Cycle EdqaCore::room(const Lane& lane) const {
  const std::uint64_t value = pipe_.values, channel = pipe_.channels;
  const bool first = pipe_.beats.empty();
  if (registers_.settings.mode == EdqaMode::paper)
    return std::max(behind(lane.popped, value, config_.value_depth()),
                    behind(lane.begun[channel % lane.begun.size()], first && channel >= lane.begun.size()));
  return std::max({behind(lane.encoded, value, config_.symbol_depth()),
                   behind(lane.taken, value, config_.quantized_depth()),
                   behind(lane.ended[channel % most_channels], first && channel >= most_channels)});
}

std::size_t EdqaCore::offer(std::size_t, const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken) {
  const int value_bytes = edqa_value_bits(config_.format) / 8;
  const auto beat_bytes = static_cast<std::size_t>(value_bytes * config_.channels);
  if (registers_.ready_from == never)
    return 0;
  Cycle offered = from;
  for (std::size_t i = 0; i < burst.beats; ++i) {
    if (burst.gaps)
      offered += burst.gaps(i);
    offered = std::max({offered, pipe_.input_free, registers_.ready_from});
    Cycle beat = offered;
    for (const Lane& lane : pipe_.lanes)
      beat = std::max(beat, room(lane));
    if (beat == never || beat > now_.error_at)
      return i;
    if (const std::size_t count = offer_group(burst, i, beat, taken)) {
      from = pipe_.input_free;
      offered = from;
      i += count - 1;
      continue;
    }
    const std::uint8_t* const data = burst.data + i * beat_bytes;
    const bool last = burst.last(i);
    add_stream(port_in, more_in_, beat, data, input_bits(config_), last);
    if (taken)
      taken->push_back(beat);
    offered = from = pipe_.input_free = beat + 1;
    if (!last && pipe_.beats.size() + 1 == static_cast<std::size_t>(config_.depth)) {
      fail(EdqaError::length, beat);
      return i + 1;
    }
    if (pipe_.beats.empty())
      now_.open = beat;
    for (std::size_t l = 0; l < pipe_.lanes.size(); ++l) {
      const std::uint8_t* const value = data + l * static_cast<std::size_t>(value_bytes);
      take(l, static_cast<std::uint32_t>(little_endian(value, value_bytes)), beat, last);
    }
    pipe_.beats.push_back(beat);
    ++pipe_.values;
    if (last)
      finish_group();
  }
  return burst.beats;
}

void EdqaCore::take(std::size_t l, std::uint32_t value, Cycle beat, bool last) {
  Lane& lane = pipe_.lanes[l];
  const EdqaSettings& settings = registers_.settings;
  const EdqaMagnitude magnitude = edqa_magnitude(config_.format, settings.is_signed, value);
  flag(magnitude.flags, first_input_flag, beat);
  const bool first = pipe_.beats.empty(), paper = settings.mode == EdqaMode::paper;
  if (first) {
    const auto at = static_cast<std::size_t>(entry(l));
    lane.direct = settings.mode != EdqaMode::whole && tables_.direct[at];
    lane.maximum = paper ? 0 : tables_.scales[at];
    lane.values.clear();
    lane.quantities.clear();
    lane.words.clear();
    lane.bits = 0;
    lane.unfinished = false;
    lane.flipped = false;
  }
  if (paper) {
    lane.maximum = std::max(lane.maximum, magnitude.magnitude);
    lane.values.push_back(magnitude);
    return;
  }
  const int v = edqa_quantize(config_.format, settings.scheme(), magnitude, lane.maximum, lane.direct);
  quantized(l, v, beat + 1 + edqa_quantizer_latency(settings.total_bits()), last);
}

unsigned EdqaCore::symbol(int v) const {
  const EdqaSettings& settings = registers_.settings;
  const int bits = settings.mode == EdqaMode::whole ? settings.total_bits() : settings.extra;
  return static_cast<unsigned>(v) & ((1u << bits) - 1);
}

bool EdqaCore::has_contexts() const {
  return registers_.settings.mode == EdqaMode::whole && registers_.settings.books > 1;
}

// The book of a symbol, chosen by the one above.
unsigned EdqaCore::context(unsigned above) const {
  return tables_.book_of[above] & static_cast<unsigned>(registers_.settings.books - 1);
}

// A value leaves the quantizer in `cycle`; with static books its symbol goes on to the encoder.
void EdqaCore::quantized(std::size_t l, int v, Cycle cycle, bool last) {
  Lane& lane = pipe_.lanes[l];
  const std::size_t index = lane.quantities.size();
  lane.quantities.push_back(static_cast<std::int16_t>(v));
  const auto payload = static_cast<std::uint64_t>(v) & ((1u << config_.max_bits()) - 1);
  add(port(l, lane_quantized), cycle, payload | std::uint64_t{last} << config_.max_bits());
  if (registers_.settings.mode == EdqaMode::paper)
    return;
  const auto row = static_cast<std::size_t>(registers_.settings.row);
  const unsigned book = has_contexts() && index >= row ? context(symbol(lane.quantities[index - row])) : 0;
  encode(l, index, cycle + 2, last, is_coded(lane) ? &entries_[book] : nullptr, book);
}

// A symbol that is offered to the encoder from `offered` on; without entries it adds no bits.
void EdqaCore::encode(std::size_t l, std::size_t index, Cycle offered, bool last,
                      const std::vector<CodeEntry>* entries, unsigned book) {
  Lane& lane = pipe_.lanes[l];
  const Cycle beat = lane.unfinished && pipe_.code_stop != never && offered > pipe_.code_stop
                         ? never
                         : lane.encoder.take(offered);
  if (beat == never || beat > pipe_.code_stop) {
    lane.unfinished = true;
    lane.encoded.push(never);
    return;
  }
  lane.encoded.push(lane.last_encoded = beat);
  const unsigned code = entries ? symbol(lane.quantities[index]) : 0;
  add(port(l, lane_encode), beat,
      (entries ? book : 0) | code << 3 | std::uint64_t{last} << (3 + config_.symbol_bits()));
  const CodeEntry entry = entries ? (*entries)[code] : CodeEntry{};
  if (entries && entry.length == 0) {
    lane.unfinished = lane.stopped = true;
    pipe_.code_stop = std::min(pipe_.code_stop, beat + 1);
    fail(EdqaError::code, beat + 1);
  }
  lane.bits += entry.length;
  packed_.clear();
  pack(lane.packer, entry, last, packed_);
  for (EncodedWord& word : packed_) {
    lane.encoder.emit(word, [&](Cycle from) { return lane.store.write(from, word.last); });
    if (l == 0 && pipe_.injection.armed && lane.words.size() == pipe_.injection.word) {
      pipe_.injection.armed = false;
      if (pipe_.injection.bit < stream_word_bits) {
        word.bits ^= std::uint64_t{1} << pipe_.injection.bit;
        lane.flipped = true;
      }
    }
    lane.unfinished = lane.unfinished || word.beat == never;
    lane.words.push_back(word.bits);
    add(port(l, lane_words), word.beat, word.bits | std::uint64_t{word.last} << stream_word_bits);
  }
  if (!last)
    return;
  if (l == 0)
    pipe_.injection.armed = false;
  const auto row = static_cast<int>(pipe_.channels % static_cast<std::uint64_t>(config_.rows()));
  now_.sizes[l].push_back({beat, lane.bits, row});
}

// A group's way.

void EdqaCore::finish_group() {
  if (registers_.settings.mode == EdqaMode::paper)
    for (std::size_t l = 0; l < pipe_.lanes.size(); ++l)
      quantize_paper(l);
  decode();
  pipe_.beats.clear();
  ++pipe_.channels;
}

// Of values whose places were taken again nobody asks.
void EdqaCore::forget(Lane& lane) const {
  const auto before = [&](BeatRuns& beats, int depth) {
    if (pipe_.values > static_cast<std::uint64_t>(depth))
      beats.forget_before(pipe_.values - static_cast<std::uint64_t>(depth));
  };
  before(lane.popped, config_.value_depth());
  before(lane.encoded, config_.symbol_depth());
  before(lane.taken, config_.quantized_depth());
}

// The cycle in which a channel is begun to be quantized, in mode paper.
Cycle EdqaCore::begin_of(const Lane& lane, Cycle last_in) const {
  const std::uint64_t channel = pipe_.channels;
  return std::max({last_in + 3, after(lane.quantized),
                   behind(lane.ended[channel % most_channels], channel >= most_channels),
                   behind(lane.counted[lane.coded % 2], is_coded(lane) && lane.coded >= 2)});
}

// From the queue of values to the store.
void EdqaCore::quantize_paper(std::size_t l) {
  Lane& lane = pipe_.lanes[l];
  const EdqaSettings& settings = registers_.settings;
  const std::uint64_t channel = pipe_.channels;
  const std::size_t count = lane.values.size();
  const std::uint64_t first = pipe_.values - count;
  const bool coded = is_coded(lane);
  const Cycle begin = begin_of(lane, pipe_.beats.back());
  lane.begun[channel % lane.begun.size()] = begin;
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(config_.builder_symbols()));
  std::vector<Cycle> offered(count);
  Cycle pop = begin;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t number = first + i;
    pop = std::max({after(pop), behind(lane.encoded, number, config_.symbol_depth()),
                    behind(lane.taken, number, config_.quantized_depth())});
    lane.popped.push(pop);
    const int v = edqa_quantize(config_.format, settings.scheme(), lane.values[i], lane.maximum, lane.direct);
    const Cycle cycle = pop == never ? never : pop + edqa_quantizer_latency(settings.total_bits());
    quantized(l, v, cycle, i + 1 == count);
    ++counts[symbol(v)];
    offered[i] = cycle == never ? never : cycle + 2;
  }
  lane.quantized = pop;

  lane.book_ready = after(begin);
  if (coded)
    prepare_book(l, counts, offered.back() == never ? never : offered.back() - 2);
  const Cycle encode_from = first_encode(lane);
  const std::vector<CodeEntry> entries = coded ? code_entries(lane.book) : std::vector<CodeEntry>();
  for (std::size_t i = 0; i < count; ++i) {
    const Cycle from = encode_from == never ? never : std::max(offered[i], encode_from + 1);
    encode(l, i, from, i + 1 == count, coded ? &entries : nullptr, lane.slot);
  }
}

// Counts to the builder, lengths to the book.
void EdqaCore::prepare_book(std::size_t l, const std::vector<std::uint64_t>& counts, Cycle last_symbol) {
  Lane& lane = pipe_.lanes[l];
  const auto symbols = static_cast<Cycle>(counts.size());
  lane.slot = static_cast<unsigned>(lane.coded % 4);
  std::vector<int> lengths = build_lengths(counts, config_.builder_limit()).lengths;
  lengths.resize(std::size_t{1} << config_.symbol_bits());
  const Cycle count_beat =
      std::max({after(last_symbol), after(lane.counted[(lane.coded + 1) % 2]), lane.builder_free});
  Cycle last_count = never, last_length = never;
  if (count_beat != never) {
    last_count = count_beat + symbols - 1;
    const BuilderTiming timing{config_.builder_symbols(), config_.builder_limit()};
    const Cycle length = std::max(last_count + timing.lengths(), lane.book_free);
    if (length != never) {
      last_length = length + symbols - 1;
      for (Cycle s = 0; trace_ && s < symbols; ++s)
        add(port(l, lane_lengths), length + s, static_cast<std::uint64_t>(lengths[s]));
    }
  }
  lane.counted[lane.coded % 2] = last_count;
  lane.builder_free = after(last_length);
  lane.book_ready = last_length == never ? never : last_length + CodeBookTiming{symbols}.build() + 1;
  lane.book = CodeTable(std::move(lengths));
  ++lane.coded;
}

// The cycle in which a channel is begun to be encoded, in mode paper.
Cycle EdqaCore::first_encode(Lane& lane) const {
  const std::uint64_t channel = pipe_.channels;
  const Cycle begun =
      std::max({lane.book_ready, after(lane.last_encoded),
                behind(lane.ended[(channel + most_channels - 2) % most_channels], channel >= 2)});
  if (is_coded(lane))
    lane.book_free = after(begun);
  return begun;
}

// Of the next symbol; null: it has no code.
const CodeTable* EdqaCore::book_of(const Lane& lane, const std::vector<std::uint8_t>& symbols) const {
  const EdqaSettings& settings = registers_.settings;
  if (!is_coded(lane))
    return nullptr;
  if (settings.mode == EdqaMode::paper)
    return &lane.book;
  const auto row = static_cast<std::size_t>(settings.row);
  return &books_[has_contexts() && symbols.size() >= row ? context(symbols[symbols.size() - row]) : 0];
}

EdqaResult EdqaCore::result(const Lane& lane, std::size_t index, unsigned symbol) const {
  const EdqaScheme scheme = registers_.settings.scheme();
  int q = scheme.quantized(lane.quantities[index]), se = static_cast<int>(symbol);
  if (registers_.settings.mode == EdqaMode::whole) {
    const bool below = scheme.is_signed && symbol >> (scheme.bits - 1);
    const int v = static_cast<int>(symbol) - (below << scheme.bits);
    q = scheme.quantized(v);
    se = scheme.shifting_error(v);
  }
  return edqa_dequantize(config_.format, scheme, q, se, lane.maximum);
}

void EdqaCore::decode() {
  const std::size_t count = pipe_.beats.size(), lanes = pipe_.lanes.size();
  const std::uint64_t first = pipe_.values - count;
  const Cycle latency = 2 + edqa_dequantizer_latency(config_.format);
  std::size_t handed = count; // by all lanes
  Cycle offered = first ? after(pipe_.outs[(first - 1) % output_depth]) : 0;
  std::vector<Cycle> takes(lanes, never);
  std::vector<std::vector<std::uint8_t>> symbols(lanes);
  for (std::size_t l = 0; l < lanes; ++l) {
    Lane& lane = pipe_.lanes[l];
    lane.stopped = lane.stopped || lane.unfinished;
    if (!lane.unfinished) {
      lane.decoder.offered_by([&lane](std::size_t, Cycle from) {
        const Cycle beat = std::max(from, lane.store.offered());
        lane.store.taken(beat);
        return beat;
      });
      lane.decoder.channel(lane.words);
      lane.waiting.insert(lane.waiting.end(), lane.words.begin(), lane.words.end());
      lane.waiting.back() |= std::uint64_t{1} << stream_word_bits;
    }
    if (!lane.stopped) {
      const Cycle free = after(pipe_.outs[first % output_depth]);
      takes[l] = free == never ? never : lane.decoder.ready(std::max(after(lane.decoded), free));
    }
    if (takes[l] == never || takes[l] > pipe_.take_stop) {
      takes[l] = never;
      handed = 0;
      continue;
    }
    offered = offered == never ? never : std::max(offered, takes[l] + latency);
    ChannelDecoderCore probe; // what a corrupt channel gives, whenever that is
    if (lane.flipped) {
      probe.reset(0);
      probe.offered_by([](std::size_t, Cycle from) { return from; });
      probe.channel(lane.words);
    }
    Cycle at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!lane.flipped) {
        symbols[l].push_back(static_cast<std::uint8_t>(is_coded(lane) ? symbol(lane.quantities[i]) : 0));
        continue;
      }
      at = probe.ready(at + 1);
      const ChannelDecoderCore::Symbol decoded = probe.take(book_of(lane, symbols[l]), at);
      if (decoded.fault != StreamFault::none || (i + 1 == count && probe.end(at) != StreamFault::none)) {
        handed = std::min(handed, i);
        break;
      }
      symbols[l].push_back(static_cast<std::uint8_t>(decoded.symbol));
    }
  }

  std::vector<Cycle> outs;
  const std::size_t bytes = static_cast<std::size_t>(output_bits(config_)) / 8, value_bytes = bytes / lanes;
  std::vector<std::uint8_t> data;
  if (handed && offered != never) {
    for (std::size_t i = 0; i < handed; ++i)
      for (std::size_t l = 0; l < lanes; ++l) {
        const auto value = static_cast<std::uint64_t>(result(pipe_.lanes[l], i, symbols[l][i]).value);
        for (std::size_t byte = 0; byte < value_bytes; ++byte)
          data.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
      }
    sink_({data.data(), static_cast<int>(handed), handed == count, offered}, outs);
  }
  outs.resize(count, never);
  for (std::size_t i = 0; trace_ && i < count; ++i)
    if (outs[i] != never)
      add_stream(port_out, more_out_, outs[i], data.data() + i * bytes, output_bits(config_), i + 1 == count);
  for (std::size_t l = 0; l < lanes; ++l)
    decode_lane(l, takes[l], outs);
  for (std::size_t i = count - std::min(count, output_depth); i < count; ++i)
    pipe_.outs[(first + i) % output_depth] = outs[i];

  const Cycle busy = now_.busy(now_.groups.size(), now_.open, outs.back());
  now_.groups.push_back({now_.open, pipe_.beats.back(), outs.back(), busy});
  now_.open = never;
}

// The channel's symbols are taken, the first one in `take`, when their places at the output are free.
void EdqaCore::decode_lane(std::size_t l, Cycle take, const std::vector<Cycle>& outs) {
  Lane& lane = pipe_.lanes[l];
  const std::size_t count = outs.size();
  const std::uint64_t first = pipe_.values - count;
  const Cycle latency = 1 + edqa_dequantizer_latency(config_.format);
  std::vector<std::uint8_t> symbols;
  Cycle ended = never;
  std::size_t i = 0;
  for (; i < count && take != never; ++i) {
    if (i) {
      const Cycle out = i < output_depth ? pipe_.outs[(first + i) % output_depth] : outs[i - output_depth];
      take = out == never ? never : lane.decoder.ready(std::max(lane.decoded, out) + 1);
    }
    if (take == never || take > pipe_.take_stop)
      break;
    lane.taken.push(lane.decoded = take);
    const ChannelDecoderCore::Symbol decoded = lane.decoder.take(book_of(lane, symbols), take);
    const bool last = i + 1 == count;
    const StreamFault at_end = last ? lane.decoder.end(take) : StreamFault::none;
    const StreamFault fault = decoded.fault != StreamFault::none ? decoded.fault : at_end;
    if (last)
      ended = take;
    if (fault != StreamFault::none) {
      pipe_.take_stop = std::min(pipe_.take_stop, take + 1);
      fail(EdqaError::stream, take + 1, fault);
      break;
    }
    symbols.push_back(static_cast<std::uint8_t>(decoded.symbol));
    if (take + 1 > pipe_.take_stop)
      break;
    add(port(l, lane_decoded), take + 1, symbols.back() | std::uint64_t{last} << config_.symbol_bits());
    flag(result(lane, i, symbols.back()).flags, first_output_flag, take + latency);
  }
  lane.ended[pipe_.channels % most_channels] = ended;
  lane.stopped = lane.stopped || i < count;
  if (lane.taken.size() < pipe_.values)
    lane.taken.push(never, pipe_.values - lane.taken.size());
  forget(lane);
  for (const Cycle beat : lane.decoder.accepted())
    if (beat < lane.decoder.failed_from())
      add(port(l, lane_stored), beat, lane.waiting[lane.accepted++]);
  lane.decoder.forget_accepted();
  lane.waiting.erase(lane.waiting.begin(), lane.waiting.begin() + static_cast<std::ptrdiff_t>(lane.accepted));
  lane.accepted = 0;
}

Cycle EdqaCore::stop_cycle() const {
  if (now_.open != never && now_.error_at == never)
    return never;
  Cycle drained = after(now_.begin);
  for (auto group = now_.groups.rbegin(); group != now_.groups.rend(); ++group)
    if (group->out != never || now_.error_at == never) {
      drained = std::max(drained, after(group->out));
      break;
    }
  if (!now_.builds.empty())
    drained = std::max(drained, now_.builds.back().until);
  return now_.error_at == never ? drained : std::max(drained, now_.error_at + 1);
}

std::vector<MemoryImage> EdqaCore::memories() const {
  std::vector<MemoryImage> images;
  for (int l = 0; l < config_.channels; ++l) {
    MemoryImage& image = images.emplace_back();
    image.path = "gen_lane[" + std::to_string(l) + "].u_lane.sizes_q";
    for (int row = 0; row < config_.rows(); ++row)
      image.words.push_back(now_.size(row << config_.lane_bits() | l, config_.lane_bits(), never));
  }
  return images;
}

std::string EdqaCore::save() const { return save_state(*this, state_owner("edqa", config_.parameters())); }

void EdqaCore::restore(const std::string& state) {
  restore_state(*this, state, state_owner("edqa", config_.parameters()));
}

} // namespace deltatwin
