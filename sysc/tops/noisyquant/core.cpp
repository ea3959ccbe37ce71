#include "tops/noisyquant/core.h"
#include "base/archive.h"
#include "blocks/axi_control.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

enum : std::size_t {
  port_in = 5,
  port_out,
  port_errors,
  port_sums,
  port_losses,
  port_verdicts,
  port_results,
};

Cycle after(Cycle cycle) { return cycle == never ? never : cycle + 1; }

std::uint64_t low_bits(std::int64_t value, int bits) {
  return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

std::uint32_t packed(const NoisyChoice& choice) {
  return static_cast<std::uint32_t>(choice.largest) << 16 |
         static_cast<std::uint32_t>(low_bits(choice.j, 4) << 4) | static_cast<std::uint32_t>(choice.i);
}

} // namespace

NoisyQuantCore::NoisyQuantCore(const NoisyQuantConfig& config) : config_(config), sink_(take_at_once) {
  validate(config);
  now_.settings.width = static_cast<std::uint32_t>(config.max_width);
  before_ = now_;
  credits_.fill(0);
}

std::vector<Interface> NoisyQuantCore::interfaces(const NoisyQuantConfig& config) {
  const Field clean("interior_rst_n");
  const int sum = config.lanes().sum_bits(), loss = config.loss().loss_bits();
  std::vector<Field> verdict = {"better"};
  if (loss > 63)
    verdict.push_back({"loss", loss - 63, 63});
  std::vector<Interface> all = axi_lite_interfaces("host", "noisyquant_control");
  all.insert(all.end(),
             {{"host",
               "values in",
               {"s_axis_tvalid_i", "s_axis_tready_o"},
               {{"s_axis_tdata_i", 16}, "s_axis_tlast_i"}},
              {"noisyquant",
               "values out",
               {"m_axis_tvalid_o", "m_axis_tready_i"},
               {{"m_axis_tdata_o", 32}, "m_axis_tlast_o"}},
              {"noisy_quantizer", "errors", {"lead", clean}, {{"error", config.quantizer().error_bits()}}},
              {"noisy_lanes", "sums", {"sum_valid", clean}, {{"sum", sum}, "sum_end"}},
              {"noisy_loss", "losses", {"verdict", clean}, {{"loss", std::min(loss, 63)}}},
              {"noisy_loss", "verdicts", {"verdict", clean}, verdict},
              {"noisy_quantizer", "results", {"push", clean}, {{"result_word", 32}, "last"}}});
  return all;
}

void NoisyQuantCore::add(std::size_t interface, Cycle cycle, std::uint64_t payload) {
  if (trace_ && cycle != never)
    trace_->add(interface, {cycle, payload, {}, cycle});
}

// Registers.

NoisyQuantStatus NoisyQuantCore::State::status(Cycle cycle) const {
  if (error_at < cycle)
    return NoisyQuantStatus::error;
  if (start == never)
    return NoisyQuantStatus::idle;
  return all_in() && channels.back().out < cycle ? NoisyQuantStatus::done : NoisyQuantStatus::running;
}

std::uint32_t NoisyQuantCore::State::cycles(Cycle cycle) const {
  if (start == never)
    return 0;
  const Cycle stop = all_in() ? channels.back().out : error_at;
  return static_cast<std::uint32_t>(std::min(cycle - 1, stop) - start);
}

std::uint32_t NoisyQuantCore::State::done_before(Cycle cycle) const {
  return static_cast<std::uint32_t>(std::partition_point(channels.begin(), channels.end(),
                                                         [=](const Channel& c) { return c.out < cycle; }) -
                                    channels.begin());
}

std::uint32_t NoisyQuantCore::State::choice(unsigned index, Cycle cycle) const {
  const auto count =
      static_cast<std::size_t>(std::partition_point(channels.begin(), channels.end(),
                                                    [=](const Channel& c) { return c.found < cycle; }) -
                               channels.begin());
  if (count <= index)
    return found[index];
  return channels[count - 1 - (count - 1 - index) % noisyquant_found].choice;
}

// Whether a register takes a value, which then is in it.
bool NoisyQuantCore::set(std::uint32_t address, std::uint32_t data) {
  Settings& settings = now_.settings;
  const auto put = [data](std::uint32_t& setting, bool fits) {
    if (fits)
      setting = data;
    return fits;
  };
  switch (address) {
  case noisyquant_reg::channels:
    return put(settings.channels, data > 0);
  case noisyquant_reg::width:
    return put(settings.width, data > 0 && data <= static_cast<std::uint32_t>(config_.max_width));
  case noisyquant_reg::mode:
    return put(settings.mode, data < 2);
  case noisyquant_reg::step:
    return put(settings.step, data >> config_.quantizer().step_bits() == 0);
  case noisyquant_reg::offset: {
    const std::int32_t above = static_cast<std::int32_t>(data) >> (config_.quantizer().offset_bits() - 1);
    return put(settings.offset, above == 0 || above == -1);
  }
  default:
    return false;
  }
}

bool NoisyQuantCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) {
  constexpr unsigned all = 0xf;
  if (strobes != all)
    return strobes == 0;
  const NoisyQuantStatus status = state(cycle).status(cycle);
  const bool writable = status != NoisyQuantStatus::running && status != NoisyQuantStatus::error;
  if (address != noisyquant_reg::control) {
    if (!writable)
      return false;
    State old = now_;
    if (!set(address, data))
      return false;
    before_ = std::move(old);
    now_.begin = cycle;
    return true;
  }
  if (data & noisyquant_reset) {
    forget(cycle + 1, now_.settings);
    if (trace_)
      trace_->reset_after(cycle, port_in);
  } else if (data & noisyquant_start) {
    if (!writable)
      return false;
    start(cycle);
  }
  return true;
}

TopModel::ReadResult NoisyQuantCore::read(std::uint32_t address, Cycle cycle) const {
  const State& seen = state(cycle);
  switch (address) {
  case noisyquant_reg::id:
    return {noisyquant_id, true};
  case noisyquant_reg::status: {
    const NoisyQuantStatus status = seen.status(cycle);
    const auto error =
        status == NoisyQuantStatus::error ? static_cast<std::uint32_t>(seen.error) : std::uint32_t{0};
    return {static_cast<std::uint32_t>(status) | error << 8, true};
  }
  case noisyquant_reg::channels:
    return {seen.settings.channels, true};
  case noisyquant_reg::width:
    return {seen.settings.width, true};
  case noisyquant_reg::mode:
    return {seen.settings.mode, true};
  case noisyquant_reg::step:
    return {seen.settings.step, true};
  case noisyquant_reg::offset:
    return {seen.settings.offset, true};
  case noisyquant_reg::cycles:
    return {seen.cycles(cycle), true};
  case noisyquant_reg::done:
    return {seen.done_before(cycle), true};
  case noisyquant_reg::config:
    return {static_cast<std::uint32_t>(config_.max_width | config_.multipliers << 8 | config_.bits << 16 |
                                       config_.data_bits << 20),
            true};
  default:
    if (address % 4 == 0 && address >= noisyquant_reg::found &&
        address < noisyquant_reg::found + 4 * noisyquant_found)
      return {seen.choice((address - noisyquant_reg::found) / 4, cycle), true};
    return {0, false};
  }
}

// From `cycle` on nothing is inside. In a reset's cycles there are no beats, and what was computed
// beyond its first one never comes.
void NoisyQuantCore::forget(Cycle cycle, const Settings& settings) {
  State clean;
  clean.begin = cycle;
  clean.settings = settings;
  for (unsigned i = 0; i < noisyquant_found; ++i)
    clean.found[i] = now_.choice(i, cycle);
  before_ = std::exchange(now_, std::move(clean));
  input_free_ = cycle + 1;
  values_.clear();
  reads_.clear();
  credits_.fill(0);
  sent_ = 0;
  output_free_ = 0;
}

void NoisyQuantCore::start(Cycle cycle) {
  forget(cycle, now_.settings);
  now_.of_run = now_.settings;
  now_.start = cycle;
}

void NoisyQuantCore::hard_reset(Cycle cycle) {
  Settings settings;
  settings.width = static_cast<std::uint32_t>(config_.max_width);
  forget(cycle, settings);
  if (trace_ && cycle)
    trace_->drop_cycles_after(cycle - 1, port_in);
}

// Values in.

void NoisyQuantCore::set_sink(std::size_t, OutputSink sink) { sink_ = std::move(sink); }

// How many beats of a burst, from `first` on, go on with the channel up to its end as they should.
std::size_t NoisyQuantCore::good_beats(const StreamBurst& burst, std::size_t first) const {
  const std::size_t left = now_.of_run.width * std::size_t{now_.of_run.width} - values_.size();
  const std::size_t most = burst.gaps ? 1 : std::min(left, burst.beats - first);
  if (burst.tlast) {
    const std::uint8_t* begin = burst.tlast + first;
    const auto count = static_cast<std::size_t>(
        std::find_if(begin, begin + most, [](std::uint8_t last) { return last != 0; }) - begin);
    return count + 1 == left && count < most ? left : std::min(count, left - 1);
  }
  std::size_t count = 0;
  while (count < most && burst.last(first + count) == (count + 1 == left))
    ++count;
  return count;
}

// The first cycle in which a value of the channel that comes in has a place.
Cycle NoisyQuantCore::room(std::size_t index) const {
  if (is_offline())
    return credits_[sent_ % noisyquant_credits];
  return reads_.empty() ? 0 : after(reads_[index]);
}

// A beat that ends a channel where it should not, or does not where it should.
void NoisyQuantCore::err(bool last, Cycle beat) {
  now_.error = last ? NoisyQuantError::early : NoisyQuantError::late;
  now_.error_at = beat;
}

std::size_t NoisyQuantCore::offer(std::size_t, const StreamBurst& burst, Cycle& from,
                                  std::vector<Cycle>* taken) {
  const std::size_t all = now_.of_run.width * std::size_t{now_.of_run.width};
  const auto value = [&](std::size_t at) {
    return static_cast<std::uint16_t>(burst.data[2 * at] | burst.data[2 * at + 1] << 8);
  };
  const int above = 16 - config_.data_bits;
  Cycle offered = from;
  for (std::size_t i = 0; i < burst.beats;) {
    if (now_.start == never || now_.error_at != never || now_.all_in())
      return i;
    if (burst.gaps)
      offered += burst.gaps(i);
    const std::size_t first = values_.size();
    Cycle beat = std::max({offered, input_free_, room(first)});
    if (beat == never)
      return i;
    // As many as are offered back to back; a wrong one alone.
    const std::size_t good = good_beats(burst, i), count = std::max<std::size_t>(good, 1);
    values_.resize(first + good);
    for (std::size_t k = 0; k < good; ++k)
      values_[first + k] =
          static_cast<std::int16_t>(static_cast<std::int16_t>(value(i + k) << above) >> above);
    if (is_offline())
      send(first, now_.of_run.step, static_offset(), values_.size() == all,
           beat + config_.quantizer().latency() + 1);
    const bool at_once = good && !trace_ && !taken && (is_offline() ? flows(beat) : reads_.empty());
    if (at_once) { // nobody looks at single beats, and none waits
      for (std::size_t k = good - std::min(good, noisyquant_credits); is_offline() && k < good; ++k)
        credits_[(sent_ + k) % noisyquant_credits] = after(out_[k]);
      if (is_offline()) {
        sent_ += good;
        output_free_ = after(out_.back());
      }
      from = offered = input_free_ = beat + good;
    }
    for (std::size_t k = 0; k < count && !at_once; ++k, ++beat) {
      beat = std::max(beat, room(first + k));
      if (beat == never) {
        values_.resize(first + k);
        return i + k;
      }
      add(port_in, beat, value(i + k) | std::uint64_t{burst.last(i + k)} << 16);
      if (taken)
        taken->push_back(beat);
      from = offered = input_free_ = beat + 1;
      if (!good)
        err(burst.last(i), beat);
      else if (is_offline())
        leave(first + k, beat + config_.quantizer().latency(), out_[k], now_.of_run.step, static_offset());
    }
    i += count;
    if (values_.size() == all) {
      if (is_offline())
        now_.channels.push_back({never, out_.back(), 0});
      else
        search(input_free_ - 1);
      values_.clear();
    }
  }
  return burst.beats;
}

// Values out.

// Hands the values from `first` on to the sink, which says when it takes them. They are offered one a
// cycle, or as the sink takes them: at a sink that waits, the FIFO is full before a value waits to be read.
void NoisyQuantCore::send(std::size_t first, std::int64_t step, std::int64_t offset, bool last,
                          Cycle offered) {
  const std::size_t count = values_.size() - first;
  out_.clear();
  if (output_free_ == never || offered == never) {
    out_.assign(count, never);
    return;
  }
  words_.resize(count);
  noisy_words(config_.quantizer(), values_.data() + first, count, step, offset, words_.data());
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
  std::transform(words_.begin(), words_.end(), words_.begin(), __builtin_bswap32);
#endif
  out_.reserve(count);
  sink_({reinterpret_cast<const std::uint8_t*>(words_.data()), static_cast<int>(count), last,
         std::max(offered, output_free_)},
        out_);
}

// Whether values that are read one a cycle from `beat` on, and leave as out_ says, never wait to be read.
bool NoisyQuantCore::flows(Cycle beat) const {
  std::size_t k = 0;
  bool waits = false;
  for (; k < std::min(noisyquant_credits, out_.size()); ++k)
    waits |= credits_[(sent_ + k) % noisyquant_credits] > beat + k;
  for (; k < out_.size(); ++k)
    waits |= out_[k - noisyquant_credits] >= beat + k;
  return !waits;
}

// A value is pushed into the FIFO and taken from there.
void NoisyQuantCore::leave(std::size_t index, Cycle pushed, Cycle out, std::int64_t step,
                           std::int64_t offset) {
  credits_[sent_++ % noisyquant_credits] = output_free_ = after(out);
  if (!trace_)
    return;
  const NoisyResult result =
      noisy_quantize(config_.quantizer(), values_[index], step, offset, NoisyRange::code);
  const bool last = index + 1 == now_.of_run.width * std::size_t{now_.of_run.width};
  const std::uint64_t payload = noisy_word(result) | std::uint64_t{last} << 32;
  add(port_results, pushed, payload);
  add(port_out, out, payload);
}

void NoisyQuantCore::search(Cycle last_in) {
  const int width = static_cast<int>(now_.of_run.width);
  const NoisyQuantTiming timing{config_, width};
  const NoisyChoice choice = noisy_search(config_.quantizer(), width, values_.data());
  if (trace_)
    record_search(choice, last_in + NoisyQuantTiming::first_slot);
  const Cycle first_read = last_in + timing.search();
  Cycle read = std::max(first_read, credits_[sent_ % noisyquant_credits]);
  send(0, choice.step(), choice.offset(), true, read == never ? never : read + timing.error() + 1);
  reads_.assign(values_.size(), never);
  for (std::size_t k = 0; k < values_.size(); ++k, ++read) {
    read = std::max(read, credits_[sent_ % noisyquant_credits]);
    if (read == never)
      break;
    reads_[k] = read;
    leave(k, read + timing.error(), out_[k], choice.step(), choice.offset());
  }
  now_.channels.push_back({first_read - 1, out_.back(), packed(choice)});
}

// The errors, sums, losses and verdicts of a search, each by its definition.
void NoisyQuantCore::record_search(const NoisyChoice& choice, Cycle first_slot) {
  const int width = static_cast<int>(now_.of_run.width), lanes = config_.multipliers;
  const NoisyQuantTiming timing{config_, width};
  const auto entries = static_cast<Cycle>(width);
  const int error_bits = config_.quantizer().error_bits(), sum_bits = config_.lanes().sum_bits();
  const auto x = [&](int row, int column) {
    return std::int64_t{values_[static_cast<std::size_t>(row * width + column)]};
  };
  NoisyLossCore losses;
  std::vector<std::int64_t> errors(entries);
  Cycle slot = first_slot;
  for (const bool offsets : {false, true}) {
    losses.start();
    for (int trial = 0; trial < noisy_trials; ++trial) {
      const std::int64_t step = offsets ? choice.step() : noisy_trial_step(trial, choice.largest);
      const std::int64_t offset = offsets ? noisy_trial_offset(trial, choice.fifth()) : 0;
      for (int column = 0; column < width; ++column) {
        for (int k = 0; k < width; ++k) {
          errors[static_cast<std::size_t>(k)] =
              noisy_quantize(config_.quantizer(), static_cast<int>(x(k, column)), step, offset,
                             offsets ? NoisyRange::free : NoisyRange::clip)
                  .error;
          add(port_errors, slot + static_cast<Cycle>(k) + timing.error(),
              low_bits(errors[static_cast<std::size_t>(k)], error_bits));
        }
        for (int row = 0; row < width; ++row) {
          std::int64_t sum = 0;
          for (int k = 0; k < width; ++k)
            sum += x(row, k) * errors[static_cast<std::size_t>(k)];
          losses.add(sum);
          const bool end = column + 1 == width && row + 1 == width;
          add(port_sums,
              slot + (row / lanes + 1) * entries - 1 + timing.error() + NoisyLanesTiming::first_sum +
                  static_cast<Cycle>(row % lanes),
              low_bits(sum, sum_bits) | std::uint64_t{end} << sum_bits);
        }
        slot += entries * static_cast<Cycle>(config_.lanes().groups(width));
      }
      const NoisyLossCore::Verdict verdict = losses.judge();
      const Cycle judged = slot - 1 + timing.verdict();
      constexpr std::uint64_t low = (std::uint64_t{1} << 63) - 1;
      add(port_losses, judged, static_cast<std::uint64_t>(verdict.loss) & low);
      add(port_verdicts, judged, static_cast<std::uint64_t>(verdict.loss >> 63) << 1 | verdict.better);
    }
    slot += timing.verdict() - 1 + NoisyQuantTiming::next_slot;
  }
}

Cycle NoisyQuantCore::stop_cycle() const {
  if (now_.start != never && now_.error_at == never && !now_.all_in())
    return never;
  return std::max({after(now_.begin), after(now_.error_at == never ? 0 : now_.error_at), output_free_});
}

std::vector<MemoryImage> NoisyQuantCore::memories() const {
  MemoryImage found{"u_control.found_q", {}};
  for (unsigned i = 0; i < noisyquant_found; ++i)
    found.words.push_back(now_.choice(i, never));
  return {found};
}

std::string NoisyQuantCore::save() const {
  return save_state(*this, state_owner("noisyquant", config_.parameters()));
}

void NoisyQuantCore::restore(const std::string& state) {
  restore_state(*this, state, state_owner("noisyquant", config_.parameters()));
}

} // namespace deltatwin
