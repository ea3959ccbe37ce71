#pragma once
#include "blocks/edqa_dequantizer.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace deltatwin {

/// A channel's codes, carried by a READ whose data receive the values (int64, of floats their bits).
struct EdqaDequantizeExtension : StackExtension<EdqaDequantizeExtension> {
  struct Code {
    int q = 0, se = 0;
  };
  EdqaScheme scheme;
  std::vector<Code> codes;
  std::uint32_t maximum = 0;       ///< a magnitude
  std::vector<std::uint8_t> flags; ///< filled by the target: of each value
};

/// The dequantizer, some codes a transaction: the first one in the cycle of the annotated delay, one a
/// cycle; on the way back, the cycle of the last value.
class EdqaDequantizer : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<EdqaDequantizer> socket{"socket"};
  EdqaDequantizer(const sc_core::sc_module_name& name, const EdqaDequantizerConfig& config, double clock_mhz);

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  EdqaDequantizerConfig config_;
  Clock clock_;
};

} // namespace deltatwin
