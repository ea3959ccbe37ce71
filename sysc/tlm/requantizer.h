#pragma once
#include "blocks/requantizer.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace deltatwin {

/// A tile's sums and parameters, carried by a READ whose data receive the results (int16).
struct RequantizeExtension : StackExtension<RequantizeExtension> {
  std::vector<std::int32_t> sums;
  std::vector<std::uint64_t> parameters; ///< one a sum, see pack_parameter()
  int shift = 0;                         ///< k
  Activation activation = Activation::none;
};

/// The requantizer, a tile a transaction: the first sum in the cycle of the annotated delay, one a
/// cycle; on the way back, the cycle of the last result.
class Requantizer : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<Requantizer> socket{"socket"};
  Requantizer(const sc_core::sc_module_name& name, double clock_mhz);

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  Clock clock_;
};

} // namespace deltatwin
