// The eDQA accelerator's twins in lockstep, and a third opinion on values, sizes and cycles, written from the
// paper's equations.
#include "base/error.h"
#include "base/fit.h"
#include "cosim/synthesis.h"
#include "cosim/twins.h"
#include "random_book.h"
#include "random_work.h"
#include "top_area.h"
#include "tops/edqa/core.h"
#include "tops/edqa/timing.h"
#include "tops/edqa/top.h"
#include "tops/edqa/workload.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <tuple>

using namespace deltatwin;

namespace {

enum : std::size_t { in_beats = 5, out_beats = 6 };

float number_of(std::uint32_t bits) {
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

std::uint32_t bits_of(float number) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

// A value as the accelerator is to understand it.
long double value_of(EdqaFormat format, bool is_signed, std::uint32_t bits) {
  long double value = 0;
  if (format == EdqaFormat::float32) {
    const float number = number_of(bits);
    if (std::isinf(number))
      value = std::copysign(static_cast<long double>(std::numeric_limits<float>::max()), number);
    else if (std::isnormal(number))
      value = number;
  } else {
    value = format == EdqaFormat::int16 ? static_cast<std::int16_t>(bits) : static_cast<std::int32_t>(bits);
  }
  return is_signed ? value : std::max(value, 0.0L);
}

// Equation 1 with T bits: round(a / delta), delta = max / 2^K, as far as it can be held.
long rounded(long double a, long double maximum, int scale_bits, bool is_signed, bool half_down) {
  if (maximum == 0)
    return 0;
  const long double steps = std::abs(a) * std::ldexp(1.0L, scale_bits);
  long whole = 0; // the largest with whole * max <= steps: no division that rounds
  for (long bit = 1L << scale_bits; bit; bit /= 2)
    if (static_cast<long double>(whole + bit) * maximum <= steps)
      whole += bit;
  const long double rest = steps - static_cast<long double>(whole) * maximum;
  const bool tie = 2 * rest == maximum;
  const bool up = tie ? (half_down ? a < 0 : whole % 2 != 0) : 2 * rest > maximum;
  const long magnitude = std::min(whole + up, 1L << scale_bits);
  const long v = a < 0 ? -magnitude : magnitude;
  return std::clamp(v, is_signed ? -(1L << scale_bits) : 0, (1L << scale_bits) - 1);
}

// Bits of the best code of at most `limit` bits, by trying all lengths of the symbols that occur.
std::uint64_t best_bits(std::vector<std::uint64_t> counts, int limit) {
  counts.erase(std::remove(counts.begin(), counts.end(), 0), counts.end());
  std::sort(counts.begin(), counts.end(), std::greater<>());
  const std::function<std::uint64_t(std::size_t, int, int)> from = [&](std::size_t at, int shortest,
                                                                       int space) {
    if (at == counts.size())
      return std::uint64_t{0};
    std::uint64_t best = std::uint64_t{1} << 40;
    for (int length = shortest; length <= limit; ++length) {
      const int left = space - (1 << (limit - length));
      if (left >= static_cast<int>(counts.size() - at - 1))
        best = std::min(best, counts[at] * static_cast<std::uint64_t>(length) + from(at + 1, length, left));
    }
    return best;
  };
  return from(0, 1, 1 << limit);
}

// What comes out of a group, and the bits of its codes, lane by lane.
struct Reference {
  std::vector<std::vector<long double>> values; ///< in units of the input
  std::vector<std::uint64_t> bits;
  bool has_codes = true; ///< for all values
};

Reference reference(const EdqaConfig& config, const EdqaProgram& program,
                    const std::vector<std::uint32_t>& group, std::size_t index) {
  const EdqaSettings& settings = program.settings;
  const auto lanes = static_cast<std::size_t>(config.channels);
  Reference result;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const std::size_t entry = index % static_cast<std::size_t>(settings.count) << config.lane_bits() | lane;
    std::vector<long double> values;
    for (std::size_t i = lane; i < group.size(); i += lanes)
      values.push_back(value_of(config.format, settings.is_signed, group[i]));
    long double maximum = 0;
    if (settings.mode == EdqaMode::paper)
      for (const long double value : values)
        maximum = std::max(maximum, std::abs(value));
    else
      maximum = config.format == EdqaFormat::float32 ? number_of(program.scales[entry])
                                                     : static_cast<long double>(program.scales[entry]);
    const bool direct = settings.mode != EdqaMode::whole && program.direct[entry];
    const int extra = direct ? 0 : settings.extra, scale_bits = settings.bits + extra - settings.is_signed;
    std::vector<std::uint64_t> counts(std::size_t{1} << settings.extra);
    std::vector<std::size_t> symbols;
    std::uint64_t bits = 0;
    std::vector<long double>& out = result.values.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const long v = rounded(values[i], maximum, scale_bits, settings.is_signed, settings.half_down);
      const long q = v >> extra, se = v & ((1L << extra) - 1);
      // Equation 3, and what the authors' accelerator makes of it.
      const long double delta = maximum / std::ldexp(1.0L, scale_bits - extra);
      const long double shifting_error = settings.raw
                                             ? static_cast<long double>(se)
                                             : static_cast<long double>(se) / std::ldexp(1.0L, extra);
      out.push_back(delta * (static_cast<long double>(q) + shifting_error));
      const int coded = settings.mode == EdqaMode::whole ? settings.total_bits() : extra;
      symbols.push_back(static_cast<std::size_t>(v) & ((std::size_t{1} << coded) - 1));
      if (coded == 0)
        continue;
      if (settings.mode == EdqaMode::paper) {
        ++counts[symbols.back()];
        continue;
      }
      const auto row = static_cast<std::size_t>(settings.row);
      const std::size_t book = settings.mode == EdqaMode::whole && settings.books > 1 && i >= row
                                   ? program.book_of[symbols[i - row]]
                                   : 0;
      const int length = program.lengths[book][symbols.back()];
      bits += static_cast<std::uint64_t>(length);
      result.has_codes = result.has_codes && length > 0;
    }
    if (settings.mode == EdqaMode::paper && extra > 0)
      bits = best_bits(counts, 8);
    result.bits.push_back(bits);
  }
  return result;
}

// Edges of all parameters, and then any.
EdqaConfig config_of(RandomWork& random, int round) {
  using F = EdqaFormat;
  const EdqaConfig edges[] = {
      {F::int16, 3, 3, 256, true, false, 1, 1},   {F::int16, 8, 4, 33, true, false, 1, 2},
      {F::float32, 3, 3, 70, true, true, 4, 1},   {F::int32, 2, 0, 1, true, false, 1, 1},
      {F::int16, 3, 0, 300, false, true, 8, 3},   {F::int32, 5, 1, 100, true, true, 2, 1},
      {F::float32, 8, 4, 64, false, false, 1, 1}, {F::int16, 2, 4, 17, true, true, 1, 1}};
  if (round < static_cast<int>(std::size(edges)))
    return edges[round];
  EdqaConfig config;
  config.format = static_cast<F>(random.in(0, 2));
  config.whole = random.in(0, 1);
  config.bits = random.in(2, config.whole ? 6 : 8);
  config.extra = random.in(0, std::min(4, config.whole ? 6 - config.bits : 4));
  config.dynamic = !config.whole || random.in(0, 1);
  config.books = config.whole ? 1 << random.in(0, 3) : 1;
  config.depth = random.in(0, 1) ? 1 << random.in(0, 10) : random.in(1, 300);
  config.channels = random.in(0, 2) ? 1 : random.in(2, 16);
  return config;
}

EdqaSettings settings_of(RandomWork& random, const EdqaConfig& config) {
  EdqaSettings settings;
  std::vector<EdqaMode> modes = {EdqaMode::fixed};
  if (config.dynamic)
    modes.push_back(EdqaMode::paper);
  if (config.whole)
    modes.push_back(EdqaMode::whole);
  settings.mode = modes[static_cast<std::size_t>(random.in(0, static_cast<int>(modes.size()) - 1))];
  settings.bits = random.in(0, 1) ? config.bits : random.in(2, config.bits);
  settings.extra = random.in(0, 1) ? config.extra : random.in(0, config.extra);
  settings.is_signed = random.in(0, 1);
  settings.half_down = random.in(0, 2) == 0;
  settings.raw = random.in(0, 2) == 0;
  settings.count = random.in(0, 1) ? 1 : random.in(1, config.rows());
  settings.books = settings.mode == EdqaMode::whole ? std::min(config.books, 1 << random.in(0, 3)) : 1;
  settings.row = random.in(4, 20);
  return settings;
}

std::uint32_t random_value(RandomWork& random, const EdqaConfig& config, int shape) {
  if (config.format == EdqaFormat::float32) {
    if (shape == 1 && random.in(0, 9) == 0) {
      constexpr std::uint32_t extremes[] = {0x7fc00000, 0xff800000, 0x7f800000, 0x00000001, 0x807fffff,
                                            0x00800000, 0x7f7fffff, 0xff7fffff, 0x80000000, 0xffc12345};
      return extremes[random.in(0, 9)];
    }
    if (shape == 2)
      return static_cast<std::uint32_t>(random.word(32));
    return bits_of(static_cast<float>(random.in(-1000, 1000)) *
                   (random.in(0, 1) ? 0.37f : 1.0f / static_cast<float>(random.in(1, 50))));
  }
  const int bits = edqa_value_bits(config.format);
  if (shape == 1 && random.in(0, 5) == 0)
    return random.in(0, 1) ? 1u << (bits - 1) : (1u << (bits - 1)) - 1;
  const int small = shape == 2 ? bits : random.in(1, bits);
  const std::uint32_t value =
      static_cast<std::uint32_t>(random.word(small)) - (small > 1 ? 1u << (small - 2) : 0);
  return bits == 16 ? value & 0xffff : value;
}

// Channels of all shapes: all zero, all equal, small integers with ties, any bits.
std::vector<std::uint32_t> random_group(RandomWork& random, const EdqaConfig& config, int size) {
  const int shape = random.in(0, 5);
  const std::uint32_t same = random_value(random, config, 0);
  std::vector<std::uint32_t> group;
  for (int i = 0; i < size * config.channels; ++i) {
    std::uint32_t value = random_value(random, config, shape);
    if (shape == 3)
      value = same;
    if (shape == 4)
      value = 0;
    if (shape == 5) // halves of steps
      value = config.format == EdqaFormat::float32
                  ? bits_of(static_cast<float>(random.in(-16, 16)))
                  : static_cast<std::uint32_t>(random.in(-16, 16)) &
                        (config.format == EdqaFormat::int16 ? 0xffff : 0xffffffff);
    group.push_back(value);
  }
  return group;
}

int random_size(RandomWork& random, int depth) {
  const int longest = random.in(0, 2) ? std::min(depth, 40) : depth;
  return random.in(0, 5) ? random.in(1, longest) : random.in(0, 1) ? 1 : depth;
}

EdqaProgram random_program(RandomWork& random, const EdqaConfig& config, const EdqaSettings& settings,
                           const EdqaChannels& channels, bool complete) {
  EdqaProgram program = calibrate(config, settings, channels);
  for (std::uint32_t& scale : program.scales)
    if (random.in(0, 3) == 0 && config.format != EdqaFormat::float32)
      scale =
          scale / static_cast<std::uint32_t>(random.in(1, 5)) + static_cast<std::uint32_t>(random.in(0, 1));
  for (std::size_t i = 0; i < program.direct.size(); ++i)
    program.direct[i] = random.in(0, 3) == 0;
  for (unsigned& book : program.book_of)
    book = static_cast<unsigned>(random.in(0, settings.books - 1));
  for (std::vector<int>& lengths : program.lengths) {
    const int bits = address_bits(static_cast<int>(lengths.size()));
    if (!complete && random.in(0, 1))
      lengths = random_book(random, bits);
    else if (random.in(0, 2) == 0) {
      std::vector<std::uint64_t> histogram(lengths.size());
      for (std::uint64_t& count : histogram)
        count = std::uint64_t{1} << random.in(0, 9);
      lengths = huffman_lengths(histogram);
    }
  }
  return program;
}

// Bytes of the output stream, as the trace has them.
std::vector<std::int64_t> values_out(const Twins& twins, const EdqaConfig& config) {
  const int bits = edqa_result_bits(config.format) * config.channels;
  std::vector<std::size_t> interfaces = {out_beats};
  for (std::size_t i = 0; i < twins.interfaces().size(); ++i)
    if (twins.interfaces()[i].name.rfind("values out, from", 0) == 0)
      interfaces.push_back(i);
  std::vector<std::int64_t> values;
  for (std::size_t beat = 0; beat < twins.trace().beats.beats[out_beats].size(); ++beat) {
    std::vector<std::uint32_t> words;
    for (const std::size_t interface : interfaces)
      words.push_back(static_cast<std::uint32_t>(twins.trace().beats.beats[interface][beat].payload));
    for (int at = 0; at < bits / 32; ++at)
      if (edqa_result_bits(config.format) == 32)
        values.push_back(static_cast<std::int32_t>(words[static_cast<std::size_t>(at)]));
      else if (at % 2)
        values.push_back(static_cast<std::int64_t>(words[static_cast<std::size_t>(at) - 1] |
                                                   std::uint64_t{words[static_cast<std::size_t>(at)]} << 32));
  }
  return values;
}

void start(Session& session, const EdqaConfig& config, const EdqaProgram& program) {
  load_edqa_program(session, config, program);
  session.write(edqa_reg::control, edqa_control_start);
  session.add(HostAction::wait_stop);
}

void require_equal(const CosimResult& result) {
  if (result.divergence)
    FAIL(result.divergence->report());
}

void check_values(const std::vector<std::int64_t>& out, const EdqaConfig& config, const EdqaProgram& program,
                  const EdqaChannels& channels) {
  std::size_t at = 0;
  const EdqaSettings& settings = program.settings;
  for (std::size_t g = 0; g < channels.groups.size(); ++g) {
    const Reference expected = reference(config, program, channels.groups[g], g);
    for (std::size_t i = 0; i < expected.values[0].size(); ++i)
      for (const std::vector<long double>& lane : expected.values) {
        REQUIRE(at < out.size());
        const std::int64_t value = out[at++];
        if (config.format == EdqaFormat::float32) {
          const float number = number_of(static_cast<std::uint32_t>(value));
          const auto nearest = static_cast<float>(lane[i]);
          if (std::isinf(nearest))
            REQUIRE(number == std::copysign(std::numeric_limits<float>::max(), nearest));
          else if (std::abs(lane[i]) >= static_cast<long double>(std::numeric_limits<float>::min()))
            REQUIRE(number == nearest);
          else
            REQUIRE(number == 0);
        } else {
          REQUIRE(static_cast<long double>(value) ==
                  lane[i] * std::ldexp(1.0L, settings.scheme().scale_bits()));
        }
      }
  }
  CHECK(at == out.size());
}

// Equation 4: what is lost is at most half a step of N + m bits, but where the top step is held.
void check_bound(const std::vector<std::int64_t>& out, const EdqaConfig& config, const EdqaProgram& program,
                 const EdqaChannels& channels) {
  const EdqaSettings& settings = program.settings;
  std::size_t at = 0;
  for (const std::vector<std::uint32_t>& group : channels.groups) {
    long double maximum = 0;
    for (const std::uint32_t value : group)
      maximum = std::max(maximum, std::abs(value_of(config.format, settings.is_signed, value)));
    const int scale_bits = settings.scheme().scale_bits();
    const long double step = maximum / std::ldexp(1.0L, scale_bits);
    for (const std::uint32_t value : group) {
      const long double a = value_of(config.format, settings.is_signed, value);
      const long double back = config.format == EdqaFormat::float32
                                   ? static_cast<long double>(number_of(static_cast<std::uint32_t>(out[at])))
                                   : static_cast<long double>(out[at]) / std::ldexp(1.0L, scale_bits);
      ++at;
      const long double slack = config.format == EdqaFormat::float32 ? maximum * 0x1p-24L + 0x1p-126L : 0;
      CHECK(std::abs(a - back) <= (a > maximum - step ? step : step / 2) + slack);
    }
  }
}

} // namespace

TEST_CASE(
    "edqa: random channels in all modes, twins in lockstep, values and sizes as the paper's equations say") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(8); ++round) {
    const EdqaConfig config = config_of(random, round);
    CAPTURE(round, base_seed(), static_cast<int>(config.format), config.bits, config.extra, config.depth,
            config.dynamic, config.whole, config.books, config.channels);
    Twins twins(EdqaTop(config), round % 2 ? 0.01 * random.in(1, 60) : 0,
                base_seed() + static_cast<unsigned>(round));
    for (int session = 0; session < 4; ++session) {
      const EdqaSettings settings = settings_of(random, config);
      CAPTURE(session, static_cast<int>(settings.mode), settings.bits, settings.extra, settings.is_signed,
              settings.half_down, settings.raw, settings.count, settings.books, settings.row);
      EdqaChannels channels;
      for (int g = random.in(1, 25); g > 0; --g)
        channels.groups.push_back(random_group(random, config, random_size(random, config.depth)));
      EdqaProgram program = random_program(random, config, settings, channels, true);
      const auto groups = channels.groups.size();
      const auto rows = static_cast<std::size_t>(config.rows());
      const CosimResult result = twins.run([&](Session& work) {
        start(work, config, program);
        add_edqa_channels(work.add(HostAction::stream), config, channels, 0, groups);
        work.add(HostAction::wait_stop);
        work.read(edqa_reg::status);
        for (std::size_t g = groups > rows ? groups - rows : 0; g < groups; ++g)
          for (int lane = 0; lane < config.channels; ++lane)
            work.read(edqa_reg::sizes + 4 * static_cast<std::uint32_t>(g % rows << config.lane_bits() |
                                                                       static_cast<std::size_t>(lane)));
      });
      require_equal(result);
      CHECK((result.record.reads[0] & 0x1f) == 0x10); // idle and ready
      check_values(values_out(twins, config), config, program, channels);
      std::size_t read = 1;
      for (std::size_t g = groups > rows ? groups - rows : 0; g < groups; ++g)
        for (const std::uint64_t bits : reference(config, program, channels.groups[g], g).bits)
          CHECK(result.record.reads[read++] == bits);
    }
  }
}

TEST_CASE("edqa: what is lost is at most half a step of N + m bits") {
  RandomWork random(base_seed());
  for (const EdqaFormat format : {EdqaFormat::int16, EdqaFormat::int32, EdqaFormat::float32})
    for (const bool is_signed : {true, false}) {
      EdqaConfig config;
      config.format = format;
      config.bits = 5;
      config.extra = 4;
      config.depth = 200;
      Twins twins(EdqaTop(config), 0, base_seed());
      for (int bits = 2; bits <= 5; ++bits)
        for (int extra = 0; extra <= 4; extra += 2) {
          EdqaSettings settings;
          settings.bits = bits;
          settings.extra = extra;
          settings.is_signed = is_signed;
          EdqaChannels channels;
          for (int g = 0; g < 6; ++g)
            channels.groups.push_back(random_group(random, config, random.in(1, 200)));
          const EdqaProgram program = calibrate(config, settings, channels);
          require_equal(twins.run([&](Session& work) {
            start(work, config, program);
            add_edqa_channels(work.add(HostAction::stream), config, channels, 0, channels.groups.size());
            work.add(HostAction::wait_stop);
          }));
          check_bound(values_out(twins, config), config, program, channels);
        }
    }
}

TEST_CASE("edqa: the authors' accelerator, whose rounding and raw shifting errors are options") {
  EdqaConfig config;
  config.format = EdqaFormat::float32;
  config.depth = 64;
  EdqaSettings settings;
  settings.half_down = settings.raw = true;
  Twins twins(EdqaTop(config), 0, base_seed());
  EdqaChannels channels;
  channels.groups = {{}, {}};
  std::vector<float> expected;
  for (int i = 0; i < 9; ++i) {
    channels.groups[0].push_back(bits_of(static_cast<float>(i % 3)));
    expected.push_back(std::vector<float>{0, 1, 5}[static_cast<std::size_t>(i % 3)]);
  }
  for (int i = 0; i < 49; ++i) {
    channels.groups[1].push_back(bits_of(static_cast<float>(i % 7)));
    expected.push_back(std::vector<float>{0, 7.5, 6, 3, 10.5, 9, 15}[static_cast<std::size_t>(i % 7)]);
  }
  const EdqaProgram program = calibrate(config, settings, channels);
  require_equal(twins.run([&](Session& work) {
    start(work, config, program);
    add_edqa_channels(work.add(HostAction::stream), config, channels, 0, 2);
    work.add(HostAction::wait_stop);
  }));
  const std::vector<std::int64_t> out = values_out(twins, config);
  REQUIRE(out.size() == expected.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    CHECK(number_of(static_cast<std::uint32_t>(out[i])) == expected[i]);
}

namespace {

// Cycles of the model's beats for channels of one size that come without pauses.
struct Measured {
  Cycle first_in, last_word, last_out, period;
};
Measured measure(const EdqaConfig& config, EdqaSettings settings, int size, int groups) {
  EdqaConfig design = config;
  design.dynamic = settings.mode == EdqaMode::paper;
  design.whole = settings.mode == EdqaMode::whole;
  EdqaChannels channels = made_up_channels(design, settings, groups, base_seed());
  RandomWork random(base_seed());
  for (std::vector<std::uint32_t>& group : channels.groups) {
    group.clear();
    for (int i = 0; i < size; ++i)
      group.push_back(static_cast<std::uint32_t>(std::min(random.in(0, 4000), random.in(0, 4000))));
  }
  Twins twins(EdqaTop(design), 0, base_seed());
  const EdqaProgram program = calibrate(design, settings, channels);
  require_equal(twins.run([&](Session& work) {
    start(work, design, program);
    add_edqa_channels(work.add(HostAction::stream), design, channels, 0, channels.groups.size());
    work.add(HostAction::wait_stop);
  }));
  const std::vector<std::vector<Beat>>& beats = twins.trace().beats.beats;
  std::size_t words = 0;
  while (twins.interfaces()[words].name != "words")
    ++words;
  std::vector<Cycle> ends;
  for (const Beat& beat : beats[out_beats])
    if (beat.payload >> 32 & 1)
      ends.push_back(beat.cycle);
  const std::size_t last = ends.size() - 1, half = ends.size() / 2;
  return {beats[in_beats].front().cycle, beats[words].back().cycle, beats[out_beats].back().cycle,
          last > half ? (ends[last] - ends[half] + static_cast<Cycle>(last - half) - 1) / (last - half) : 0};
}

} // namespace

TEST_CASE("edqa: cycles of a lone channel at N = 3, m = 3, under the bounds that were set") {
  EdqaConfig config;
  for (const EdqaMode mode : {EdqaMode::paper, EdqaMode::fixed, EdqaMode::whole})
    for (const int size : {1, 49, 196, 784, 3136, 4096}) {
      CAPTURE(static_cast<int>(mode), size);
      EdqaSettings settings;
      settings.mode = mode;
      const Measured measured = measure(config, settings, size, 1);
      const Cycle encode = measured.last_word - measured.first_in + 1,
                  decode = measured.last_out - measured.last_word;
      const auto count = static_cast<Cycle>(size);
      CHECK(encode <= (mode == EdqaMode::paper ? 3 * count + 215 : count + 15));
      CHECK(decode <= (mode == EdqaMode::paper ? count + 40 : count + 15));
      const EdqaLatency said = lone_latency(config, settings, size);
      CHECK(encode <= said.encode);
      CHECK(encode + 1 >= said.encode);
      CHECK(decode == said.decode);
    }
}

TEST_CASE("edqa: cycles from channel to channel at N = 3, m = 3, under the bounds that were set") {
  EdqaConfig config;
  for (const EdqaMode mode : {EdqaMode::paper, EdqaMode::fixed, EdqaMode::whole})
    for (const int size : {1, 2, 3, 9, 49, 150, 196, 784, 4096}) {
      CAPTURE(static_cast<int>(mode), size);
      EdqaSettings settings;
      settings.mode = mode;
      const Measured measured = measure(config, settings, size, size > 1000 ? 8 : 40);
      const auto count = static_cast<Cycle>(size);
      CHECK(measured.period <= (mode == EdqaMode::paper ? std::max<Cycle>(count + 10, 200) : count + 2));
      CHECK(measured.period <= steady_cycles(config, settings, size));
    }
}

TEST_CASE("edqa: channels that nothing holds up are told at once as they are told value by value") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(60); ++round) {
    EdqaConfig config = config_of(random, 8);
    config.format = static_cast<EdqaFormat>(round % 3);
    config.depth = random.in(20, 700);
    config.channels = random.in(0, 1) ? 1 : random.in(2, 5);
    const EdqaSettings settings = settings_of(random, config);
    CAPTURE(round, base_seed(), config.bits, config.extra, config.depth, config.dynamic, config.whole,
            config.books, config.channels, static_cast<int>(settings.mode), settings.bits, settings.extra);
    EdqaChannels channels;
    for (int g = random.in(1, 40); g > 0; --g)
      channels.groups.push_back(
          random_group(random, config, random.in(0, 2) ? random.in(16, config.depth) : random.in(1, 20)));
    const EdqaProgram program = random_program(random, config, settings, channels, random.in(0, 3) > 0);
    Session load;
    load_edqa_program(load, config, program);
    HostAction stream;
    add_edqa_channels(stream, config, channels, 0, channels.groups.size());
    const double stall = round % 2 ? 0.1 * random.in(1, 9) : 0;
    struct Seen {
      std::vector<Cycle> taken, out;
      std::vector<std::uint8_t> bytes;
      std::vector<std::uint32_t> reads;
      Cycle stop = 0;
      bool operator==(const Seen& other) const {
        return std::tie(taken, out, bytes, reads, stop) ==
               std::tie(other.taken, other.out, other.bytes, other.reads, other.stop);
      }
    };
    const auto play = [&](bool at_once) {
      EdqaCore core(config);
      BeatTrace trace(EdqaCore::interfaces(config).size());
      if (!at_once)
        core.record(&trace);
      Seen seen;
      const std::size_t size =
          static_cast<std::size_t>(edqa_result_bits(config.format) * config.channels / 8);
      core.set_sink(0, [&](const OutputBurst& burst, std::vector<Cycle>& taken) {
        const std::size_t before = taken.size();
        paced(Pacer(stall, base_seed()))(burst, taken);
        seen.out.insert(seen.out.end(), taken.begin() + static_cast<std::ptrdiff_t>(before), taken.end());
        seen.bytes.insert(seen.bytes.end(), burst.data,
                          burst.data + size * static_cast<std::size_t>(burst.beats));
      });
      Cycle cycle = 10;
      for (const HostAction& action : load.actions)
        REQUIRE(core.write(action.address, action.data, 0xf, cycle += 2));
      REQUIRE(core.write(edqa_reg::control, edqa_control_start, 0xf, cycle += 2));
      Cycle from = core.stop_cycle();
      core.offer(0, {stream.values.data(), stream.tlast.size(), stream.tlast.data()}, from, &seen.taken);
      seen.stop = core.stop_cycle();
      for (Cycle at = cycle + 1; at < from + 5000; at += from / 7 + 1)
        for (const std::uint32_t address :
             {edqa_reg::status, edqa_reg::groups, edqa_reg::cycles, edqa_reg::sizes, edqa_reg::sizes + 0x40})
          seen.reads.push_back(core.read(address, at).data);
      return seen;
    };
    const Seen at_once = play(true), one_by_one = play(false);
    CHECK(at_once.taken == one_by_one.taken);
    CHECK(at_once.out == one_by_one.out);
    CHECK(at_once == one_by_one);
  }
}

TEST_CASE("edqa: stalls, errors, resets in mid-channel, accesses at any time") {
  RandomWork random(base_seed() + 1);
  for (int round = 0; round < repeats(16); ++round) {
    const EdqaConfig config = config_of(random, round < 16 ? round % 8 : round);
    CAPTURE(round, base_seed(), static_cast<int>(config.format), config.bits, config.extra, config.depth,
            config.dynamic, config.whole, config.books, config.channels);
    Twins twins(EdqaTop(config), round % 3 ? 0.01 * random.in(1, 60) : 0,
                base_seed() + static_cast<unsigned>(round));
    for (int session = 0; session < 3; ++session) {
      const EdqaSettings settings = settings_of(random, config);
      EdqaChannels channels;
      for (int g = random.in(1, 30); g > 0; --g)
        channels.groups.push_back(
            random_group(random, config, random_size(random, std::min(config.depth, 200))));
      EdqaProgram program = random_program(random, config, settings, channels, random.in(0, 1));
      require_equal(twins.run([&](Session& work) {
        work.write(edqa_reg::control, edqa_control_reset);
        start(work, config, program);
        if (random.in(0, 2) == 0)
          work.write(edqa_reg::inject, static_cast<std::uint32_t>(random.in(0, 35) | random.in(0, 3) << 16));
        HostAction& stream = work.add(HostAction::stream);
        add_edqa_channels(stream, config, channels, 0, channels.groups.size());
        for (int lost = random.in(0, 3); lost > 1; --lost) // TLAST: a channel may become too long
          stream.tlast[static_cast<std::size_t>(random.in(0, static_cast<int>(stream.tlast.size()) - 1))] = 0;
        for (int access = random.in(0, 40); access > 0; --access) {
          work.add(HostAction::wait).cycles =
              static_cast<Cycle>(random.in(0, 3) ? random.in(0, 20) : random.in(0, 400));
          const std::uint32_t address = static_cast<std::uint32_t>(random.in(0, 2)   ? 4 * random.in(0, 11)
                                                                   : random.in(0, 1) ? 4 * random.in(0, 1023)
                                                                                     : random.in(0, 4095));
          if (random.in(0, 3)) {
            work.read(address).posted = random.in(0, 1);
          } else {
            const bool resets = random.in(0, 5) == 0;
            HostAction& write =
                work.write(resets ? edqa_reg::control : address, static_cast<std::uint32_t>(random.in(0, 3)));
            write.posted = random.in(0, 1);
            write.strobe = random.in(0, 4) ? 0xf : static_cast<unsigned>(random.in(0, 15));
          }
          if (random.in(0, 60) == 0)
            work.add(HostAction::hard_reset).cycles = static_cast<Cycle>(random.in(1, 5));
        }
        work.add(HostAction::wait).cycles = 300;
        work.read(edqa_reg::status);
        work.write(edqa_reg::control, edqa_control_reset); // nothing takes what is left
        work.add(HostAction::flush);
      }));
    }
  }
}

TEST_CASE(
    "edqa: a flipped bit of the store is seen or changes values, in both twins alike, and hangs nothing") {
  EdqaConfig config;
  config.depth = 64;
  config.whole = true;
  config.books = 2;
  Twins twins(EdqaTop(config), 0.1, base_seed());
  RandomWork random(base_seed());
  int seen = 0;
  for (const EdqaMode mode : {EdqaMode::paper, EdqaMode::fixed, EdqaMode::whole})
    for (int flip = 0; flip < 40; ++flip) {
      CAPTURE(static_cast<int>(mode), flip, base_seed());
      EdqaSettings settings;
      settings.mode = mode;
      settings.books = mode == EdqaMode::whole ? 2 : 1;
      EdqaChannels channels;
      for (int g = 0; g < 3; ++g)
        channels.groups.push_back(random_group(random, config, random.in(1, 64)));
      const EdqaProgram program = calibrate(config, settings, channels);
      const CosimResult result = twins.run([&](Session& work) {
        work.write(edqa_reg::control, edqa_control_reset);
        start(work, config, program);
        work.write(edqa_reg::inject, static_cast<std::uint32_t>(random.in(0, 35) | random.in(0, 2) << 16));
        add_edqa_channels(work.add(HostAction::stream), config, channels, 0, 3);
        work.add(HostAction::wait).cycles = 1500;
        work.read(edqa_reg::status);
        work.write(edqa_reg::control, edqa_control_reset); // nothing takes what is left
        work.add(HostAction::flush);
      });
      require_equal(result);
      const std::uint32_t status = result.record.reads[0];
      CHECK(((status & 3) == 0 || ((status & 3) == 3 && (status >> 8 & 31) == 3 && (status >> 14 & 3) > 0)));
      seen += (status & 3) == 3;
    }
  CHECK(seen > 20);
}

TEST_CASE("edqa: impossible designs and configurations are named") {
  const auto complaint_of = [](const std::function<void(EdqaConfig&)>& change) {
    EdqaConfig config;
    change(config);
    return complaint(config);
  };
  CHECK(complaint(EdqaConfig{}).empty());
  CHECK(complaint_of([](EdqaConfig& c) { c.bits = 9; }) == "bits is 9, possible are 2..8");
  CHECK(complaint_of([](EdqaConfig& c) { c.extra = 5; }) == "extra bits is 5, possible are 0..4");
  CHECK(complaint_of([](EdqaConfig& c) { c.depth = 0; }) == "depth is 0, possible are 1..4096");
  CHECK(complaint_of([](EdqaConfig& c) { c.channels = 17; }) == "channels is 17, possible are 1..16");
  CHECK(complaint_of([](EdqaConfig& c) { c.books = 2; }) == "2 books, possible are 1 but in mode whole");
  CHECK(complaint_of([](EdqaConfig& c) {
          c.whole = true;
          c.bits = 4;
        }) == "mode whole codes values of 7 bits, possible are 2..6");
  CHECK_THROWS_AS(EdqaTop({EdqaFormat::int16, 9}), InputError);
}

namespace {

using Format = EdqaFormat;
// Of all formats and modes, with designs like those that the area model is fitted to, and others.
const std::vector<EdqaConfig> usual = {
    {Format::int16, 3, 3, 4096, true, false, 1, 1},  {Format::int16, 3, 3, 3136, true, false, 1, 1},
    {Format::int16, 3, 3, 784, false, false, 1, 1},  {Format::int16, 3, 0, 784, false, true, 4, 1},
    {Format::int16, 3, 3, 196, true, true, 4, 1},    {Format::int32, 3, 3, 3136, true, false, 1, 1},
    {Format::int32, 4, 2, 1024, false, true, 8, 1},  {Format::float32, 3, 3, 3136, true, false, 1, 1},
    {Format::float32, 2, 2, 512, false, true, 2, 1}, {Format::float32, 8, 4, 4096, true, false, 1, 1},
    {Format::int16, 2, 1, 20, true, false, 1, 1},    {Format::int16, 5, 3, 3136, true, false, 1, 4},
    {Format::int16, 2, 0, 784, false, true, 4, 4},   {Format::int32, 8, 0, 4096, false, false, 1, 2}};
const std::vector<EdqaConfig> others = {
    {Format::int16, 3, 1, 49, false, false, 1, 1},   {Format::int16, 4, 4, 784, true, false, 1, 1},
    {Format::int16, 5, 0, 784, false, true, 8, 1},   {Format::float32, 3, 3, 196, false, true, 4, 3},
    {Format::int32, 6, 2, 300, true, false, 1, 2},   {Format::int16, 3, 0, 784, true, false, 1, 4},
    {Format::float32, 5, 1, 1024, true, true, 1, 1}, {Format::int16, 2, 2, 3136, true, true, 8, 1}};

void compare_area(const EdqaConfig& config, bool print) {
  std::string described;
  for (const auto& [name, value] : config.parameters())
    described += (described.empty() ? "" : " ") + name + "=" + std::to_string(value);
  compare_area(EdqaTop(config), described, print);
}

} // namespace

TEST_CASE("edqa: the area model is close to synthesis") { compare_area(others[0], false); }

TEST_CASE("edqa: the area model against synthesis of many designs, as CSV", "[.fit]") {
  std::printf("parameters,part,lut,lut_ram,ff,dsp,ramb18,ramb36,model_lut,model_ff\n");
  for (const auto* list : {&usual, &others})
    for (const EdqaConfig& config : *list)
      compare_area(config, true);
}
