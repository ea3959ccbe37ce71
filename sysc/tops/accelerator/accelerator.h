#pragma once
#include "base/trace.h"
#include "blocks/axi_control.h"
#include "blocks/huffman_bank.h"
#include "blocks/scheduler.h"
#include "net/inference.h"
#include "tops/accelerator/design.h"
#include "tops/top.h"
#include <functional>
#include <memory>
#include <vector>

namespace deltatwin {

inline constexpr Cycle control_latency = 1; ///< from a write to CONTROL to the cycle in which it acts

/// Positions in AcceleratorCore::interfaces(); weight bank b is at bank0 + b, and behind the banks,
/// with decoders, the words that lane l's decoder takes are at bank0 + banks + l.
namespace port {
enum : std::size_t { aw, w, b, ar, r, s_axis, m_axis, slot, mac, ref, sum, act, bank0 };
}

/// Output beats of one tile on their way to whoever takes them. `taken` receives the cycle of each
/// beat: not before it is offered, and each later than the one before.
struct OutputTile {
  const std::int16_t* values;
  int count;
  bool last;     ///< the tile ends an inference: its last beat carries TLAST
  Cycle offered; ///< of the first beat, after the beats before were taken; one more cycle a beat
};
using TileSink = std::function<void(const OutputTile&, std::vector<Cycle>& taken)>;

/// A sink that is always ready.
void take_at_once(const OutputTile& tile, std::vector<Cycle>& taken);

/// What the accelerator does and when, without SystemC: registers, streams, and the interior's
/// beats on demand. Calls come in the order of their cycles, per interface.
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
/// What happens is computed as far ahead as the inputs given allow; a soft reset or a framing
/// error takes back what it prevents in the trace, but not what an TileSink has been given.
class AcceleratorCore {
public:
  explicit AcceleratorCore(const Design& design);

  using ReadResult = AxiControlCore::Read;
  /// A register access that is transferred in `cycle`; false: SLVERR. A read sees what was there
  /// before a write of its own cycle, whichever is called first. `strobe` as in AXI4-Lite: a write
  /// without any byte does nothing, one of some bytes is refused.
  bool write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe = 0xf);
  [[nodiscard]] ReadResult read(std::uint32_t address, Cycle cycle) const;
  /// rst_ni is low from `cycle` on: registers too. Memories keep their contents.
  void hard_reset(Cycle cycle);

  /// Offers `count` beats at the input stream, the first one not before cycle `from`, with gaps
  /// if given; `from` becomes the cycle after the last beat taken. `tlast` is given to each inference's last
  /// beat, and to none else, unless `tlast_at` (may be null) says otherwise. Returns the cycle of each beat
  /// that is taken; fewer than `count` when the run ends or errs before. `taken` may be null; then the return
  /// value counts.
  std::size_t input(const std::int8_t* data, std::size_t count, Cycle& from, const Gaps& gaps = {},
                    std::vector<Cycle>* taken = nullptr, const std::uint8_t* tlast_at = nullptr);

  void set_sink(TileSink sink) { sink_ = std::move(sink); }
  /// Records the interior's beats in the order of interfaces(), from port::s_axis on; null stops.
  void set_trace(BeatTrace* trace) { trace_ = trace; }

  [[nodiscard]] const Design& design() const { return design_; }
  [[nodiscard]] Status status(Cycle cycle) const;
  /// The run's length in cycles; `never` while it is not known.
  [[nodiscard]] Cycle stop_cycle() const { return run_.stop; }
  /// The cycle in which START acted.
  [[nodiscard]] Cycle start_cycle() const { return run_.start; }
  [[nodiscard]] const RunError& error() const { return run_.error; }
  /// Cycles in which inferences of this run ended (their last output beats).
  [[nodiscard]] std::vector<Cycle> completions() const;

  /// The interfaces that are held against the RTL, in the order of `port`.
  [[nodiscard]] static std::vector<Interface> interfaces(const Design& design);

private:
  struct Completion {
    Cycle cycle, origin;
  };
  /// What registers show of a run.
  struct Shown {
    bool started = false;
    Cycle start = 0, stop = never; ///< the cycle in which START acted; the first one in which nothing runs
    RunError error;
    std::vector<Completion> completions;
  };
  [[nodiscard]] const Shown& shown(Cycle cycle) const { return cycle <= changed_ ? before_ : run_; }
  /// Nothing is left of a run after `cycle`.
  void clear(Cycle cycle);
  void start(Cycle cycle);
  void load(const AxiControlCore::Write& write);
  [[nodiscard]] std::vector<std::vector<std::uint64_t>> lane_words() const;
  void build_books(const std::vector<LayerDescriptor>& table);
  /// Bank words of raw deltas, a slot each.
  [[nodiscard]] const std::vector<std::vector<std::uint64_t>>& slot_words() const {
    return design_.huffman ? decoded_streams_.banks : banks_;
  }
  [[nodiscard]] std::vector<DenseLayer> decode() const;
  void issue_image();
  void fail(const RunError& error);
  void fail_stream(const IssuedBlock& block);
  void compute_sums();
  void trace_block(const IssuedBlock& block);
  void trace_decoders(const IssuedBlock& block);
  void trace_fetches();
  void stop_fetches();

  Design design_;
  TileSink sink_ = take_at_once;
  BeatTrace* trace_ = nullptr;

  // Memories.
  std::vector<std::vector<std::uint64_t>> banks_;
  std::vector<std::uint8_t> references_;
  std::vector<std::uint64_t> parameters_;
  std::vector<std::uint32_t> program_;
  std::vector<std::uint8_t> code_lengths_;
  std::vector<std::uint32_t> streams_; ///< two a lane

  // Registers.
  AxiControlCore control_, before_write_;
  Cycle write_ = never; ///< the latest write's cycle, in which a read sees before_write_

  // The run.
  Shown run_, before_;
  Cycle changed_ = 0; ///< up to which reads see `before_`
  std::unique_ptr<SchedulerTiming> timing_;
  std::unique_ptr<IntegerInference> inference_;
  std::vector<DenseLayer> decoded_;
  std::vector<CodeTable> books_; ///< with decoders: one a layer
  DecodedStreams decoded_streams_;
  std::vector<std::int8_t> loading_;  ///< the inference that is being loaded
  std::vector<std::int16_t> results_; ///< of the inferences whose outputs are computed already
  std::size_t results_used_ = 0;
  std::uint32_t loaded_ = 0, issued_ = 0;
  Cycle output_free_ = 0;                             ///< the cycle after the latest output beat
  std::vector<std::vector<std::int8_t>> activations_; ///< of the inference being traced, a layer each
  std::vector<std::vector<std::int32_t>> sums_;
  BankDecoders decoders_; ///< of the run being traced
};

} // namespace deltatwin
