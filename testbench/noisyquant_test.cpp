// NoisyQuant's twins in lockstep, and a third opinion on what is found, on values and on cycles.
#include "base/error.h"
#include "base/fit.h"
#include "base/pacer.h"
#include "base/tool.h"
#include "block_bench.h"
#include "cosim/synthesis.h"
#include "random_work.h"
#include "refused_parameters.h"
#include "top_area.h"
#include "tops/noisyquant/core.h"
#include "tops/noisyquant/top.h"
#include "tops/noisyquant/workload.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace deltatwin;

namespace {

using Values = std::vector<std::int16_t>;

// A channel of all shapes: behind a ReLU, of both signs, few values, one, zeros, extremes.
Values random_channel(RandomWork& random, const NoisyQuantConfig& config, int width) {
  Values channel(static_cast<std::size_t>(width) * static_cast<std::size_t>(width));
  const int top = 1 << (config.data_bits - 1), shape = random.in(0, 9);
  const int spread = random.in(0, 2) ? random.in(1, top) : random.in(1, 9);
  for (std::int16_t& value : channel) {
    int x = random.in(-spread, spread);
    if (shape < 4) // most are small
      x = static_cast<int>(std::int64_t{x} * random.in(0, spread) / spread);
    if (shape < 3)
      x = std::max(x, 0);
    if (shape == 8)
      x = random.in(0, 1) ? -top : top - 1;
    if (shape == 9)
      x = random.in(0, 3) ? 0 : spread;
    value = static_cast<std::int16_t>(std::clamp(x, -top, top - 1));
  }
  if (random.in(0, 9) == 0)
    std::fill(channel.begin(), channel.end(), static_cast<std::int16_t>(random.in(0, 1) ? 0 : -spread));
  return channel;
}

// What a channel's values become, by brute force and in whole numbers: of all codes the nearest, of two
// the lower one.
std::int64_t nearest_code(std::int64_t t, std::int64_t step, std::int64_t lowest, std::int64_t highest) {
  std::int64_t code = lowest;
  for (std::int64_t other = lowest + 1; step && other <= highest; ++other)
    if (std::llabs(t - step * other) < std::llabs(t - step * code))
      code = other;
  return step ? code : 0;
}

__extension__ typedef __int128 Wide;

// Sum of squares of X X' - X X, from both products, in units of 1/F^2.
Wide exact_loss(const Values& x, const std::vector<std::int64_t>& quantized, int width, int factor) {
  Wide loss = 0;
  for (int row = 0; row < width; ++row)
    for (int column = 0; column < width; ++column) {
      Wide difference = 0;
      for (int k = 0; k < width; ++k) {
        const auto left = static_cast<std::size_t>(row * width + k),
                   right = static_cast<std::size_t>(k * width + column);
        difference += Wide{x[left]} * quantized[right];
        difference -= Wide{x[left]} * x[right] * factor;
      }
      loss += difference * difference;
    }
  return loss;
}

// What a value becomes in a trial.
std::vector<std::int64_t> quantized(const Values& x, std::int64_t step, std::int64_t offset, bool clip,
                                    int most) {
  std::vector<std::int64_t> values;
  const std::int64_t reach = 10 * most + 2;
  for (const std::int16_t value : x) {
    std::int64_t t = std::int64_t{50} * most * value + offset;
    if (clip)
      t = std::clamp(t, -most * step, most * step);
    values.push_back(step * nearest_code(t, step, -reach, reach) - offset);
  }
  return values;
}

struct Reference {
  int i = 0, j = 0;
  std::int64_t largest = 0;
  std::vector<std::uint32_t> words;
};

std::vector<std::uint32_t> static_words(const Values& x, const NoisyQuantConfig& config, std::int64_t step,
                                        std::int64_t offset) {
  const int most = (1 << (config.bits - 1)) - 1;
  std::vector<std::uint32_t> words;
  for (const std::int16_t value : x) {
    const std::int64_t code = nearest_code(50 * most * value + offset, step, -most - 1, most);
    words.push_back(static_cast<std::uint32_t>(code) << 27 |
                    (static_cast<std::uint32_t>(step * code - offset) & 0x7ffffff));
  }
  return words;
}

Reference exact_reference(const Values& x, const NoisyQuantConfig& config, int width) {
  const int most = (1 << (config.bits - 1)) - 1, factor = 50 * most;
  Reference found;
  for (const std::int16_t value : x)
    found.largest = std::max<std::int64_t>(found.largest, std::abs(int{value}));
  Wide least = -1;
  const auto try_it = [&](std::int64_t step, std::int64_t offset, bool clip) {
    const Wide loss = exact_loss(x, quantized(x, step, offset, clip, most), width, factor);
    const bool better = least < 0 || loss < least;
    if (better)
      least = loss;
    return better;
  };
  for (int i = 10; i > 0; --i)
    if (try_it(5 * found.largest * i, 0, true))
      found.i = i;
  const std::int64_t fifth = found.largest * found.i;
  least = -1;
  for (int j = -5; j < 5; ++j)
    if (try_it(5 * fifth, fifth * j, false))
      found.j = j;
  found.words = static_words(x, config, 5 * fifth, fifth * found.j);
  return found;
}

// The same as its authors write it, in double precision; gives i and j.
std::pair<int, int> double_reference(const Values& values, int bits, int width) {
  const double most = (1 << (bits - 1)) - 1;
  double largest = 0;
  for (const std::int16_t value : values)
    largest = std::max(largest, std::fabs(value));
  const auto product = [&](const std::vector<double>& right) {
    std::vector<double> out;
    for (int row = 0; row < width; ++row)
      for (int column = 0; column < width; ++column) {
        double sum = 0;
        for (int k = 0; k < width; ++k)
          sum += right[static_cast<std::size_t>(k * width + column)] *
                 values[static_cast<std::size_t>(row * width + k)];
        out.push_back(sum);
      }
    return out;
  };
  const std::vector<double> wanted = product({values.begin(), values.end()});
  double least = 0;
  bool fresh = true;
  const auto try_it = [&](double scale, double offset, double clip) {
    std::vector<double> rounded;
    for (const std::int16_t value : values)
      rounded.push_back(std::ceil((std::clamp<double>(value, -clip, clip) + offset) / scale - 0.5) * scale -
                        offset);
    const std::vector<double> got = product(rounded);
    double loss = 0;
    for (std::size_t at = 0; at < got.size(); ++at)
      loss += (got[at] - wanted[at]) * (got[at] - wanted[at]);
    loss /= static_cast<double>(got.size());
    const bool better = fresh || loss < least;
    if (better)
      least = loss;
    fresh = false;
    return better;
  };
  int best_i = 0, best_j = 0;
  for (int i = 10; i > 0; --i)
    if (try_it(largest / 10 * i / most, 0, largest / 10 * i))
      best_i = i;
  const double scale = largest / 10 * best_i / most;
  fresh = true;
  for (int j = -5; j < 5; ++j)
    if (try_it(scale, scale * j / 5, 2 * largest))
      best_j = j;
  return {best_i, best_j};
}

struct Stream {
  std::vector<std::uint8_t> values, tlast;
  void add(const Values& channel) {
    for (const std::int16_t value : channel) {
      values.push_back(static_cast<std::uint8_t>(value));
      values.push_back(static_cast<std::uint8_t>(value >> 8));
      tlast.push_back(0);
    }
    tlast.back() = 1;
  }
};

// Edges of all parameters, and in the deep run any.
NoisyQuantConfig config_of(RandomWork& random, int round) {
  constexpr NoisyQuantConfig edges[] = {{7, 7, 3, 16, 100}, {8, 1, 3, 16, 100}, {5, 2, 2, 8, 100},
                                        {9, 4, 5, 16, 100}, {2, 2, 4, 11, 100}, {64, 64, 3, 16, 100}};
  if (round < 6)
    return edges[round];
  NoisyQuantConfig config;
  config.max_width = random.in(2, 9);
  config.multipliers = random.in(1, config.max_width);
  config.bits = random.in(2, 5);
  config.data_bits = random.in(8, 16);
  return config;
}

constexpr std::size_t in_beats = 5, out_beats = 6, verdict_beats = 10;

std::vector<std::uint32_t> payloads(const BeatTrace& trace, std::size_t interface) {
  std::vector<std::uint32_t> values;
  for (const Beat& beat : trace.beats[interface])
    values.push_back(static_cast<std::uint32_t>(beat.payload));
  return values;
}

bool same(const std::vector<Beat>& a, const std::vector<Beat>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Beat& x, const Beat& y) {
    return x.cycle == y.cycle && x.payload == y.payload;
  });
}

// Both twins: a stream and register accesses go through the model, and then into the pins.
class NoisyBench {
public:
  NoisyBench(const NoisyQuantConfig& config, double stall)
      : top_(config), gaps_(stall, base_seed()), sink_(stall, base_seed() + 1), model_(top_.model()),
        bench_({top_.module(), top_.parameters(), false, ""}, top_.interfaces()), trace_(bench_.trace()) {
    model_->set_sink(0, paced(sink_));
    model_->record(&trace_);
  }

  TopModel& model() { return *model_; }
  const BeatTrace& trace() const { return trace_; }

  // Accesses, each at least three cycles behind the one before.
  bool write(std::uint32_t address, std::uint32_t data, Cycle at = 0, unsigned strobes = 0xf) {
    const Cycle cycle = next(at);
    trace_.add(0, {cycle, address, {}, 0});
    trace_.add(1, {cycle, data | std::uint64_t{strobes} << 32, {}, 0});
    const bool okay = model_->write(address, data, strobes, cycle);
    trace_.add(2, {cycle + 1, okay ? 0u : 2u, {}, 0});
    accesses_.push_back({cycle, true, address, data, strobes});
    offer();
    return okay;
  }
  std::uint32_t read(std::uint32_t address, Cycle at = 0) {
    const Cycle cycle = next(at);
    trace_.add(3, {cycle, address, {}, 0});
    const TopModel::ReadResult result = model_->read(address, cycle);
    trace_.add(4, {cycle + 1, result.data | std::uint64_t{result.okay ? 0u : 2u} << 32, {}, 0});
    accesses_.push_back({cycle, false, address, 0, 0});
    return result.data;
  }
  // Appends to what the source offers.
  void send(const Stream& stream) {
    stream_.values.insert(stream_.values.end(), stream.values.begin(), stream.values.end());
    stream_.tlast.insert(stream_.tlast.end(), stream.tlast.begin(), stream.tlast.end());
    offer();
  }
  // A whole run of channels that are sent; gives the cycle behind it.
  void start(int channels, int width, NoisyQuantMode mode = NoisyQuantMode::online, std::int64_t step = 1,
             std::int64_t offset = 0) {
    CHECK(write(noisyquant_reg::channels, static_cast<std::uint32_t>(channels)));
    CHECK(write(noisyquant_reg::width, static_cast<std::uint32_t>(width)));
    CHECK(write(noisyquant_reg::mode, static_cast<std::uint32_t>(mode)));
    CHECK(write(noisyquant_reg::step, static_cast<std::uint32_t>(step)));
    CHECK(write(noisyquant_reg::offset, static_cast<std::uint32_t>(offset)));
    CHECK(write(noisyquant_reg::control, noisyquant_start));
  }

  // The RTL's turn, from its reset on.
  void check() {
    Cycle end = 0;
    for (const std::vector<Beat>& beats : trace_.beats)
      end = std::max(end, beats.empty() ? 0 : beats.back().cycle);
    for (const char* ready : {"s_axil_bready_i", "s_axil_rready_i"})
      bench_.set(ready, 1);
    bench_.reset();
    std::size_t beat = 0, access = 0;
    const std::vector<Beat>& taken = trace_.beats[in_beats];
    bench_.run(trace_, end + 100, [&](Cycle cycle) {
      while (beat < taken.size() && taken[beat].cycle < cycle)
        ++beat;
      const bool offers = beat < stream_.tlast.size() && cycle >= offered(beat);
      bench_.set("s_axis_tvalid_i", offers);
      bench_.set("s_axis_tdata_i",
                 offers ? stream_.values[2 * beat] | std::uint64_t{stream_.values[2 * beat + 1]} << 8 : 0);
      bench_.set("s_axis_tlast_i", offers && stream_.tlast[beat]);
      bench_.set("m_axis_tready_i", sink_.ready(cycle));
      while (access < accesses_.size() && accesses_[access].cycle < cycle)
        ++access;
      const bool now = access < accesses_.size() && accesses_[access].cycle == cycle;
      const bool write = now && accesses_[access].is_write;
      bench_.set("s_axil_awvalid_i", write);
      bench_.set("s_axil_wvalid_i", write);
      bench_.set("s_axil_arvalid_i", now && !write);
      if (now) {
        bench_.set(write ? "s_axil_awaddr_i" : "s_axil_araddr_i", accesses_[access].address);
        bench_.set("s_axil_wdata_i", accesses_[access].data);
        bench_.set("s_axil_wstrb_i", accesses_[access].strobes);
      }
    });
  }

private:
  struct Access {
    Cycle cycle;
    bool is_write;
    std::uint32_t address, data;
    unsigned strobes;
  };
  Cycle next(Cycle at) { return cycle_ = std::max(cycle_ + 3, at); }
  [[nodiscard]] Cycle offered(std::size_t beat) const {
    return (beat ? trace_.beats[in_beats][beat - 1].cycle + 1 : 0) + gaps_.gap(beat);
  }
  // What was taken may have been taken back by a reset: the trace knows.
  void offer() {
    const std::size_t done = trace_.beats[in_beats].size();
    Cycle from = done ? trace_.beats[in_beats].back().cycle + 1 : 0;
    if (done < stream_.tlast.size())
      model_->offer(0,
                    {stream_.values.data() + 2 * done, stream_.tlast.size() - done,
                     stream_.tlast.data() + done,
                     [this, done](std::uint64_t i) { return gaps_.gap(done + i); }},
                    from, nullptr);
  }

  NoisyQuantTop top_;
  Pacer gaps_, sink_;
  std::unique_ptr<TopModel> model_;
  BlockBench bench_;
  BeatTrace trace_;
  Stream stream_;
  Cycle cycle_ = 0;
  std::vector<Access> accesses_;
};

} // namespace

TEST_CASE("noisyquant: random channels, twins in lockstep, what is found is the exact best") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(5); ++round) {
    const NoisyQuantConfig config = config_of(random, round);
    CAPTURE(round, base_seed(), config.max_width, config.multipliers, config.bits, config.data_bits);
    NoisyBench bench(config, round % 2 ? 0.01 * random.in(1, 60) : 0);
    std::vector<std::uint32_t> expected;
    for (int run = 0; run < 4; ++run) {
      const int width = run == 0 ? config.max_width : run == 1 ? 1 : random.in(1, config.max_width);
      const int count = random.in(1, 4);
      const bool offline = run == 3;
      const std::int64_t step = static_cast<std::int64_t>(random.word(random.in(1, config.data_bits + 5)));
      const std::int64_t offset =
          static_cast<std::int64_t>(random.word(config.data_bits + 4)) - (1 << (config.data_bits + 3));
      Stream stream;
      std::vector<std::uint32_t> found;
      for (int channel = 0; channel < count; ++channel) {
        const Values values = random_channel(random, config, width);
        stream.add(values);
        const Reference reference = exact_reference(values, config, width);
        found.push_back(static_cast<std::uint32_t>(reference.largest) << 16 |
                        (static_cast<std::uint32_t>(reference.j) & 15) << 4 |
                        static_cast<std::uint32_t>(reference.i));
        const std::vector<std::uint32_t> words =
            offline ? static_words(values, config, step, offset) : reference.words;
        expected.insert(expected.end(), words.begin(), words.end());
      }
      bench.send(stream);
      bench.start(count, width, offline ? NoisyQuantMode::offline : NoisyQuantMode::online, step, offset);
      const Cycle stop = bench.model().stop_cycle();
      CHECK(bench.read(noisyquant_reg::status, stop - 1) == 1);
      CHECK(bench.read(noisyquant_reg::status) == 2);
      CHECK(bench.read(noisyquant_reg::done) == static_cast<std::uint32_t>(count));
      for (std::size_t channel = 0; !offline && channel < found.size(); ++channel)
        CHECK(bench.read(noisyquant_reg::found + 4 * static_cast<std::uint32_t>(channel)) == found[channel]);
      (void)bench.read(noisyquant_reg::cycles);
    }
    for (const std::uint32_t address :
         {noisyquant_reg::id, noisyquant_reg::config, noisyquant_reg::width, noisyquant_reg::step,
          noisyquant_reg::offset, noisyquant_reg::mode, noisyquant_reg::channels})
      (void)bench.read(address);
    bench.check();
    CHECK(payloads(bench.trace(), out_beats) == expected);
  }
}

TEST_CASE("noisyquant: the authors' example gives their values") {
  const NoisyQuantConfig config{3, 3, 3, 16, 100};
  NoisyBench bench(config, 0);
  Stream stream;
  stream.add({0, 1, 2, 0, 1, 2, 0, 1, 2});
  bench.send(stream);
  bench.start(1, 3);
  CHECK(bench.read(noisyquant_reg::found, bench.model().stop_cycle()) ==
        (2 << 16 | 11 << 4 | 9)); // 0.6, and a step less
  bench.check();
  const std::vector<std::uint32_t> out = payloads(bench.trace(), out_beats);
  REQUIRE(out.size() == 9);
  for (std::size_t at = 0; at < 9; ++at) { // 0, 1.2 and 1.8
    const double value = (out[at] & 0x7ffffff) / 150.0;
    CHECK(value == Approx(at % 3 == 0 ? 0 : at % 3 == 1 ? 1.2 : 1.8));
    CHECK(out[at] >> 27 == (at % 3 == 0 ? 31 : at % 3 == 1 ? 1 : 2));
  }
}

TEST_CASE("noisyquant: cycles follow from W and the multipliers alone") {
  RandomWork random(base_seed());
  struct Row {
    int max_width, multipliers, width;
    Cycle search; ///< 20 W W ceil(W / multipliers), and what is not a slot
  };
  for (const Row& row :
       {Row{7, 7, 7, 980 + 2 * 26 + 4}, Row{7, 1, 7, 6860 + 2 * 20 + 4}, Row{14, 14, 14, 3920 + 2 * 33 + 4},
        Row{8, 3, 7, 20 * 49 * 3 + 2 * 20 + 4}, Row{5, 5, 1, 20 + 2 * 20 + 4}}) {
    const NoisyQuantConfig config{row.max_width, row.multipliers, 3, 16, 100};
    CAPTURE(row.max_width, row.multipliers, row.width);
    const Cycle values = static_cast<Cycle>(row.width * row.width);
    CHECK(NoisyQuantTiming{config, row.width}.search() == row.search);
    for (const NoisyQuantMode mode : {NoisyQuantMode::online, NoisyQuantMode::offline}) {
      const bool offline = mode == NoisyQuantMode::offline;
      const Cycle steady = offline ? values : row.search + values,
                  lone = offline ? values + 11 : row.search + 2 * values + 11;
      CHECK(lone <= (offline ? values + 15 : never));
      NoisyBench bench(config, 0);
      Stream stream;
      constexpr int channels = 3;
      for (int channel = 0; channel < channels; ++channel)
        stream.add(random_channel(random, config, row.width));
      bench.send(stream);
      bench.start(channels, row.width, mode, 100, 7);
      // The first value is taken in the cycle after the start.
      CHECK(bench.read(noisyquant_reg::cycles, bench.model().stop_cycle()) == lone + (channels - 1) * steady);
      CHECK(steady_cycles(config, row.width, mode) == steady);
      CHECK(lone_cycles(config, row.width, mode) == lone);
      bench.check();
    }
  }
  // The paper's sizes: what a search takes with a multiplier for each row, and with one.
  for (const auto& [width, many, one] :
       {std::tuple{7, 980, 6860}, {14, 3920, 54880}, {28, 15680, 439040}, {56, 62720, 3512320}}) {
    CHECK(NoisyQuantTiming{{width, width}, width}.trial() * 20 == static_cast<Cycle>(many));
    CHECK(NoisyQuantTiming{{width, 1}, width}.trial() * 20 == static_cast<Cycle>(one));
  }
}

TEST_CASE("noisyquant: stalls, errors, and resets in mid-channel") {
  RandomWork random(base_seed() + 1);
  for (int round = 0; round < repeats(15); ++round) {
    const NoisyQuantConfig config = config_of(random, round < 15 ? round % 5 : std::max(round, 6));
    CAPTURE(round, base_seed(), config.max_width, config.multipliers, config.bits, config.data_bits);
    NoisyBench bench(config, round % 3 ? 0.01 * random.in(1, 60) : 0);
    Stream stream;
    const int width = random.in(1, config.max_width);
    for (int channel = 0; channel < 30; ++channel)
      stream.add(random_channel(random, config, random.in(0, 19) ? width : random.in(1, config.max_width)));
    for (int errors = random.in(0, 2); errors > 0; --errors)
      stream.tlast[static_cast<std::size_t>(random.in(0, static_cast<int>(stream.tlast.size()) - 1))] ^= 1;
    bench.send(stream);
    Cycle cycle = 0;
    const Cycle longest = steady_cycles(config, width, NoisyQuantMode::online);
    for (int access = 0; access < 120; ++access) {
      cycle += static_cast<Cycle>(
          3 + (random.in(0, 3) ? random.in(0, 10) : random.in(0, static_cast<int>(longest))));
      const std::uint32_t address =
          static_cast<std::uint32_t>(random.in(0, 3)   ? 4 * random.in(0, 12)
                                     : random.in(0, 1) ? 0x100 + 4 * random.in(0, 63)
                                                       : random.in(0, 0xfff));
      const auto strobes = static_cast<unsigned>(random.in(0, 4) ? 0xf : random.in(0, 15));
      switch (random.in(0, 5)) {
      case 0:
        (void)bench.write(noisyquant_reg::control,
                          random.in(0, 2) ? noisyquant_start : static_cast<std::uint32_t>(random.in(0, 3)),
                          cycle, strobes);
        break;
      case 1: {
        const std::uint32_t settings[] = {
            static_cast<std::uint32_t>(random.in(0, 4)),
            static_cast<std::uint32_t>(random.in(0, 3) ? width : random.in(0, config.max_width + 1)),
            static_cast<std::uint32_t>(random.in(0, 2)),
            static_cast<std::uint32_t>(random.word(config.data_bits + 5 + random.in(0, 1))),
            static_cast<std::uint32_t>(static_cast<std::int32_t>(random.word(config.data_bits + 6)) -
                                       (1 << (config.data_bits + 5)) - random.in(0, 1))};
        const int which = random.in(0, 4);
        (void)bench.write(noisyquant_reg::channels + 4 * static_cast<std::uint32_t>(which), settings[which],
                          cycle, strobes);
        break;
      }
      case 2:
        (void)bench.write(address, static_cast<std::uint32_t>(random.word(random.in(1, 31))), cycle, strobes);
        break;
      default:
        (void)bench.read(address, cycle);
      }
    }
    bench.check();
  }
}

TEST_CASE("noisyquant: what an error leaves") {
  const NoisyQuantConfig config{4, 4, 3, 16, 100};
  RandomWork random(base_seed());
  struct Row {
    const char* what;
    NoisyQuantMode mode;
    std::size_t at; ///< of 3 channels of 16 values, whose TLAST is wrong
    std::uint32_t status;
    std::size_t leave; ///< values
    std::uint32_t done;
  };
  constexpr auto online = NoisyQuantMode::online, offline = NoisyQuantMode::offline;
  for (const Row& row :
       {Row{"early", online, 20, 0x103, 16, 1}, Row{"at once", online, 0, 0x103, 0, 0},
        Row{"missing", online, 31, 0x203, 16, 1}, Row{"missing on the first", online, 15, 0x203, 0, 0},
        Row{"offline, early", offline, 20, 0x103, 20, 1},
        Row{"offline, missing", offline, 47, 0x203, 47, 2}}) {
    CAPTURE(row.what);
    NoisyBench bench(config, 0.2);
    Stream stream;
    for (int channel = 0; channel < 3; ++channel)
      stream.add(random_channel(random, config, 4));
    stream.tlast[row.at] ^= 1;
    bench.send(stream);
    bench.start(3, 4, row.mode, 1000, 3);
    CHECK(bench.read(noisyquant_reg::status, bench.model().stop_cycle() + 5) == row.status);
    CHECK(bench.read(noisyquant_reg::done) == row.done);
    CHECK(bench.trace().beats[in_beats].size() == row.at + 1);
    CHECK(bench.trace().beats[out_beats].size() == row.leave);
    const std::uint32_t cycles = bench.read(noisyquant_reg::cycles);
    CHECK(bench.read(noisyquant_reg::cycles) == cycles);
    for (const std::uint32_t address :
         {noisyquant_reg::channels, noisyquant_reg::width, noisyquant_reg::control})
      CHECK_FALSE(bench.write(address, 1)); // only a reset helps
    CHECK(bench.write(noisyquant_reg::control, noisyquant_reset));
    CHECK(bench.read(noisyquant_reg::status) == 0);
    CHECK(bench.read(noisyquant_reg::channels) == 3); // settings stay
    bench.check();
  }
}

TEST_CASE("noisyquant: registers take what they can hold, and nothing while a run is under way") {
  const NoisyQuantConfig config{6, 2, 3, 12, 100};
  NoisyBench bench(config, 0);
  using namespace noisyquant_reg;
  CHECK(bench.read(id) == 0x4e544431);
  CHECK(bench.read(noisyquant_reg::config) == (6 | 2 << 8 | 3 << 16 | 12 << 20));
  const std::uint32_t defaults[] = {1, 6, 0, 1, 0};
  for (std::uint32_t at = 0; at < 5; ++at)
    CHECK(bench.read(channels + 4 * at) == defaults[at]);
  CHECK_FALSE(bench.write(channels, 0));
  CHECK_FALSE(bench.write(width, 0));
  CHECK_FALSE(bench.write(width, 7));
  CHECK_FALSE(bench.write(mode, 2));
  CHECK_FALSE(bench.write(step, 1u << 17));
  CHECK_FALSE(bench.write(offset, 1u << 17));
  CHECK_FALSE(bench.write(offset, static_cast<std::uint32_t>(-(1 << 17) - 1)));
  CHECK(bench.write(offset, static_cast<std::uint32_t>(-(1 << 17))));
  CHECK(bench.read(offset) == static_cast<std::uint32_t>(-(1 << 17)));
  CHECK(bench.write(offset, (1u << 17) - 1));
  CHECK(bench.write(step, (1u << 17) - 1));
  CHECK(bench.write(width, 5));
  CHECK(bench.write(control, 0));
  CHECK(bench.read(status) == 0);
  CHECK(bench.write(control, noisyquant_start));
  CHECK(bench.read(status) == 1);
  for (std::uint32_t at = 0; at < 5; ++at)
    CHECK_FALSE(bench.write(channels + 4 * at, 1));
  CHECK_FALSE(bench.write(control, noisyquant_start));
  CHECK(bench.write(control, 0));
  CHECK(bench.write(control, noisyquant_reset | noisyquant_start)); // the reset goes first
  CHECK(bench.read(status) == 0);
  CHECK(bench.read(width) == 5);
  bench.check();
}

TEST_CASE("noisyquant: a search in double precision chooses otherwise only of losses that are equal") {
  RandomWork random(base_seed());
  int searches = 0, ties = 0;
  for (int round = 0; round < repeats(400); ++round) {
    const NoisyQuantConfig config{14, 14, random.in(2, 5), random.in(8, 16), 100};
    const int width = random.in(2, 14), most = config.quantizer().most();
    const Values values = random_channel(random, config, width);
    const NoisyChoice choice = noisy_search(config.quantizer(), width, values.data());
    if (choice.largest == 0)
      continue;
    CAPTURE(round, base_seed(), config.bits, config.data_bits, width);
    const auto [i, j] = double_reference(values, config.bits, width);
    const auto loss = [&](int of_i, int of_j, bool clip) {
      const std::int64_t fifth = std::int64_t{choice.largest} * of_i;
      return exact_loss(values, quantized(values, 5 * fifth, fifth * of_j, clip, most), width,
                        config.quantizer().factor());
    };
    ++searches;
    CHECK(choice.j != 0); // five fifths less are the same values, and come first
    if (choice.i != i)
      CHECK(loss(i, 0, true) == loss(choice.i, 0, true));
    else if (choice.j != j)
      CHECK(loss(i, j, false) == loss(i, choice.j, false));
    ties += choice.i != i || choice.j != j;
  }
  CAPTURE(searches, ties);
  CHECK(ties > 0);
  CHECK(ties * 2 < searches);
}

TEST_CASE("noisyquant: the search by sums of int16 is the search by its definition, at any width") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(60); ++round) {
    NoisyQuantConfig config{64, 64, random.in(2, 5), random.in(8, 16), 100};
    const int width = round == 0 ? 64 : random.in(1, 20);
    if (round == 0)
      config.bits = 5, config.data_bits = 16;
    const Values values = random_channel(random, config, width);
    CAPTURE(round, base_seed(), config.bits, config.data_bits, width);
    const NoisyChoice choice = noisy_search(config.quantizer(), width, values.data());
    const Reference reference = exact_reference(values, config, width);
    CHECK(choice.i == reference.i);
    CHECK(choice.j == reference.j);
    CHECK(choice.largest == reference.largest);
  }
}

TEST_CASE("noisyquant: a run is saved in mid-channel and restored") {
  const NoisyQuantConfig config{6, 4, 3, 16, 100};
  RandomWork random(base_seed());
  Stream stream;
  for (int channel = 0; channel < 8; ++channel)
    stream.add(random_channel(random, config, 5));
  for (const NoisyQuantMode mode : {NoisyQuantMode::online, NoisyQuantMode::offline}) {
    NoisyQuantCore core(config), other(config);
    core.write(noisyquant_reg::channels, 8, 0xf, 2);
    core.write(noisyquant_reg::width, 5, 0xf, 4);
    core.write(noisyquant_reg::mode, static_cast<std::uint32_t>(mode), 0xf, 6);
    core.write(noisyquant_reg::step, 3000, 0xf, 8);
    core.write(noisyquant_reg::control, noisyquant_start, 0xf, 10);
    const auto offer = [&](NoisyQuantCore& to, std::size_t first, std::size_t end, Cycle from) {
      to.offer(0, {stream.values.data() + 2 * first, end - first, stream.tlast.data() + first}, from,
               nullptr);
      return from;
    };
    constexpr std::size_t all = 8 * 25, half = 110; // in mid-channel
    BeatTrace whole(NoisyQuantCore::interfaces(config).size()), rest = whole;
    const Cycle from = offer(core, 0, half, 7);
    const std::string saved = core.save();
    other.restore(saved);
    core.record(&whole);
    other.record(&rest);
    offer(core, half, all, from);
    offer(other, half, all, from);
    CHECK(whole.beats[out_beats].size() >= 90);
    CHECK(whole.beats[verdict_beats].size() == (mode == NoisyQuantMode::online ? 80 : 0));
    for (std::size_t at = 0; at < whole.beats.size(); ++at)
      CHECK(same(whole.beats[at], rest.beats[at]));
    for (const std::uint32_t address :
         {noisyquant_reg::status, noisyquant_reg::done, noisyquant_reg::cycles, noisyquant_reg::found})
      for (const Cycle cycle : {from, core.stop_cycle()})
        CHECK(core.read(address, cycle).data == other.read(address, cycle).data);
    CHECK_THROWS_AS(other.restore(saved.substr(0, saved.size() - 1)), InputError);
    CHECK_THROWS_AS(NoisyQuantTop({6, 3, 3, 16, 100}).model()->restore(saved), InputError);
  }
}

TEST_CASE("noisyquant: impossible parameters are named") {
  CHECK(complaint(NoisyQuantConfig{}).empty());
  CHECK(complaint({1, 1, 3, 16, 100}) == "largest width is 1, possible are 2..64");
  CHECK(complaint({65, 1, 3, 16, 100}) == "largest width is 65, possible are 2..64");
  CHECK(complaint({7, 0, 3, 16, 100}) == "multipliers is 0, possible are 1..7");
  CHECK(complaint({7, 8, 3, 16, 100}) == "multipliers is 8, possible are 1..7");
  CHECK(complaint({7, 7, 1, 16, 100}) == "bits of a code is 1, possible are 2..5");
  CHECK(complaint({7, 7, 6, 16, 100}) == "bits of a code is 6, possible are 2..5");
  CHECK(complaint({7, 7, 3, 7, 100}) == "bits of a value is 7, possible are 8..16");
  CHECK(complaint({7, 7, 3, 17, 100}) == "bits of a value is 17, possible are 8..16");
  CHECK_THROWS_AS(NoisyQuantTop({7, 7, 3, 17, 100}), InputError);
}

namespace {

// What the area model is fitted to, and what is only held against it.
const std::vector<NoisyQuantConfig> fitted = {{7, 7, 3, 16, 100},  {7, 1, 3, 16, 100},  {14, 14, 3, 16, 100},
                                              {28, 4, 3, 16, 100}, {9, 3, 4, 10, 100},  {16, 5, 2, 8, 100},
                                              {20, 9, 5, 12, 100}, {64, 2, 5, 16, 100}, {5, 5, 4, 8, 100},
                                              {30, 30, 2, 9, 100}, {56, 1, 3, 16, 100}, {56, 56, 3, 16, 100}};
const std::vector<NoisyQuantConfig> held_out = {
    {7, 2, 3, 13, 100}, {28, 28, 3, 16, 100}, {12, 4, 2, 16, 100}, {40, 6, 4, 14, 100}, {11, 11, 5, 9, 100}};

void compare_area(const NoisyQuantConfig& config, bool print) {
  std::string described;
  for (const int parameter : {config.max_width, config.multipliers, config.bits, config.data_bits})
    described += (described.empty() ? "" : ",") + std::to_string(parameter);
  compare_area(NoisyQuantTop(config), described, print);
}

} // namespace

TEST_CASE("noisyquant: the area model is close to synthesis") { compare_area(held_out[0], false); }

TEST_CASE("noisyquant: what the area model is fitted to, as CSV, and what is held against it", "[.fit]") {
  std::printf(
      "max_width,multipliers,bits,data_bits,part,lut,lut_ram,ff,dsp,ramb18,ramb36,model_lut,model_ff\n");
  for (const auto* list : {&fitted, &held_out})
    for (const NoisyQuantConfig& config : *list)
      compare_area(config, true);
}

TEST_CASE("noisyquant: impossible parameters stop elaboration") {
  check_refused("noisyquant",
                {{"MaxWidth", {1, 65}}, {"Multipliers", {57}}, {"Bits", {1, 6}}, {"DataBits", {7, 17}}});
  CHECK_THROWS_AS(build_rtl({"noisyquant", {{"Multipliers", 0}}, false, ""}),
                  ToolError); // a division by zero
}
