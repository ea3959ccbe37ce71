#pragma once
#include "cosim/pins/axi_lite.h"
#include "cosim/pins/axi_stream.h"
#include "cosim/rtl_library.h"
#include "tlm/top_sockets.h"
#include <deque>

namespace deltatwin {

/// A top's Verilated RTL behind the sockets of its model. It moves with SystemC's time while something is
/// in flight (an access, a burst, a run), and sleeps otherwise. A thread that calls it waits until the RTL
/// has come so far; any other caller (a method, or the program outside of sc_start()) makes it run ahead
/// of SystemC's time at once. Outputs are delivered a beat at a time.
///
/// While STATUS is running or in error, in which blocks may still be on their way, simulated time goes on
/// for ever, as with any clock: sc_stop() ends it.
class RtlTop : public TopSockets {
public:
  SC_HAS_PROCESS(RtlTop);
  /// `source` may name other RTL than the project's; top and parameters are set here. `message` is told
  /// before a build that takes seconds.
  RtlTop(const sc_core::sc_module_name& name, const Top& top,
         const std::function<void(const std::string&)>& message = {}, RtlSource source = {});

protected:
  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle& cycle) override;
  TopModel::ReadResult read(std::uint32_t address, Cycle& cycle) override;
  TopModel::ReadResult peek(std::uint32_t address) override;
  std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                    std::vector<Cycle>* taken) override;
  void reset(Cycle& cycle, Cycle cycles) override;

private:
  // An access whose response is to come.
  struct Access {
    Cycle offered, end = never; ///< the cycle after the response
    TopModel::ReadResult result{};
  };
  struct Source {
    AxiStreamSource pins;
    std::vector<Cycle>* taken = nullptr;
    Cycle end = 0; ///< the cycle after the one in which nothing was left
  };
  struct Sink {
    AxiStreamSink pins;
    Cycle taken = never; ///< when the beat that is offered will be taken
  };

  void run();
  void look();
  void step();
  void answer(std::deque<Access*>& accesses, const TopModel::ReadResult& result);
  void begin_reset();
  void finish(Source& source);
  [[nodiscard]] bool in_flight() const;
  [[nodiscard]] TopStatus status() const { return static_cast<TopStatus>(status_.get(0, 2)); }
  [[nodiscard]] bool in_reset() const { return cycle_ >= reset_first_ && cycle_ < reset_end_; }
  Access& access(std::deque<Access*>& accesses, Access& access, AxiLitePins::Access pins);
  template <class Done> void run_until(const Done& done);

  std::string prefix_;
  RtlModel rtl_;
  AxiLitePins lite_;
  const RtlSignal &rst_ni_, &status_;
  std::vector<Source> sources_;
  std::vector<Sink> sinks_;
  std::deque<Access*> writes_, reads_; ///< in order
  Cycle cycle_ = 0;                    ///< that the RTL is in
  Cycle reset_first_ = 0, reset_end_ = 0;
  bool looked_ = false;  ///< the cycle's pins are driven, and what it offers is passed on
  bool stirred_ = false; ///< something was asked for since
  sc_core::sc_event work_, progress_;
};

} // namespace deltatwin
