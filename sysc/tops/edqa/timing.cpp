#include "tops/edqa/timing.h"
#include "blocks/edqa_dequantizer.h"
#include "blocks/huffman_builder.h"
#include "blocks/huffman_code_book.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr Cycle queue = 2;   ///< through a queue in block RAM
constexpr Cycle packing = 3; ///< from a channel's last symbol to its last word, which may be one more
constexpr Cycle opening = 4; ///< from a channel's last word to its first take

// From a channel's last symbol behind the quantizer to its first one's beat at the encoder.
Cycle book(const EdqaConfig& config) {
  const BuilderTiming builder{config.builder_symbols(), config.builder_limit()};
  const auto symbols = static_cast<Cycle>(config.builder_symbols());
  return symbols + builder.lengths() + symbols - 1 + CodeBookTiming{symbols}.build() + 2;
}

} // namespace

EdqaLatency lone_latency(const EdqaConfig& config, const EdqaSettings& settings, int values) {
  const auto count = static_cast<Cycle>(values);
  const Cycle quantizer = edqa_quantizer_latency(settings.total_bits());
  EdqaLatency latency{};
  if (settings.mode == EdqaMode::paper) {
    const Cycle last_pop = 2 * count + 2; // it begins three cycles behind the last value
    const Cycle encode =
        settings.extra > 0 ? last_pop + quantizer + book(config) : count + 3 + quantizer + queue;
    latency.encode = encode + count - 1 + packing + 1;
  } else {
    latency.encode = 1 + quantizer + queue + count - 1 + packing + 1;
  }
  latency.decode = opening + count - 1 + 2 + edqa_dequantizer_latency(config.format);
  return latency;
}

Cycle steady_cycles(const EdqaConfig& config, const EdqaSettings& settings, int values) {
  const auto count = static_cast<Cycle>(values);
  if (settings.mode != EdqaMode::paper)
    return count + 1;
  const auto symbols = static_cast<Cycle>(config.builder_symbols());
  const BuilderTiming builder{config.builder_symbols(), config.builder_limit()};
  const Cycle building = settings.extra > 0 ? std::max(2 * symbols + builder.error(),
                                                       symbols + CodeBookTiming{symbols}.build() + 1)
                                            : 0;
  return std::max(count + 6, building);
}

} // namespace deltatwin
