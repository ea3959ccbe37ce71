#pragma once
#include "blocks/axi_control.h"
#include "tops/accelerator/design.h"
#include "tops/top.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// What the load port fills, in the layout that the scheduler reads. Nothing else changes it.
class AcceleratorMemories {
public:
  explicit AcceleratorMemories(const Design& design);

  void load(const AxiControlCore::Write& write);
  /// The words of each lane's coded stream; none without decoders.
  [[nodiscard]] std::vector<std::vector<std::uint64_t>> lane_words() const;
  /// As the RTL's arrays hold it.
  [[nodiscard]] std::vector<MemoryImage> images() const;

  template <class Archive> void archive(Archive& bytes) {
    bytes(banks, references, parameters, program, code_lengths, streams);
  }

  std::vector<std::vector<std::uint64_t>> banks; ///< [bank][word]
  std::vector<std::int8_t> references;
  std::vector<std::uint64_t> parameters;  ///< a requantizer's, one a neuron
  std::vector<std::uint32_t> program;     ///< two words a layer
  std::vector<std::uint8_t> code_lengths; ///< [layer][symbol]
  std::vector<std::uint32_t> streams;     ///< two a lane: its first and its last word address

private:
  int lanes_per_bank_, bank_width_;
};

} // namespace deltatwin
