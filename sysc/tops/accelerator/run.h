#pragma once
#include "blocks/axi_control.h"
#include "blocks/output_fifo.h"
#include "blocks/scheduler.h"
#include "net/inference.h"
#include "tops/accelerator/configs.h"
#include "tops/accelerator/decoded_program.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/memories.h"
#include "tops/accelerator/recorder.h"
#include "tops/top.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace deltatwin {

/// When a run began, ended, and what it achieved: all that registers tell of it.
struct RunState {
  struct Completion {
    Cycle cycle, origin; ///< of an inference's last output beat; the slot that it came from
  };
  bool started = false;
  Cycle start = 0;    ///< the cycle in which START acted
  Cycle stop = never; ///< the first cycle in which nothing runs; `never` while that is not known
  RunError error;
  std::vector<Completion> completions;

  [[nodiscard]] Status status(Cycle cycle) const;
  [[nodiscard]] RunProgress progress(Cycle cycle) const;
  template <class Archive> void archive(Archive& bytes) { bytes(started, start, stop, error, completions); }
};

/// A run of the accelerator from START on, as far ahead as the inputs given allow. It is a value: a copy
/// goes on from where the original stood. One that was never started takes nothing.
class Run {
public:
  Run() = default;
  /// START acts in `cycle`: reads the memories, in the order in which the scheduler does, and checks them.
  Run(const Design& design, const AcceleratorMemories& memories, std::uint32_t layers, std::uint32_t images,
      Cycle cycle, Recorder& recorder);

  /// Takes input beats; see TopModel::offer. Results go to `sink`, beats of the interior to `recorder`.
  std::size_t input(const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken, const OutputSink& sink,
                    Recorder& recorder);

  [[nodiscard]] const RunState& state() const { return state_; }

  template <class Archive> void archive(Archive& bytes, const Design& design);

private:
  [[nodiscard]] std::size_t length() const { return static_cast<std::size_t>(program_->layers[0].inputs); }
  void compute_ahead(const std::int8_t* inputs, std::size_t count);
  void issue_image(const OutputSink& sink, Recorder& recorder);
  void fail(const RunError& error, Recorder& recorder);
  void fail_stream(const IssuedBlock& block, Recorder& recorder);
  void deliver(const std::int16_t* values, int base, int active, Cycle offered, Cycle origin,
               const OutputSink& sink, Recorder& recorder, OutputCredits& credits);

  RunState state_;
  std::uint32_t images_ = 0;
  std::shared_ptr<const DecodedProgram> program_; ///< null: nothing was started, or its check failed
  std::optional<SchedulerTiming> timing_;
  std::optional<IntegerInference> inference_;
  std::vector<std::int8_t> loading_;  ///< inputs of the inference that is being loaded
  std::vector<std::int16_t> results_; ///< of the inferences whose outputs are computed already
  std::size_t results_used_ = 0;
  std::uint32_t loaded_ = 0, issued_ = 0;
  OutputFifoTiming output_;
};

template <class Archive> void Run::archive(Archive& bytes, const Design& design) {
  bool runs = program_ != nullptr;
  bytes(state_, images_, runs, loading_, results_, results_used_, loaded_, issued_, output_);
  if constexpr (Archive::restores) {
    timing_.reset();
    inference_.reset();
  }
  if (!runs)
    return program_.reset();
  DecodedProgram program = program_ ? *program_ : DecodedProgram{};
  bytes(program);
  if constexpr (Archive::restores) {
    program_ = std::make_shared<const DecodedProgram>(program);
    timing_.emplace(scheduler_config(design), program.layers, 0);
    inference_.emplace(program.weights);
  }
  bytes(*timing_);
}

} // namespace deltatwin
