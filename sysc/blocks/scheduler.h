#pragma once
#include "blocks/input_loader.h"
#include "blocks/issue_walker.h"
#include "blocks/program_check.h"
#include "blocks/program_table.h"
#include "blocks/scheduler_config.h"
#include "blocks/write_back.h"
#include <utility>
#include <vector>

namespace deltatwin {

/// When the scheduler issues what: computed a block at a time. The cost of an inference grows with
/// its tiles, not with its cycles. Steady state, one block a neuron: a layer takes
/// ceil(outputs / lanes) * max(inputs * cycles_per_mac, min(lanes, outputs)) cycles.
class SchedulerTiming {
public:
  /// `first_wait`: the cycle after the last layer's check, or after the last build of a code book.
  SchedulerTiming(const SchedulerConfig& config, std::vector<LayerDescriptor> layers, Cycle first_wait)
      : layers_(std::move(layers)), loader_(first_wait), walker_(config, first_wait) {}

  /// The earliest cycle in which the next inference's first input beat can be taken.
  [[nodiscard]] Cycle input_ready() const { return loader_.ready(); }
  /// Its last input beat was at this cycle.
  void loaded(Cycle last_beat) { loader_.load(last_beat); }

  /// Issues one loaded inference. `visit(const IssuedBlock&)` sees each block in order;
  /// `deliver(base, active, offered, credits)` is called for each of the last layer's tiles with the
  /// cycle of its first output offer (one more per neuron), behind the IssuedBlock of its last slot;
  /// it tells `credits` (an OutputCredits) of each output beat, in order.
  /// Returns the run-time error that stopped it, if any.
  template <class Visit, class Deliver> RunError issue(Visit visit, Deliver deliver) {
    return walker_.issue(layers_, loader_, visit, deliver);
  }

  /// Between inferences: where everything stands that the next ones' timing depends on, relative to
  /// the issue side's wait for the next one. Equal phases have equal futures.
  [[nodiscard]] std::vector<Cycle> phase() const {
    std::vector<Cycle> phase;
    loader_.append_phase(walker_.wait(), phase);
    walker_.append_phase(phase);
    return phase;
  }

  [[nodiscard]] const WriteBackTiming& write_back() const { return walker_.write_back(); }
  [[nodiscard]] const std::vector<LayerDescriptor>& layers() const { return layers_; }

  template <class Archive> void archive(Archive& bytes) { bytes(layers_, loader_, walker_); }

private:
  std::vector<LayerDescriptor> layers_;
  InputLoader loader_;
  IssueWalker walker_;
};

/// A `deliver` for issue(): every result is taken when it is offered.
inline void take_each_cycle(int, int active, Cycle offered, OutputCredits& credits) {
  for (int i = 0; i < active; ++i)
    credits.beat(offered + static_cast<Cycle>(i));
}

} // namespace deltatwin
