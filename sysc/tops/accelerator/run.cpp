#include "tops/accelerator/run.h"
#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>
#include <utility>

namespace deltatwin {
namespace {

constexpr std::size_t largest_batch = 4096; ///< inferences computed in one go, bounds memory

// How many of the `count` beats from `first` on come before the next TLAST.
std::size_t beats_before_last(const StreamBurst& burst, std::size_t first, std::size_t count) {
  if (!burst.tlast)
    return std::min(count, burst.beats - 1 - first);
  const void* last = std::memchr(burst.tlast + first, 1, count);
  return last ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(last) - burst.tlast) - first
              : count;
}

} // namespace

Status RunState::status(Cycle cycle) const {
  if (!started)
    return Status::idle;
  if (cycle < stop)
    return Status::running;
  return error.code == ErrorCode::none ? Status::done : Status::error;
}

RunProgress RunState::progress(Cycle cycle) const {
  RunProgress shown;
  shown.status = status(cycle);
  if (shown.status == Status::error) {
    shown.error = static_cast<int>(error.code);
    shown.error_layer = error.layer;
  }
  shown.cycles = started ? std::min(cycle, stop) - (start + 1) : 0;
  shown.inferences = static_cast<std::uint32_t>(
      std::count_if(completions.begin(), completions.end(),
                    [=](const Completion& completion) { return completion.cycle < cycle; }));
  return shown;
}

Run::Run(const Design& design, const AcceleratorMemories& memories, std::uint32_t layers,
         std::uint32_t images, Cycle cycle, Recorder& recorder)
    : images_(images) {
  state_.started = true;
  state_.start = cycle;
  recorder.start(memories.lane_words(), cycle + 1); // decoders fill while the program is checked
  DecodedProgram program;
  state_.error = decode_program(design, memories, layers, images, program);
  if (state_.error.code != ErrorCode::none) {
    state_.error.cycle += cycle + 1;
    state_.stop = state_.error.cycle + 1;
  } else {
    const SchedulerConfig config = scheduler_config(design);
    timing_.emplace(config, program.layers, cycle + preparation_cycles(config, layers));
    inference_.emplace(program.weights);
    program_ = std::make_shared<const DecodedProgram>(std::move(program));
  }
  recorder.fetches(state_.stop);
}

void Run::fail(const RunError& error, Recorder& recorder) {
  if (std::tie(error.cycle, error.code) >= std::tie(state_.error.cycle, state_.error.code))
    return;
  state_.error = error;
  state_.stop = error.cycle + 1;
  recorder.error(error.cycle);
  recorder.fetches(state_.stop);
  const auto prevented = [&](const RunState::Completion& c) { return c.origin > error.cycle; };
  auto& completions = state_.completions;
  completions.erase(std::remove_if(completions.begin(), completions.end(), prevented), completions.end());
}

// Raises what is wrong with the streams, when its slot comes.
void Run::fail_stream(const IssuedBlock& block, Recorder& recorder) {
  const DecodedStreams& streams = program_->streams;
  const auto first = static_cast<std::size_t>(block.weight_address);
  if (streams.fault == StreamFault::none || streams.slot < first ||
      streams.slot >= first + static_cast<std::size_t>(block.slots))
    return;
  const auto code =
      static_cast<ErrorCode>(static_cast<int>(ErrorCode::bad_code) - 1 + static_cast<int>(streams.fault));
  const Cycle slot =
      block.slot(static_cast<int>(streams.slot - first), timing_->write_back().mac.cycles_per_mac);
  fail({code, block.layer, slot + streams.delay}, recorder);
}

std::size_t Run::input(const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken,
                       const OutputSink& sink, Recorder& recorder) {
  const auto* data = reinterpret_cast<const std::int8_t*>(burst.data);
  const bool watched = burst.gaps || recorder.records();
  std::size_t given = 0;
  while (given < burst.beats && timing_ && loaded_ < images_) {
    const std::size_t at = loading_.size(), n = std::min(length() - at, burst.beats - given);
    if (at == 0)
      compute_ahead(data + given, (burst.beats - given) / length());
    Cycle cycle = from;
    for (std::size_t i = 0; i < n; ++i) {
      cycle += burst.gaps ? burst.gaps(given + i) : 0;
      if (at + i == 0)
        cycle = std::max(cycle, timing_->input_ready());
      if (cycle >= state_.stop || cycle == never)
        return given + i;
      const bool ends = at + i + 1 == length();
      const bool last = burst.last(given + i);
      if (taken)
        taken->push_back(cycle);
      recorder.input(cycle, burst.data[given + i], last, loaded_, at + i);
      from = cycle + 1;
      if (last != ends) {
        fail({ErrorCode::framing, 0, cycle}, recorder);
        return given + i + 1;
      }
      if (!watched && i + 1 < n) { // straight to the next with TLAST
        const Cycle skipped =
            std::min<Cycle>(beats_before_last(burst, given + i + 1, n - 2 - i), state_.stop - 1 - cycle);
        if (taken) {
          taken->resize(taken->size() + skipped);
          std::iota(taken->end() - static_cast<std::ptrdiff_t>(skipped), taken->end(), cycle + 1);
        }
        cycle += skipped;
        i += skipped;
      }
      from = ++cycle;
    }
    loading_.insert(loading_.end(), data + given, data + given + n);
    given += n;
    if (loading_.size() == length()) {
      timing_->loaded(from - 1);
      ++loaded_;
      if (state_.error.code == ErrorCode::none)
        issue_image(sink, recorder);
      loading_.clear();
    }
  }
  return given;
}

// The results of as many whole inferences as there are, if none are left.
void Run::compute_ahead(const std::int8_t* inputs, std::size_t count) {
  const std::size_t images = std::min(count, largest_batch);
  if (images == 0 || results_used_ < results_.size())
    return;
  results_.resize(images * static_cast<std::size_t>(inference_->outputs()));
  inference_->run(inputs, static_cast<int>(images), results_.data());
  results_used_ = 0;
}

void Run::issue_image(const OutputSink& sink, Recorder& recorder) {
  compute_ahead(loading_.data(), 1);
  const std::int16_t* values = results_.data() + results_used_;
  results_used_ += static_cast<std::size_t>(inference_->outputs());
  recorder.begin_image(*program_, issued_, loading_);
  Cycle origin = 0;
  const auto visit = [&](const IssuedBlock& block) {
    origin = block.last_slot;
    fail_stream(block, recorder);
    recorder.block(*program_, timing_->write_back(), block, state_.stop);
  };
  const auto delivered = [&](int base, int active, Cycle offered, OutputCredits& credits) {
    deliver(values, base, active, offered, origin, sink, recorder, credits);
  };
  const RunError error = timing_->issue(visit, delivered);
  ++issued_;
  if (error.code != ErrorCode::none)
    fail(error, recorder);
  else if (state_.completions.size() == images_ && state_.error.code == ErrorCode::none)
    state_.stop = state_.completions.back().cycle + 1;
  if (state_.error.code != ErrorCode::none) // blocks behind a bad stream
    recorder.error(state_.error.cycle);
  recorder.fetches(state_.stop);
}

// A tile's results to whoever takes them.
void Run::deliver(const std::int16_t* values, int base, int active, Cycle offered, Cycle origin,
                  const OutputSink& sink, Recorder& recorder, OutputCredits& credits) {
  const bool last = base + active == inference_->outputs(), prevented = origin >= state_.stop;
  std::vector<Cycle> taken;
  if (prevented) // by an error that was found meanwhile
    taken.assign(static_cast<std::size_t>(active), never);
  else
    sink({reinterpret_cast<const std::uint8_t*>(values + base), active, last, output_.offered(offered - 1)},
         taken);
  for (const Cycle beat : taken)
    credits.beat(beat);
  if (prevented)
    return;
  output_.taken(taken.back());
  for (std::size_t i = 0; i < taken.size() && taken[i] != never; ++i) {
    const int neuron = base + static_cast<int>(i);
    recorder.output(taken[i], values[neuron], last && i + 1 == taken.size(),
                    static_cast<int>(program_->layers.size()) - 1, neuron, origin);
  }
  if (last && taken.back() != never)
    state_.completions.push_back({taken.back(), origin});
}

} // namespace deltatwin
