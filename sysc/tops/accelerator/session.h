#pragma once
#include "tops/accelerator/program.h"
#include "tops/session.h"

namespace deltatwin {

/// Appends the register writes that load a program: LOAD_ADDRESS, LOAD_HIGH and LOAD_DATA, then LAYERS.
void load_program(Session& session, const Program& program);
/// Appends a run over `images` inferences: START, the stream, the wait, and reads of STATUS,
/// CYCLES and INFERENCES.
void run_images(Session& session, const std::vector<std::int8_t>& inputs, int images);

} // namespace deltatwin
