#pragma once
#include "blocks/axi_control.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/memories.h"
#include "tops/accelerator/recorder.h"
#include "tops/accelerator/run.h"
#include "tops/top.h"
#include <string>
#include <vector>

namespace deltatwin {

inline constexpr Cycle control_latency = 1; ///< from a write to CONTROL to the cycle in which it acts

/// What the accelerator does and when: registers, memories, a run, and a recorder of its beats.
///
/// A write to CONTROL in cycle c acts in c + control_latency, from a register. START: STATUS is running, and
/// CYCLES counts, from the cycle after that on. Soft reset: all goes on up to and including that cycle, with
/// beats on every interface, and is idle from the next one on: the run, its results and the output stream's
/// beats that were not taken are gone, one that was offered is withdrawn; memories and the other registers
/// keep what they hold. A hard reset acts in its own cycle.
///
/// In status `error`, after a TLAST in the wrong place say, no input is taken until the reset and the next
/// START, which takes what is offered then as its own: the host drops the rest of a packet before.
///
/// What happens is computed as far ahead as the inputs given allow; a soft reset or a framing error takes
/// back what it prevents in the trace, but not what a sink has been given.
class AcceleratorCore : public TopModel {
public:
  explicit AcceleratorCore(const Design& design);

  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) override;
  [[nodiscard]] ReadResult read(std::uint32_t address, Cycle cycle) const override;
  std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                    std::vector<Cycle>* taken) override {
    (void)stream;
    return run_.input(burst, from, taken, sink_, recorder_);
  }
  void set_sink(std::size_t, OutputSink sink) override { sink_ = std::move(sink); }
  void hard_reset(Cycle cycle) override;
  [[nodiscard]] Cycle stop_cycle() const override { return run_.state().stop; }
  void record(BeatTrace* trace) override { recorder_.record(trace); }
  [[nodiscard]] std::vector<MemoryImage> memories() const override { return memories_.images(); }
  [[nodiscard]] std::string save() const override;
  void restore(const std::string& state) override;

  template <class Archive> void archive(Archive& bytes) {
    bytes(control_, before_write_, write_, memories_, recorder_, before_, changed_);
    run_.archive(bytes, design_);
  }

  /// The latest run, as far as it is known.
  [[nodiscard]] const RunState& run() const { return run_.state(); }

private:
  [[nodiscard]] const RunState& shown(Cycle cycle) const {
    return cycle <= changed_ ? before_ : run_.state();
  }
  /// From the cycle after `cycle` on there is another run, or none.
  void replace_run(Cycle cycle);

  Design design_;
  OutputSink sink_;
  AxiControlCore control_, before_write_;
  Cycle write_ = never; ///< the latest write's cycle, in which a read sees before_write_
  AcceleratorMemories memories_;
  Recorder recorder_;
  Run run_;
  RunState before_;
  Cycle changed_ = 0; ///< up to which reads see `before_`
};

} // namespace deltatwin
