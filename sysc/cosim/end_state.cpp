#include "cosim/end_state.h"
#include <algorithm>

namespace deltatwin {

std::optional<Divergence> compare_memories(const std::vector<MemoryImage>& model, const RtlModel& rtl,
                                           Cycle cycle) {
  for (const MemoryImage& image : model) {
    const RtlMemory& memory = rtl.memory(image.path);
    const int width = std::min(memory.width - image.lsb, 64);
    for (std::size_t word = 0; word < image.words.size(); ++word) {
      const std::uint64_t found = memory.get(image.first + word, image.lsb, width);
      if (found == image.words[word])
        continue;
      Divergence difference;
      difference.block = image.path;
      difference.interface = "word " + std::to_string(image.first + word) + ", at the end";
      difference.cycle = cycle;
      difference.model = Beat{cycle, image.words[word], {}, cycle};
      difference.rtl = found;
      difference.fields.fields = {Field(image.path, width, image.lsb)};
      return difference;
    }
  }
  return std::nullopt;
}

} // namespace deltatwin
