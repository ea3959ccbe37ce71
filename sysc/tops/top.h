#pragma once
#include "base/cycle.h"
#include "base/pacer.h"
#include "base/register.h"
#include "base/resources.h"
#include "base/trace.h"
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// An AXI4-Lite or AXI4-Stream port of a top; its pins are `prefix` + "_awvalid_i" and so on.
struct Bus {
  enum Kind { axi_lite, stream_in, stream_out } kind;
  std::string prefix;   ///< "s_axil", "s_axis", "m_axis"
  int data_bits;        ///< of a stream's TDATA, a multiple of 8; 32 for AXI4-Lite
  int address_bits = 0; ///< of AXI4-Lite
};

/// A part of a top that area is told by: the instances whose cells are counted to it (names in the
/// top's module, generate blocks included), and what the area model says of it.
struct Part {
  std::string name;
  std::vector<std::string> instances; ///< of one part: none; it has the cells that belong to nobody
  Resources area;
};

/// Of all parts together.
[[nodiscard]] inline Resources total_area(const std::vector<Part>& parts) {
  Resources total;
  for (const Part& part : parts)
    total += part.area;
  return total;
}

/// Idle cycles that a source leaves before beat `index` of a call, after the beat before was taken.
using Gaps = std::function<unsigned(std::uint64_t index)>;

/// Beats offered at an input stream, back to back but for `gaps`.
struct StreamBurst {
  const std::uint8_t* data; ///< [beats * data_bits / 8], little-endian
  std::size_t beats;
  const std::uint8_t* tlast = nullptr; ///< of each beat, 0 or 1; null: the burst is a packet
  Gaps gaps{};

  /// TLAST of a beat.
  [[nodiscard]] bool last(std::size_t beat) const { return tlast ? tlast[beat] != 0 : beat + 1 == beats; }
};

/// Beats of an output stream on their way to whoever takes them: one per cycle from `offered` on,
/// if they are taken at once.
struct OutputBurst {
  const std::uint8_t* data; ///< [beats * data_bits / 8], little-endian
  int beats;
  bool last;     ///< the last beat carries TLAST
  Cycle offered; ///< of the first beat, after all beats before were taken
};
/// Appends the cycle of each beat of the burst: not before it is offered, each later than the one
/// before; `never` for beats that are never taken.
using OutputSink = std::function<void(const OutputBurst& burst, std::vector<Cycle>& taken)>;
/// A sink that is ready when the pacer says so.
[[nodiscard]] inline OutputSink paced(const Pacer& pacer) {
  return [pacer](const OutputBurst& burst, std::vector<Cycle>& taken) {
    Cycle cycle = burst.offered;
    for (int beat = 0; beat < burst.beats; ++beat, ++cycle)
      taken.push_back(cycle = pacer.next_ready(cycle));
  };
}
/// A sink that is always ready.
inline void take_at_once(const OutputBurst& burst, std::vector<Cycle>& taken) {
  for (int beat = 0; beat < burst.beats; ++beat)
    taken.push_back(burst.offered + static_cast<Cycle>(beat));
}

/// Words of a memory of the RTL, as the model has them.
struct MemoryImage {
  std::string path; ///< of the RTL's array, from the top: "u_input.memory_q"
  std::vector<std::uint64_t> words;
  std::size_t first = 0; ///< where in the array they begin
  int lsb = 0;           ///< of a wider array's word: their lowest bit there
};

/// Every top has a register STATUS at this byte address, and its RTL a net `status` of the two lowest bits.
inline constexpr std::uint32_t status_register = 8;
enum class TopStatus : std::uint32_t {
  idle,
  running, ///< something inside moves, or waits for input
  done,
  error ///< until a reset no input is taken
};
/// What a value of STATUS says.
[[nodiscard]] constexpr TopStatus top_status(std::uint32_t status) {
  return static_cast<TopStatus>(status & 3);
}

/// A top's behaviour, to the cycle, without SystemC: registers, streams, and the beats of the
/// interior on demand. Calls come in the order of their cycles, per bus. What happens may be computed
/// as far ahead as the inputs given allow.
class TopModel {
public:
  virtual ~TopModel() = default;

  struct ReadResult {
    std::uint32_t data = 0;
    bool okay = true;
  };
  /// Register accesses that are transferred in `cycle`; false, and okay = false: SLVERR. A read in the
  /// cycle of a write sees the values before it, whichever call comes first.
  virtual bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) = 0;
  [[nodiscard]] virtual ReadResult read(std::uint32_t address, Cycle cycle) const = 0;

  /// Offers a burst at input stream `stream` (in the order of the buses), the first beat not before
  /// cycle `from`, which becomes the cycle after the last beat taken. Returns how many are taken:
  /// fewer than offered when the run ends or errs before. `taken`, if not null, gets their cycles.
  virtual std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                            std::vector<Cycle>* taken) = 0;
  virtual void set_sink(std::size_t stream, OutputSink sink) = 0;

  /// rst_ni is low from `cycle` on: registers too. Memories keep their contents.
  virtual void hard_reset(Cycle cycle) = 0;
  /// The first cycle in which nothing runs; `never` while that is not known.
  [[nodiscard]] virtual Cycle stop_cycle() const = 0;

  /// Records the beats of the interior and of the streams, in the order of Top::interfaces(); null stops.
  virtual void record(BeatTrace* trace) = 0;
  /// What the memories hold where nothing runs, those at least whose writes are no recorded beats.
  [[nodiscard]] virtual std::vector<MemoryImage> memories() const = 0;

  /// The whole state as bytes, and back, into a model of the same top.
  [[nodiscard]] virtual std::string save() const = 0;
  virtual void restore(const std::string& state) = 0;
};

/// A design point of an accelerator: all that co-simulation, waves, synthesis and the TLM sockets
/// need to know of it.
class Top {
public:
  virtual ~Top() = default;
  /// The RTL's module, and file in rtl/.
  [[nodiscard]] virtual std::string module() const = 0;
  /// The RTL's parameters by name.
  [[nodiscard]] virtual std::vector<std::pair<std::string, int>> parameters() const = 0;
  [[nodiscard]] virtual double clock_mhz() const = 0;
  /// One AXI4-Lite port first, then the streams.
  [[nodiscard]] virtual std::vector<Bus> buses() const = 0;
  /// Of the AXI4-Lite port, in the order of their addresses.
  [[nodiscard]] virtual std::vector<Register> registers() const = 0;
  /// The interfaces that the twins are compared on, those of the buses first, channel by channel
  /// (aw, w, b, ar, r; each stream), in the order of buses().
  [[nodiscard]] virtual std::vector<Interface> interfaces() const = 0;
  /// Where several parts could claim a cell of the netlist, the first does.
  [[nodiscard]] virtual std::vector<Part> parts() const = 0;
  [[nodiscard]] virtual std::unique_ptr<TopModel> model() const = 0;
};

} // namespace deltatwin
