// Whole channels that come without pauses and that nothing holds up: each step of their way is a run of
// beats, one per cycle, so that its cycles are told without following values one by one. What happens is what
// core.cpp says of the same values, which stands in wherever a condition here does not hold.
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include "tops/edqa/core.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace deltatwin {
namespace {

constexpr std::size_t fewest = 64; ///< values: of smaller channels the way in core.cpp is as fast
constexpr int half_word = stream_word_bits / 2;

// Values as numbers, one lane's.
void read_values(EdqaFormat format, bool is_signed, const std::uint8_t* data, std::size_t stride,
                 std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i, data += stride) {
    double value = 0;
    if (format == EdqaFormat::int16) {
      std::int16_t number = 0;
      std::memcpy(&number, data, sizeof number);
      value = number;
    } else {
      std::int32_t number = 0;
      std::memcpy(&number, data, sizeof number);
      value = number;
    }
    values[i] = is_signed ? value : std::max(value, 0.0);
  }
}

// v of each value: doubles are exact here, quotients but for one in their last place, which is mended.
void quantize_all(const EdqaScheme& scheme, bool direct, double maximum, const std::vector<double>& values,
                  std::vector<std::int16_t>& quantities) {
  const int shift = direct ? scheme.extra : 0, scale_bits = scheme.scale_bits() - shift;
  const double halves = std::ldexp(1.0, scale_bits + 1), inverse = 1 / maximum;
  const int full = 1 << scale_bits, low = scheme.is_signed ? -full : 0;
  const bool half_down = scheme.half_down;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double size = std::min(std::abs(values[i]), maximum) * halves;
    const bool negative = values[i] < 0;
    int steps = static_cast<int>(size * inverse);
    double rest = size - steps * maximum;
    const int less = rest < 0, more = rest >= maximum;
    steps += more - less;
    rest += (less - more) * maximum;
    const int odd = half_down ? negative : steps >> 1 & 1; // what a tie does
    const int magnitude = (steps >> 1) + ((steps & 1) & (rest > 0 ? 1 : odd));
    const int v = negative ? -magnitude : magnitude;
    quantities[i] = static_cast<std::int16_t>(std::clamp(v, low, full - 1) * (1 << shift));
  }
}

} // namespace

// What is found of a lane's channel.
struct EdqaCore::Burst {
  std::size_t count = 0;
  Cycle beat = 0, last_in = 0; ///< of its first value, of its last one
  Cycle begin = 0;             ///< in mode paper
  Cycle quantized = 0;         ///< its first value leaves the quantizer
  std::vector<double> values;
  std::vector<std::int16_t> quantities;
  std::vector<std::size_t> marks; ///< the symbol that comes to each half word of its codes
  std::uint32_t bits = 0;
  std::size_t words = 1;
  Cycle accepted = 0, opened = 0, take = 0; ///< its first word at the decoder, its first take
};

std::size_t EdqaCore::offer_group(const StreamBurst& burst, std::size_t first, Cycle beat,
                                  std::vector<Cycle>* taken) {
  if (trace_ || burst.gaps || !burst.tlast || !pipe_.beats.empty() || now_.error_at != never ||
      pipe_.injection.armed || config_.format == EdqaFormat::float32 || pipe_.code_stop != never ||
      pipe_.take_stop != never || std::find(pipe_.outs.begin(), pipe_.outs.end(), never) != pipe_.outs.end())
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
  const std::vector<Run> in = input_runs(count, beat);
  const Cycle last_in = in.back().cycle == never ? never : in.back().cycle + (count - 1 - in.back().first);
  if (last_in == never || (in.size() > 1 && registers_.settings.mode != EdqaMode::paper))
    return 0;
  std::vector<Burst> plans(lanes);
  for (std::size_t l = 0; l < lanes; ++l) {
    plans[l].count = count;
    plans[l].beat = beat;
    plans[l].last_in = last_in;
    if (!plan(l, plans[l], burst.data + first * beat_bytes + l * value_bytes))
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

// When the values of a group are taken that are offered one per cycle from `beat` on, where they wait for
// places in mode paper's queue; nothing else is looked at.
std::vector<EdqaCore::Run> EdqaCore::input_runs(std::size_t count, Cycle beat) const {
  std::vector<Run> runs = {{0, beat}};
  const auto depth = static_cast<std::uint64_t>(config_.value_depth());
  if (registers_.settings.mode != EdqaMode::paper)
    return runs;
  for (std::size_t i = 0; i < count;) {
    const std::uint64_t number = pipe_.values + i;
    std::uint64_t run = count - i;
    Cycle next = runs.back().cycle + (i - runs.back().first);
    if (number < depth) {
      run = std::min(run, depth - number);
    } else {
      for (const Lane& lane : pipe_.lanes) {
        run = std::min(run, lane.popped.run_from(number - depth));
        next = std::max(next, after(lane.popped.at(number - depth)));
      }
    }
    if (next == never)
      return {{0, never}};
    if (next != runs.back().cycle + (i - runs.back().first))
      runs.push_back({i, next});
    i += run;
  }
  return runs;
}

// Whether nothing holds the channel up; nothing has happened then.
bool EdqaCore::plan(std::size_t l, Burst& burst, const std::uint8_t* data) {
  Lane& lane = pipe_.lanes[l];
  const EdqaSettings& settings = registers_.settings;
  if (lane.stopped || lane.unfinished)
    return false;
  const std::uint64_t last = pipe_.values + burst.count - 1;
  const Cycle quantizer = edqa_quantizer_latency(settings.total_bits());
  const bool paper = settings.mode == EdqaMode::paper;
  const auto at = static_cast<std::size_t>(entry(l));
  lane.direct = settings.mode != EdqaMode::whole && tables_.direct[at];
  const bool coded = is_coded(lane);
  Cycle last_pop = burst.last_in; // or what stands for it with static scales
  if (paper) {
    burst.begin = begin_of(lane, burst.last_in);
    last_pop = burst.begin == never ? never : burst.begin + burst.count;
    burst.quantized = burst.begin + 1 + quantizer;
    if (burst.begin == never)
      return false;
  } else {
    burst.quantized = burst.beat + 1 + quantizer;
  }
  const std::size_t most_words = (max_code_length * burst.count) / stream_word_bits + 2;
  // If the last value has its places, those before it in its run have theirs: beats of old ones are no
  // closer.
  if (behind(lane.encoded, last, config_.symbol_depth()) > last_pop ||
      behind(lane.taken, last, config_.quantized_depth()) > last_pop ||
      lane.store.room(most_words) > burst.quantized)
    return false;

  burst.values.resize(burst.count);
  burst.quantities.resize(burst.count);
  const std::size_t stride =
      static_cast<std::size_t>(edqa_value_bits(config_.format)) / 8 * pipe_.lanes.size();
  read_values(config_.format, settings.is_signed, data, stride, burst.values);
  double maximum = tables_.scales[at];
  if (paper) {
    maximum = 0;
    for (const double value : burst.values)
      maximum = std::max(maximum, std::abs(value));
  }
  lane.maximum = static_cast<std::uint32_t>(maximum);
  if (maximum > 0)
    quantize_all(settings.scheme(), lane.direct, maximum, burst.values, burst.quantities);
  if (paper || !coded)
    return true;
  mark(burst, books_.data());
  return burst.bits > 0; // 0: a value has no code
}

// Where codes come to in their words; bits are 0 where a value has no code.
void EdqaCore::mark(Burst& burst, const CodeTable* books) const {
  const EdqaSettings& settings = registers_.settings;
  const unsigned mask = symbol(-1);
  const auto row = static_cast<std::size_t>(settings.row);
  std::array<std::array<std::uint8_t, 256>, 8> lengths{};
  const std::size_t count = has_contexts() ? static_cast<std::size_t>(settings.books) : 1;
  for (std::size_t b = 0; b < count; ++b)
    std::copy(books[b].lengths.begin(), books[b].lengths.end(), lengths[b].begin());
  std::uint32_t bits = 0, next = half_word;
  bool has_codes = true;
  burst.marks.clear();
  for (std::size_t i = 0; i < burst.count; ++i) {
    const unsigned code = static_cast<unsigned>(burst.quantities[i]) & mask;
    const unsigned book =
        count > 1 && i >= row ? context(static_cast<unsigned>(burst.quantities[i - row]) & mask) : 0;
    const std::uint8_t length = lengths[book][code];
    has_codes = has_codes && length;
    bits += length;
    if (bits >= next) {
      burst.marks.push_back(i);
      next += half_word;
    }
  }
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
    lane.popped.push(burst.begin + 1, burst.count);
    lane.quantized = burst.begin + burst.count;
    lane.book_ready = burst.begin + 1;
    if (coded) {
      std::vector<std::uint64_t> counts(static_cast<std::size_t>(config_.builder_symbols()));
      const unsigned mask = symbol(-1);
      for (const std::int16_t v : burst.quantities)
        ++counts[static_cast<unsigned>(v) & mask];
      prepare_book(l, counts, burst.quantized + burst.count - 1);
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
    write(word, filled >= burst.marks.size() || burst.marks[filled] + 1 == burst.count);
  }

  burst.accepted = std::max(lane.store.offered(), lane.decoder.vacated());
  lane.store.taken(burst.accepted);
  burst.opened = std::max(burst.accepted + 1, lane.decoder.ended());
  burst.take = std::max({burst.opened + 1, lane.decoded + 1, pipe_.outs[pipe_.values % output_depth] + 1});
}

std::vector<std::uint8_t> EdqaCore::dequantized(const std::vector<Burst>& bursts) const {
  const EdqaScheme scheme = registers_.settings.scheme();
  const std::size_t lanes = bursts.size(),
                    size = static_cast<std::size_t>(edqa_result_bits(config_.format)) / 8;
  std::vector<std::uint8_t> bytes(size * lanes * bursts[0].count);
  for (std::size_t l = 0; l < lanes; ++l) {
    const auto maximum = static_cast<std::int64_t>(pipe_.lanes[l].maximum);
    std::uint8_t* out = bytes.data() + size * l;
    for (const std::int16_t v : bursts[l].quantities) {
      const int factor = scheme.raw ? edqa_factor(scheme, scheme.quantized(v), scheme.shifting_error(v)) : v;
      const std::int64_t value = maximum * factor;
      std::memcpy(out, &value, size); // little-endian, as AXI's bytes are
      out += size * lanes;
    }
  }
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
