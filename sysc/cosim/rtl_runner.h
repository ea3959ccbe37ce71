#pragma once
#include "cosim/pins/axi_lite.h"
#include "cosim/pins/axi_stream.h"
#include "tops/session.h"
#include <stdexcept>
#include <vector>

namespace deltatwin {

/// RTL that does not go on.
class RtlStuck : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Sessions on a top's RTL alone, as fast as they go: each action when the one before is done, inputs
/// always valid, outputs always taken, and nothing else watched. Stalls of a session are left out.
class RtlRunner {
public:
  /// Begins with a reset.
  RtlRunner(const Top& top, RtlModel& rtl);

  /// What the output streams carry in one session, TDATA's bytes one stream behind the other. A
  /// wait_stop ends with `bytes` of them; throws RtlStuck when they take more than
  /// `at_most` cycles.
  std::vector<std::uint8_t> run(const Session& session, std::size_t bytes, Cycle at_most);
  [[nodiscard]] Cycle cycle() const { return cycle_; }

private:
  void step();
  void wait_for_response();
  void wait_for_bytes(std::size_t bytes, Cycle at_most);

  RtlModel& rtl_;
  AxiLitePins lite_;
  bool lite_driven_ = true;
  std::vector<AxiStreamSource> sources_;
  std::vector<AxiStreamSink> sinks_;
  std::vector<std::vector<std::uint8_t>> outputs_;
  Cycle cycle_ = 0;
};

} // namespace deltatwin
