#pragma once
#include "blocks/edqa_quantizer.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace deltatwin {

/// Values of a channel, carried by a READ whose data receive v of each (int16).
struct EdqaQuantizeExtension : StackExtension<EdqaQuantizeExtension> {
  EdqaScheme scheme;
  std::vector<EdqaMagnitude> values;
  std::uint32_t maximum = 0; ///< a magnitude
  bool direct = false;       ///< the channel
};

/// The quantizer, some values a transaction: the first one in the cycle of the annotated delay, one a cycle;
/// on the way back, the cycle of the last v.
class EdqaQuantizer : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<EdqaQuantizer> socket{"socket"};
  EdqaQuantizer(const sc_core::sc_module_name& name, const EdqaQuantizerConfig& config, double clock_mhz);

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  EdqaQuantizerConfig config_;
  Clock clock_;
};

} // namespace deltatwin
