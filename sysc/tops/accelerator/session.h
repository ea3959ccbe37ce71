#pragma once
#include "tops/accelerator/program.h"
#include "tops/session.h"
#include <functional>

namespace deltatwin {

/// The register writes that load a program, in order: LOAD_ADDRESS, LOAD_HIGH, LOAD_DATA, LAYERS.
void for_each_load(const Program& program,
                   const std::function<void(std::uint32_t address, std::uint32_t data)>& write);

/// Appends the loading of a program (and LAYERS).
void load_program(Session& session, const Program& program);
/// Appends a run over `images` inferences: START, the stream, the wait, and reads of STATUS,
/// CYCLES and INFERENCES.
void run_images(Session& session, const std::vector<std::int8_t>& inputs, int images);

} // namespace deltatwin
