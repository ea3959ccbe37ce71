#pragma once
#include "blocks/array_scheduler.h"
#include "tops/array/config.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The array's memories.
struct ArrayMemories {
  std::vector<std::int8_t> weights; ///< [words][outputs][banks][channels]
  struct Parameter {
    std::int32_t bias = 0, multiplier = 0;
    int shift = 0;
  };
  std::vector<Parameter> parameters; ///< [words][results]
  std::vector<ArrayLayer::Words> layers;
  std::vector<ArrayStep::Words> steps;
  std::vector<std::int32_t> tables; ///< [B?][page][index]
  std::vector<std::int8_t> input;   ///< [banks][words][channels]
  std::vector<std::int8_t> maps;    ///< the same
  std::vector<std::int8_t> skips;   ///< [words][outputs]

  explicit ArrayMemories(const ArrayConfig& config);
  template <class Archive> void archive(Archive& bytes) {
    bytes(weights, parameters, layers, steps, tables, input, maps, skips);
  }
};

} // namespace deltatwin
