#pragma once
#include "base/cycle.h"
#include "cosim/rtl_library.h"
#include "tops/top.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A source at the pins of an RTL model's AXI4-Stream input, for whoever steps its clock.
class AxiStreamSource {
public:
  AxiStreamSource(const RtlModel& rtl, const Bus& bus);

  /// Offers these beats, instead of what was left, from cycle `from` on; what `burst` points to must
  /// stay.
  void send(const StreamBurst& burst, Cycle from);
  void flush() { burst_.beats = 0; }

  /// Sets the pins of a cycle; `hold`: offers nothing.
  void drive(Cycle cycle, bool hold = false);
  /// Looks at the settled signals: whether a beat was taken.
  bool sample(Cycle cycle);
  /// In the settled cycle: a beat is offered, and is not taken.
  [[nodiscard]] bool waits() const { return tvalid_.get(0, 1) != 0 && tready_.get(0, 1) == 0; }
  [[nodiscard]] std::size_t taken() const { return at_; }
  [[nodiscard]] bool done() const { return at_ >= burst_.beats; }

private:
  const RtlSignal &tdata_, &tlast_, &tvalid_, &tready_;
  std::size_t bytes_;
  StreamBurst burst_{};
  std::size_t at_ = 0;
  Cycle from_ = 0;
};

/// A sink at the pins of an RTL model's AXI4-Stream output.
class AxiStreamSink {
public:
  AxiStreamSink(const RtlModel& rtl, const Bus& bus);
  void drive(bool ready) { tready_.set(ready); }
  [[nodiscard]] bool valid() const { return tvalid_.get(0, 1) != 0; }
  [[nodiscard]] bool last() const { return tlast_.get(0, 1) != 0; }
  [[nodiscard]] bool beat() const { return valid() && tready_.get(0, 1) != 0; }
  /// Appends TDATA's bytes, little-endian.
  void append_to(std::vector<std::uint8_t>& bytes) const;

private:
  const RtlSignal &tdata_, &tlast_, &tvalid_, &tready_;
  int bytes_;
};

} // namespace deltatwin
