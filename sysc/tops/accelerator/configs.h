#pragma once
#include "blocks/axi_control.h"
#include "blocks/huffman_bank.h"
#include "blocks/requantizer.h"
#include "blocks/scheduler.h"
#include "tops/accelerator/design.h"

namespace deltatwin {

// What a design gives to its blocks, as the RTL `accelerator` gives its parameters to theirs.
[[nodiscard]] DeltaMacConfig delta_mac_config(const Design& design);
[[nodiscard]] RequantizerConfig requantizer_config(const Design& design);
[[nodiscard]] SchedulerConfig scheduler_config(const Design& design);
[[nodiscard]] AxiControlConfig axi_control_config(const Design& design);
[[nodiscard]] HuffmanWeightsConfig huffman_weights_config(const Design& design);

} // namespace deltatwin
