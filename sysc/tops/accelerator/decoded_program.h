#pragma once
#include "blocks/huffman_bank.h"
#include "blocks/program_check.h"
#include "net/inference.h"
#include "tops/accelerator/memories.h"
#include <vector>

namespace deltatwin {

/// What a run makes of the memories when it starts; it does not change while it runs.
struct DecodedProgram {
  std::vector<LayerDescriptor> layers;
  std::vector<CodeTable> books;    ///< with decoders: one a layer
  DecodedStreams streams;          ///< without decoders: the banks as they are
  std::vector<DenseLayer> weights; ///< of each layer

  template <class Archive> void archive(Archive& bytes) { bytes(layers, books, streams, weights); }
};

/// Reads the memories in the order in which the scheduler does, and checks them as it does: where the error
/// is not `none`, its cycle counts from 0, the first descriptor's check, and the program means nothing.
[[nodiscard]] RunError decode_program(const Design& design, const AcceleratorMemories& memories,
                                      std::uint32_t layers, std::uint32_t images, DecodedProgram& program);

} // namespace deltatwin
