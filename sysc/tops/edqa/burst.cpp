// Whole channels that come without pauses and that nothing holds up: each step of their way is a run of
// beats, one per cycle, so that its cycles are told without following values one by one. What happens is what
// core.cpp says of the same values, which stands in wherever a condition here does not hold.
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include "tops/edqa/channel_values.h"
#include "tops/edqa/core.h"
#include <algorithm>
#include <cstring>

namespace deltatwin {
namespace {

constexpr std::size_t fewest = 16; ///< values: the output queue's, and the encoder's first ones
constexpr std::uint32_t half_word = stream_word_bits / 2;

} // namespace

// What is found of a lane's channel.
struct EdqaCore::Burst {
  std::size_t count = 0;
  Cycle beat = 0, last_in = 0; ///< of its first value, of its last one
  Cycle begin = 0;             ///< in mode paper
  std::vector<Run> pops;       ///< in mode paper
  Cycle quantized = 0;         ///< its first value leaves the quantizer
  ChannelValues values;
  std::vector<std::int16_t> quantities;
  std::vector<std::uint16_t> marks; ///< the symbol that comes to each half word of its codes
  std::uint32_t bits = 0;
  std::size_t words = 1;
  Cycle accepted = 0, opened = 0, take = 0; ///< its first word at the decoder, its first take
};

std::size_t EdqaCore::offer_group(const StreamBurst& burst, std::size_t first, Cycle beat,
                                  std::vector<Cycle>* taken) {
  if (trace_ || burst.gaps || !burst.tlast || !pipe_.beats.empty() || now_.error_at != never ||
      pipe_.injection.armed || pipe_.code_stop != never || pipe_.take_stop != never ||
      std::find(pipe_.outs.begin(), pipe_.outs.end(), never) != pipe_.outs.end())
    return 0;
  const void* const end = std::memchr(burst.tlast + first, 1, burst.beats - first);
  if (!end)
    return 0;
  const std::size_t count =
      static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - burst.tlast) - first + 1;
  if (count < fewest || count > static_cast<std::size_t>(config_.depth))
    return 0;
  const std::size_t value_bytes = static_cast<std::size_t>(edqa_value_bits(config_.format)) / 8;
  const std::size_t lanes = pipe_.lanes.size(), beat_bytes = value_bytes * lanes;
  std::vector<Queue> queues;
  if (registers_.settings.mode == EdqaMode::paper)
    for (const Lane& lane : pipe_.lanes)
      queues.push_back({&lane.popped, static_cast<std::uint64_t>(config_.value_depth())});
  const std::vector<Run> in = runs_behind(queues, count, beat);
  const Cycle last_in = last_of(in, count);
  if (last_in == never)
    return 0;
  std::vector<Burst> plans(lanes);
  for (std::size_t l = 0; l < lanes; ++l) {
    plans[l].count = count;
    plans[l].values = {burst.data + first * beat_bytes + l * value_bytes, beat_bytes, count};
    plans[l].beat = beat;
    plans[l].last_in = last_in;
    if (!plan(l, plans[l]))
      return 0;
  }

  const Cycle latency = 2 + edqa_dequantizer_latency(config_.format);
  Cycle offered = pipe_.values ? pipe_.outs[(pipe_.values - 1) % output_depth] + 1 : 0;
  for (std::size_t l = 0; l < lanes; ++l) {
    store(l, plans[l]);
    offered = std::max(offered, plans[l].take + latency);
  }
  const std::vector<std::uint8_t> bytes = dequantized(plans);
  std::vector<Cycle> outs;
  outs.reserve(count);
  sink_({bytes.data(), static_cast<int>(count), true, offered}, outs);
  for (std::size_t l = 0; l < lanes; ++l)
    decode_burst(l, plans[l], outs);
  const std::uint64_t number = pipe_.values;
  for (std::size_t i = count - output_depth; i < count; ++i)
    pipe_.outs[(number + i) % output_depth] = outs[i];
  now_.groups.push_back({beat, last_in, outs.back(), now_.busy(now_.groups.size(), beat, outs.back())});
  pipe_.values += count;
  pipe_.input_free = last_in + 1;
  ++pipe_.channels;
  for (Lane& lane : pipe_.lanes)
    forget(lane);
  for (std::size_t i = 0, run = 0; taken && i < count; ++i) {
    run += run + 1 < in.size() && in[run + 1].first == i;
    taken->push_back(in[run].cycle + (i - in[run].first));
  }
  return count;
}

// When the next values have their beats, the first one's in `cycle` at the earliest, each where its place in
// every queue is free.
std::vector<EdqaCore::Run> EdqaCore::runs_behind(const std::vector<Queue>& queues, std::size_t count,
                                                 Cycle cycle) const {
  std::vector<Run> runs = {{0, cycle}};
  for (std::size_t i = 0; i < count;) {
    const std::uint64_t number = pipe_.values + i;
    const Cycle in_turn = runs.back().cycle + (i - runs.back().first);
    std::uint64_t run = count - i;
    Cycle next = in_turn;
    for (const Queue& queue : queues) {
      if (number < queue.places) {
        run = std::min(run, queue.places - number);
      } else {
        run = std::min(run, queue.left->run_from(number - queue.places));
        next = std::max(next, after(queue.left->at(number - queue.places)));
      }
    }
    if (next == never)
      return {{0, never}};
    if (i == 0)
      runs.back().cycle = next;
    else if (next != in_turn)
      runs.push_back({i, next});
    i += run;
  }
  return runs;
}

Cycle EdqaCore::last_of(const std::vector<Run>& runs, std::size_t count) {
  return runs.back().cycle == never ? never : runs.back().cycle + (count - 1 - runs.back().first);
}

// Whether nothing holds the channel up; nothing has happened then.
bool EdqaCore::plan(std::size_t l, Burst& burst) {
  Lane& lane = pipe_.lanes[l];
  const EdqaSettings& settings = registers_.settings;
  if (lane.stopped || lane.unfinished)
    return false;
  const Cycle quantizer = edqa_quantizer_latency(settings.total_bits());
  const bool paper = settings.mode == EdqaMode::paper;
  const auto at = static_cast<std::size_t>(entry(l));
  lane.direct = settings.mode != EdqaMode::whole && tables_.direct[at];
  const bool coded = is_coded(lane);
  const Queue encoded{&lane.encoded, static_cast<std::uint64_t>(config_.symbol_depth())},
      taken{&lane.taken, static_cast<std::uint64_t>(config_.quantized_depth())};
  if (paper) {
    burst.begin = begin_of(lane, burst.last_in);
    if (burst.begin == never)
      return false;
    burst.pops = runs_behind({encoded, taken}, burst.count, burst.begin + 1);
    // Where symbols wait for a book, pauses between them are over by then.
    if (last_of(burst.pops, burst.count) == never || (burst.pops.size() > 1 && !coded))
      return false;
    burst.quantized = burst.pops.front().cycle + quantizer;
  } else {
    const std::vector<Run> runs = runs_behind({encoded, taken}, burst.count, burst.beat);
    if (runs.size() > 1 || runs.front().cycle != burst.beat)
      return false;
    burst.quantized = burst.beat + 1 + quantizer;
  }
  if (lane.store.room((max_code_length * burst.count) / stream_word_bits + 2) > burst.quantized)
    return false;

  const EdqaScheme scheme = settings.scheme();
  lane.maximum =
      paper ? largest_magnitude(config_.format, settings.is_signed, burst.values) : tables_.scales[at];
  if (!vectorizable(config_.format, burst.values) || !vectorizable(config_.format, scheme, lane.maximum))
    return false;
  quantize_channel(config_.format, scheme, lane.direct, lane.maximum, burst.values, burst.quantities);
  if (paper || !coded)
    return true;
  mark(burst, books_.data());
  return burst.bits > 0; // 0: a value has no code
}

// Where codes come to in their words; bits are 0 where a value has no code.
void EdqaCore::mark(Burst& burst, const CodeTable* books) const {
  const EdqaSettings& settings = registers_.settings;
  const unsigned mask = symbol(-1);
  const std::size_t count = has_contexts() ? static_cast<std::size_t>(settings.books) : 1;
  const std::size_t row =
      count > 1 ? std::min(static_cast<std::size_t>(settings.row), burst.count) : burst.count;
  std::array<std::array<std::uint8_t, edqa_entries>, 8> lengths{}; // by what is above
  std::array<std::uint8_t, edqa_entries> book_of{};
  for (std::size_t b = 0; b < count; ++b)
    std::copy_n(books[b].lengths.begin(), std::min(books[b].lengths.size(), lengths[b].size()),
                lengths[b].begin());
  for (unsigned above = 0; count > 1 && above < edqa_entries; ++above)
    book_of[above] = static_cast<std::uint8_t>(context(above));
  std::uint32_t bits = 0;
  bool has_codes = true;
  burst.marks.resize(burst.count * max_code_length / half_word + 1);
  const auto step = [&](std::size_t i, std::uint8_t length) {
    has_codes &= length > 0;
    burst.marks[bits / half_word] = static_cast<std::uint16_t>(i); // the last one stays
    bits += length;
  };
  const std::int16_t* const quantities = burst.quantities.data();
  for (std::size_t i = 0; i < row; ++i)
    step(i, lengths[0][static_cast<unsigned>(quantities[i]) & mask]);
  for (std::size_t i = row; i < burst.count; ++i)
    step(i, lengths[book_of[static_cast<unsigned>(quantities[i - row]) & mask]]
                   [static_cast<unsigned>(quantities[i]) & mask]);
  burst.marks.resize(bits / half_word);
  burst.bits = has_codes ? bits : 0;
  burst.words = std::max<std::size_t>((bits + stream_word_bits - 1) / stream_word_bits, 1);
}

// From the quantizer into the store, and to the first take.
void EdqaCore::store(std::size_t l, Burst& burst) {
  Lane& lane = pipe_.lanes[l];
  const bool paper = registers_.settings.mode == EdqaMode::paper, coded = is_coded(lane);
  Cycle gate = 0;
  if (paper) {
    lane.begun[pipe_.channels % lane.begun.size()] = burst.begin;
    for (std::size_t r = 0; r < burst.pops.size(); ++r) {
      const Run& run = burst.pops[r];
      lane.popped.push(run.cycle,
                       (r + 1 < burst.pops.size() ? burst.pops[r + 1].first : burst.count) - run.first);
    }
    lane.quantized = last_of(burst.pops, burst.count);
    lane.book_ready = burst.begin + 1;
    if (coded) {
      std::vector<std::uint64_t> counts(static_cast<std::size_t>(config_.builder_symbols()));
      const unsigned mask = symbol(-1);
      for (const std::int16_t v : burst.quantities)
        ++counts[static_cast<unsigned>(v) & mask];
      prepare_book(l, counts, lane.quantized + edqa_quantizer_latency(registers_.settings.total_bits()));
      mark(burst, &lane.book);
    }
    gate = first_encode(lane) + 1;
  }
  // The encoder is as it pleases for some symbols behind a channel whose rest it flushes.
  constexpr std::size_t settling = 4;
  Cycle beat = 0;
  for (std::size_t i = 0; i < settling; ++i)
    lane.encoded.push(beat = lane.encoder.take(std::max(burst.quantized + 2 + i, gate)));
  lane.encoded.push(beat + 1, burst.count - settling);
  const auto beat_of = [&](std::size_t i) { return beat + (i - (settling - 1)); };
  lane.last_encoded = beat_of(burst.count - 1);
  lane.encoder.pass(lane.last_encoded);
  const auto row = static_cast<int>(pipe_.channels % static_cast<std::uint64_t>(config_.rows()));
  now_.sizes[l].push_back({lane.last_encoded, burst.bits, row});

  const auto write = [&](std::size_t word, bool emitted) {
    const bool last = word + 1 == burst.words;
    if (!emitted) {
      (void)lane.store.write(beat_of(burst.marks[2 * word + 1]) + 2, last);
      return;
    }
    EncodedWord encoded;
    encoded.last = last;
    lane.encoder.emit(encoded, [&](Cycle from) { return lane.store.write(from, last); });
  };
  for (std::size_t word = 0; word < burst.words; ++word) {
    const std::size_t filled = 2 * word + 1;
    write(word, filled >= burst.marks.size() || burst.marks[filled] + std::size_t{1} == burst.count);
  }

  burst.accepted = std::max(lane.store.offered(), lane.decoder.vacated());
  lane.store.taken(burst.accepted);
  burst.opened = std::max(burst.accepted + 1, lane.decoder.ended());
  burst.take = std::max({burst.opened + 1, lane.decoded + 1, pipe_.outs[pipe_.values % output_depth] + 1});
}

std::vector<std::uint8_t> EdqaCore::dequantized(const std::vector<Burst>& bursts) const {
  const std::size_t lanes = bursts.size(),
                    size = static_cast<std::size_t>(edqa_result_bits(config_.format)) / 8;
  std::vector<std::uint8_t> bytes(size * lanes * bursts[0].count);
  for (std::size_t l = 0; l < lanes; ++l)
    dequantize_channel(config_.format, registers_.settings.scheme(), pipe_.lanes[l].maximum,
                       bursts[l].quantities, bytes.data() + size * l, size * lanes);
  return bytes;
}

// Takes, and the words that they make move.
void EdqaCore::decode_burst(std::size_t l, const Burst& burst, const std::vector<Cycle>& outs) {
  Lane& lane = pipe_.lanes[l];
  const std::uint64_t first = pipe_.values;
  // A take waits for the beat of the value 16 before it; those are late where the output waits.
  std::vector<Cycle> takes;
  bool is_run =
      outs.back() == outs.front() + burst.count - 1 && outs.front() + 1 <= burst.take + output_depth;
  for (std::size_t i = 0; i < output_depth; ++i)
    is_run = is_run && pipe_.outs[(first + i) % output_depth] + 1 <= burst.take + i;
  Cycle take = burst.take;
  for (std::size_t i = 0; !is_run && i < burst.count; ++i) {
    const Cycle out = i < output_depth ? pipe_.outs[(first + i) % output_depth] : outs[i - output_depth];
    take = i == 0 ? take : take == never || out == never ? never : std::max(take, out) + 1;
    takes.push_back(take);
    lane.taken.push(take);
  }
  if (is_run)
    lane.taken.push(burst.take, burst.count);
  const auto take_of = [&](std::size_t i) { return is_run ? burst.take + i : takes[i]; };
  const Cycle last = take_of(burst.count - 1);
  lane.ended[pipe_.channels % most_channels] = last;
  lane.stopped = last == never;
  if (lane.stopped)
    return;
  lane.decoded = last;
  Cycle accepted = burst.accepted, opened = burst.opened;
  for (std::size_t word = 1; word < burst.words; ++word) {
    accepted = std::max(lane.store.offered(), opened);
    lane.store.taken(accepted);
    opened = std::max({accepted + 1, opened + 1, take_of(burst.marks[2 * word - 2])});
  }
  lane.decoder.pass(burst.words, accepted, opened, last);
}

} // namespace deltatwin
