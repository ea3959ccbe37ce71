#include "tops/codec/core.h"
#include "base/archive.h"
#include "blocks/axi_control.h"
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include "blocks/huffman_decoder.h"
#include "blocks/huffman_encoder.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

enum : std::size_t {
  port_in = 5,
  port_out,
  port_counts,
  port_lengths,
  port_table,
  port_encode,
  port_words,
  port_stored,
  port_decoded,
};

Cycle after(Cycle cycle) { return cycle == never ? never : cycle + 1; }

} // namespace

struct CodecCore::Coded {
  std::vector<std::uint64_t> words;
  Cycle encoded = never, stored = never; ///< beats of the last symbol and of the last word
  std::uint32_t bits = 0;
};

CodecCore::CodecCore(const CodecConfig& config)
    : config_(config), sink_(take_at_once), pipe_(config.symbols) {
  validate(config);
}

std::vector<Interface> CodecCore::interfaces(const CodecConfig& config) {
  const int symbol = config.symbol_bits();
  const Field clean("interior_rst_n");
  std::vector<Interface> all = axi_lite_interfaces("host", "codec_control");
  all.insert(
      all.end(),
      {{"host",
        "symbols in",
        {"s_axis_tvalid_i", "s_axis_tready_o"},
        {{"s_axis_tdata_i", 8}, "s_axis_tlast_i"}},
       {"codec",
        "symbols out",
        {"m_axis_tvalid_o", "m_axis_tready_i"},
        {{"m_axis_tdata_o", 8}, "m_axis_tlast_o"}},
       {"histogram", "counts", {"count_valid", "count_ready", clean}, {{"count", config.count_bits()}}},
       {"huffman_builder", "lengths", {"length_valid", "length_ready", clean}, {{"length", 4}}},
       {"huffman_code_book",
        "table",
        {"table_valid", clean},
        {{"table_book", 2},
         {"table_symbol", symbol},
         {"table_length", 4},
         {"table_code", 8},
         {"table_rank", symbol}}},
       {"codec", "encode", {"encode_beat", clean}, {{"encode_book_q", 2}, {"encode_symbol", symbol}, "last"}},
       {"huffman_encoder", "words", {"word_valid", clean}, {{"word", 36}, "word_last"}},
       {"code_store",
        "stored words",
        {"stored_valid", "stored_ready", clean},
        {{"stored_word", 36}, "stored_last"}},
       {"huffman_decoder", "decoded", {"decoded", clean}, {{"decoded_symbol", symbol}, "decoded_last_q"}}});
  return all;
}

void CodecCore::add(std::size_t interface, Cycle cycle, std::uint64_t payload) {
  if (trace_ && cycle != never)
    trace_->add(interface, {cycle, payload, {}, cycle});
}

// Registers.

std::size_t CodecCore::Epoch::encoded_before(Cycle cycle) const {
  return static_cast<std::size_t>(
      std::partition_point(blocks.begin(), blocks.end(), [=](const Block& b) { return b.encoded < cycle; }) -
      blocks.begin());
}

std::size_t CodecCore::Epoch::left_before(Cycle cycle) const {
  return static_cast<std::size_t>(
      std::partition_point(blocks.begin(), blocks.end(), [=](const Block& b) { return b.out < cycle; }) -
      blocks.begin());
}

std::uint32_t CodecCore::Epoch::size(unsigned index, Cycle cycle) const {
  const std::size_t count = encoded_before(cycle);
  if (count <= index)
    return sizes[index];
  return blocks[count - 1 - (count - 1 - index) % codec_sizes].bits;
}

std::uint32_t CodecCore::Epoch::status(Cycle cycle) const {
  if (error_at < cycle)
    return static_cast<std::uint32_t>(CodecStatus::error) | static_cast<std::uint32_t>(error) << 8;
  const auto inside = blocks.begin() + static_cast<std::ptrdiff_t>(left_before(cycle));
  const bool running = (inside == blocks.end() ? open : inside->first_in) < cycle;
  return static_cast<std::uint32_t>(running ? CodecStatus::running : CodecStatus::idle);
}

// Cycles with something inside up to `until`, of which those behind the first `left` blocks are because
// of a block that came in from `first_in` on.
Cycle CodecCore::Epoch::busy(std::size_t left, Cycle first_in, Cycle until) const {
  const Cycle before = left ? blocks[left - 1].busy : 0, from = left ? blocks[left - 1].out : 0;
  return before + until - std::min(until, std::max(from, first_in));
}

std::uint32_t CodecCore::Epoch::cycles(Cycle cycle) const {
  const Cycle until = std::min(cycle - 1, error_at);
  const std::size_t left = left_before(until + 1);
  return static_cast<std::uint32_t>(busy(left, left < blocks.size() ? blocks[left].first_in : open, until));
}

bool CodecCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) {
  constexpr unsigned all = 0xf;
  if (strobes != all)
    return strobes == 0;
  if (address != codec_reg::control)
    return false;
  if (data & codec_control_reset) {
    reset(cycle + 1);
    if (trace_)
      trace_->reset_after(cycle, port_in);
  }
  return true;
}

TopModel::ReadResult CodecCore::read(std::uint32_t address, Cycle cycle) const {
  const Epoch& epoch = cycle > now_.begin ? now_ : before_;
  switch (address) {
  case codec_reg::id:
    return {codec_id, true};
  case codec_reg::status:
    return {epoch.status(cycle), true};
  case codec_reg::blocks:
    return {static_cast<std::uint32_t>(epoch.encoded_before(cycle)), true};
  case codec_reg::alphabet:
    return {static_cast<std::uint32_t>(config_.symbols), true};
  case codec_reg::limit:
    return {static_cast<std::uint32_t>(config_.limit), true};
  case codec_reg::depth:
    return {static_cast<std::uint32_t>(config_.depth), true};
  case codec_reg::cycles:
    return {epoch.cycles(cycle), true};
  default:
    if (address % 4 == 0 && address >= codec_reg::sizes && address < codec_reg::sizes + 4 * codec_sizes)
      return {epoch.size((address - codec_reg::sizes) / 4, cycle), true};
    return {0, false};
  }
}

// In the reset's cycles there are no beats, and what was computed beyond its first one never comes.
void CodecCore::reset(Cycle cycle) {
  std::array<std::uint32_t, codec_sizes> sizes;
  for (unsigned i = 0; i < codec_sizes; ++i)
    sizes[i] = now_.size(i, cycle);
  before_ = std::move(now_);
  now_ = {};
  now_.begin = cycle;
  now_.sizes = sizes;
  pipe_ = Pipe(config_.symbols);
  input_free_ = cycle + 1;
  symbols_.clear();
  taken_ = 0;
  runs_.clear();
}

void CodecCore::hard_reset(Cycle cycle) {
  reset(cycle);
  if (trace_ && cycle)
    trace_->drop_cycles_after(cycle - 1, port_in);
}

// Symbols in.

void CodecCore::set_sink(std::size_t, OutputSink sink) { sink_ = std::move(sink); }

// The first cycle in which a symbol has a place in the queue: that of the one fifo_depth before it.
Cycle CodecCore::room(std::uint64_t symbol) {
  const auto depth = static_cast<std::uint64_t>(config_.fifo_depth());
  if (symbol < depth)
    return 0;
  const std::uint64_t old = symbol - depth;
  while (runs_.size() > 1 && runs_[1].first <= old)
    runs_.pop_front();
  const Run& run = runs_.front();
  return run.beat == never ? never : run.beat + (old - run.first) + 1;
}

std::size_t CodecCore::offer(std::size_t, const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken) {
  Cycle offered = from;
  for (std::size_t i = 0; i < burst.beats; ++i) {
    if (burst.gaps)
      offered += burst.gaps(i);
    offered = std::max(offered, input_free_);
    const Cycle beat = std::max(pipe_.histogram.beat(offered), room(taken_));
    if (now_.error_at != never || beat == never)
      return i;
    const std::uint8_t symbol = burst.data[i];
    const bool last = burst.last(i);
    add(port_in, beat, symbol | std::uint64_t{last} << 8);
    if (taken)
      taken->push_back(beat);
    offered = from = input_free_ = beat + 1;
    const bool outside = symbol >= config_.symbols;
    if (outside || (!last && symbols_.size() + 1 == static_cast<std::size_t>(config_.depth))) {
      now_.error = outside ? CodecError::symbol : CodecError::length;
      now_.error_at = beat;
      return i + 1;
    }
    if (symbols_.empty())
      now_.open = beat;
    symbols_.push_back(symbol);
    pipe_.histogram.take(symbol, last, beat);
    ++taken_;
    if (last)
      finish_block();
  }
  return burst.beats;
}

// A block's way.

void CodecCore::finish_block() {
  std::vector<int> lengths;
  const Cycle built = build(lengths);
  const CodeTable table(std::move(lengths));
  record_table(table, built);
  const Cycle begin = built == never ? never
                                     : std::max({built + code_book_timing(config_.symbol_bits()).build() + 1,
                                                 pipe_.encoder_free, pipe_.released[0]});
  pipe_.book_free = after(begin);
  const Coded coded = encode(table, after(begin));
  const Cycle out = decode(table, coded);
  const Cycle busy = now_.busy(now_.blocks.size(), now_.open, out);
  now_.blocks.push_back({now_.open, coded.encoded, out, busy, coded.bits});
  now_.open = never;
  symbols_.clear();
}

// Counts to the builder and lengths to the book; gives the last length's beat.
Cycle CodecCore::build(std::vector<int>& lengths) {
  const std::vector<std::uint64_t>& counts = pipe_.histogram.counts();
  const Cycle n = counts.size();
  lengths = build_lengths(counts, config_.limit).lengths;
  const Cycle first =
      pipe_.builder_free == never ? never : std::max(pipe_.histogram.offered(), pipe_.builder_free);
  pipe_.builder_free = never;
  Cycle last_length = never;
  if (first != never) {
    for (Cycle s = 0; trace_ && s < n; ++s)
      add(port_counts, first + s, counts[s]);
    pipe_.histogram.given(first + n - 1);
    const Cycle offered = first + n - 1 + BuilderTiming{config_.symbols, config_.limit}.lengths();
    if (pipe_.book_free != never) {
      const Cycle beat = std::max(offered, pipe_.book_free);
      for (Cycle s = 0; trace_ && s < n; ++s)
        add(port_lengths, beat + s, static_cast<std::uint64_t>(lengths[s]));
      last_length = beat + n - 1;
      pipe_.builder_free = last_length + 1;
    }
  }
  lengths.resize(std::size_t{1} << config_.symbol_bits());
  return last_length;
}

void CodecCore::record_table(const CodeTable& table, Cycle started) {
  if (!trace_ || started == never)
    return;
  const int bits = config_.symbol_bits();
  const std::uint64_t book = now_.blocks.size() % codec_books;
  for (std::size_t s = 0; s < table.lengths.size(); ++s) {
    std::uint64_t entry = static_cast<std::uint64_t>(table.ranks[s]);
    entry = entry << 8 | table.codes[s];
    entry = entry << 4 | static_cast<std::uint64_t>(table.lengths[s]);
    entry = entry << bits | s;
    add(port_table, started + code_book_timing(bits).table() + s, entry << 2 | book);
  }
}

CodecCore::Coded CodecCore::encode(const CodeTable& table, Cycle from) {
  Coded coded;
  const std::vector<CodeEntry> entries = code_entries(table);
  const std::uint64_t book = now_.blocks.size() % codec_books;
  BitPacker packer;
  EncoderTiming timing;
  std::vector<EncodedWord> words;
  const Cycle ready = from == never ? never : std::max(from, pipe_.encoder_ready);
  Cycle beat = ready;
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    const bool last = i + 1 == symbols_.size();
    const CodeEntry entry = entries[symbols_[i]];
    coded.bits += entry.length;
    if (ready == never)
      continue;
    beat = timing.take(beat);
    if (i == 0)
      runs_.push_back({taken_ - symbols_.size(), beat});
    add(port_encode, beat, (std::uint64_t{last} << config_.symbol_bits() | symbols_[i]) << 2 | book);
    words.clear();
    pack(packer, entry, last, words);
    for (EncodedWord& word : words) {
      timing.emit(word, Pacer{});
      coded.words.push_back(word.bits);
      add(port_words, word.beat, word.bits | std::uint64_t{word.last} << stream_word_bits);
      coded.stored = word.beat;
    }
    coded.encoded = beat++;
  }
  if (ready == never)
    runs_.push_back({taken_ - symbols_.size(), never});
  pipe_.encoder_free = after(coded.encoded);
  pipe_.encoder_ready = coded.stored; // later than encoder_free, where a rest was flushed
  return coded;
}

// Gives the beat of the last symbol at the output.
Cycle CodecCore::decode(const CodeTable& table, const Coded& coded) {
  pipe_.released[0] = std::exchange(pipe_.released[1], never);
  if (coded.stored == never || pipe_.released[0] == never)
    return never;
  HuffmanDecoderCore decoder;
  if (pipe_.decoded == 0)
    decoder.reset(now_.begin + 1);
  else
    decoder.resume(pipe_.decoded);
  decoder.stream(coded.words, [&](std::size_t index, Cycle from) {
    return index ? from : std::max(from, coded.stored + 2);
  });
  const auto credit = [&](std::size_t i) -> Cycle& { return pipe_.credits[(pipe_.sent + i) % 4]; };
  Cycle take = decoder.ready(credit(0));
  if (take == never)
    return never;
  std::vector<Cycle> popped;
  const int beats = static_cast<int>(symbols_.size());
  popped.reserve(symbols_.size());
  // Behind the symbol before. A symbol that has to wait for a place waits no longer than that.
  const Cycle offered = credit(3) == never ? never : std::max(take + 2, credit(3));
  if (offered == never)
    popped.assign(symbols_.size(), never);
  else
    sink_({symbols_.data(), beats, true, offered}, popped);
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    take = credit(i) == never ? never : decoder.ready(std::max(take, credit(i)));
    if (take == never)
      return never;
    const std::uint64_t last = i + 1 == symbols_.size();
    const auto symbol = static_cast<std::uint64_t>(decoder.take(table, take).symbol);
    add(port_decoded, take + 1, last << config_.symbol_bits() | symbol);
    add(port_out, popped[i], last << 8 | symbol);
    credit(i) = after(popped[i]);
    ++take;
  }
  pipe_.decoded = take - 1;
  pipe_.released[1] = take;
  decoder.end(pipe_.decoded);
  for (std::size_t i = 0; trace_ && i < coded.words.size(); ++i)
    add(port_stored, decoder.accepted()[i],
        coded.words[i] | std::uint64_t{i + 1 == coded.words.size()} << stream_word_bits);
  pipe_.sent += symbols_.size();
  return popped.back();
}

Cycle CodecCore::stop_cycle() const {
  if (now_.open != never && now_.error_at == never)
    return never;
  const Cycle drained = now_.blocks.empty() ? after(now_.begin) : after(now_.blocks.back().out);
  return now_.error_at == never ? drained : std::max(drained, now_.error_at + 1);
}

std::vector<MemoryImage> CodecCore::memories() const {
  MemoryImage sizes{"u_control.sizes_q", {}};
  for (unsigned i = 0; i < codec_sizes; ++i)
    sizes.words.push_back(now_.size(i, never));
  return {sizes};
}

std::string CodecCore::save() const { return save_state(*this, state_owner("codec", config_.parameters())); }

void CodecCore::restore(const std::string& state) {
  restore_state(*this, state, state_owner("codec", config_.parameters()));
}

} // namespace deltatwin
