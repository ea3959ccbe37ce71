#pragma once
#include "base/cycle.h"
#include "blocks/huffman_code_book.h"
#include "blocks/program_table.h"
#include "blocks/scheduler_config.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// STATUS's error codes; when several hold at once, the lowest is raised.
enum class ErrorCode {
  none,
  layer_count,
  image_count,
  input_length,
  output_length,
  chain,
  block_length,
  scheme,
  activation,
  parameter_range,
  weight_range,
  reference_range,
  framing,
  code_book,
  bad_code,
  short_stream,
  left_over
};
[[nodiscard]] const char* to_string(ErrorCode code);

struct RunError {
  ErrorCode code = ErrorCode::none;
  int layer = 0;
  Cycle cycle = never; ///< the last running cycle; the error shows in the next one
};

/// The check that START begins: one layer a cycle. `cycle` of the result counts from 0, the cycle
/// of layer 0's check.
[[nodiscard]] RunError check_program(const SchedulerConfig& config, const std::vector<LayerDescriptor>& table,
                                     unsigned layers, std::uint32_t images);

/// With decoders, the check is followed by the build of each layer's code book. `cycle` of the
/// result counts like check_program()'s.
[[nodiscard]] RunError check_books(const SchedulerConfig& config, const std::vector<CodeTable>& books);

/// From START to the first cycle in which a run waits for its input.
[[nodiscard]] Cycle preparation_cycles(const SchedulerConfig& config, std::size_t layers);

} // namespace deltatwin
