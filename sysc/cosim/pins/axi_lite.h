#pragma once
#include "base/cycle.h"
#include "cosim/rtl_library.h"
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace deltatwin {

/// A master at the pins of an RTL model's AXI4-Lite slave, for whoever steps its clock. Writes and
/// reads have queues of their own, and within a queue an access is offered from the cycle after its
/// predecessor's beat on.
///
///     pins.write({address, data});
///     pins.drive(cycle);  rtl.settle();
///     if (const auto response = pins.sample(cycle).b) ...
///     rtl.edge();
class AxiLitePins {
public:
  AxiLitePins(const RtlModel& rtl, const std::string& prefix);

  struct Access {
    std::uint32_t address = 0, data = 0;
    unsigned strobe = 0xf, protection = 0;
    Cycle not_before = 0;                   ///< the cycle of the first offer, but for gaps
    unsigned address_gap = 0, data_gap = 0; ///< idle cycles before the beats are offered
  };
  void write(const Access& access);
  void read(const Access& access);

  /// Sets the pins of a cycle.
  void drive(Cycle cycle, bool b_ready = true, bool r_ready = true);
  struct Responses {
    std::optional<unsigned> b; ///< BRESP
    struct Read {
      std::uint32_t data;
      unsigned response; ///< RRESP
    };
    std::optional<Read> r;
  };
  /// Looks at the settled signals of the cycle.
  Responses sample(Cycle cycle);

  /// Forgets all accesses: rst_ni is low.
  void reset();
  [[nodiscard]] bool idle() const { return writes_left_ == 0 && reads_left_ == 0; }

private:
  // Accesses whose beats on one channel are still to come.
  class Channel {
  public:
    void push(const Access& access, unsigned gap);
    [[nodiscard]] bool offers(Cycle cycle) const { return !queue_.empty() && cycle >= from_; }
    [[nodiscard]] const Access& front() const { return queue_.front().first; }
    void taken(Cycle cycle);
    void clear() { queue_.clear(); }

  private:
    void begin(Cycle earliest);
    std::deque<std::pair<Access, unsigned>> queue_;
    Cycle from_ = 0, free_ = 0;
  };

  const RtlSignal &awaddr_, &awvalid_, &awready_, &wdata_, &wvalid_, &wready_, &bresp_, &bvalid_, &bready_,
      &araddr_, &arvalid_, &arready_, &rdata_, &rresp_, &rvalid_, &rready_;
  const RtlSignal *wstrb_, *awprot_, *arprot_; ///< null: a slave without
  Channel aw_, w_, ar_;
  std::size_t writes_left_ = 0, reads_left_ = 0; ///< whose responses are to come
};

} // namespace deltatwin
