#pragma once
#include "net/network.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include "tops/family.h"

namespace deltatwin {

/// The accelerator of delta-coded dense networks.
[[nodiscard]] const TopFamily& accelerator_family();

/// A design with a network in it; `inputs` [images * the network's inputs] are the work, none: no work.
[[nodiscard]] Subject accelerator_subject(const Network& network, const Design& design,
                                          const Program& program, std::vector<std::int8_t> inputs);

} // namespace deltatwin
