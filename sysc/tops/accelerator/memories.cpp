#include "tops/accelerator/memories.h"
#include "blocks/huffman_bank.h"
#include "tops/bank_images.h"
#include <algorithm>
#include <string>
#include <utility>

namespace deltatwin {

AcceleratorMemories::AcceleratorMemories(const Design& design)
    : banks(static_cast<std::size_t>(design.banks()),
            std::vector<std::uint64_t>(static_cast<std::size_t>(design.bank_depth))),
      references(static_cast<std::size_t>(design.ref_depth)),
      parameters(static_cast<std::size_t>(design.param_depth)),
      program(2 * static_cast<std::size_t>(design.max_layers)),
      code_lengths(design.huffman ? static_cast<std::size_t>(design.max_layers) << design.symbol_bits() : 0),
      streams(design.huffman ? 2 * static_cast<std::size_t>(design.lanes) : 0),
      lanes_per_bank_(design.lanes_per_bank), bank_width_(design.bank_width()) {}

void AcceleratorMemories::load(const AxiControlCore::Write& write) {
  const std::uint64_t word = write.word;
  switch (write.memory) {
  case Memory::weights:
    banks[write.bank][write.address] = word & ((std::uint64_t{1} << bank_width_) - 1);
    break;
  case Memory::references:
    references[write.address] = static_cast<std::int8_t>(word);
    break;
  case Memory::parameters:
    parameters[write.address] = word;
    break;
  case Memory::program:
    program[write.address] = static_cast<std::uint32_t>(word);
    break;
  case Memory::code_books:
    code_lengths[write.address] = word & 0xf;
    break;
  case Memory::streams:
    streams[write.address] = word & 0xfffff;
    break;
  }
}

std::vector<std::vector<std::uint64_t>> AcceleratorMemories::lane_words() const {
  std::vector<std::vector<std::uint64_t>> words;
  for (std::size_t lane = 0; 2 * lane < streams.size(); ++lane)
    words.push_back(read_stream(banks[lane / static_cast<std::size_t>(lanes_per_bank_)],
                                {streams[2 * lane], streams[2 * lane + 1]}));
  return words;
}

std::vector<MemoryImage> AcceleratorMemories::images() const {
  const bool huffman = !streams.empty();
  std::vector<MemoryImage> images;
  const auto bank_path = [&](std::size_t bank) {
    return (huffman ? "gen_huffman.u_weights.gen_bank[" : "gen_words.gen_bank[") + std::to_string(bank) +
           "].";
  };
  for (std::size_t bank = 0; bank < banks.size(); ++bank)
    append_bank(images, bank_path(bank) + (huffman ? "u_bank.u_words" : "u_weight"), banks[bank]);
  append_bank(images, "u_reference", references);
  append_bank(images, "u_parameter", parameters);

  // A descriptor's two words without their unused bits, of shapes and lengths one less.
  MemoryImage shapes{"u_scheduler.u_table.shapes_q", {}}, timings{"u_scheduler.u_table.timings_q", {}};
  const auto less_one = [](std::uint32_t word, int lsb) { return ((word >> lsb) - 1) & 0x1fff; };
  for (std::size_t word = 0; word + 1 < program.size(); word += 2) {
    const std::uint32_t shape = program[word], timing = program[word + 1];
    shapes.words.push_back((shape >> 26 & 0xf) << 26 | less_one(shape, 13) << 13 | less_one(shape, 0));
    timings.words.push_back((timing >> 13 & 0xff) << 13 | less_one(timing, 0));
  }
  images.push_back(std::move(shapes));
  images.push_back(std::move(timings));
  if (!huffman)
    return images;
  for (std::size_t bank = 0; bank < banks.size(); ++bank) {
    const std::string path = bank_path(bank) + "u_bank.";
    MemoryImage firsts{path + "addresses_q", {}, 4}, lasts{path + "lasts_q", {}};
    const std::size_t lanes = static_cast<std::size_t>(lanes_per_bank_),
                      mask = bank_addresses(banks[bank].size()) - 1;
    for (std::size_t lane = bank * lanes; lane < std::min((bank + 1) * lanes, streams.size() / 2); ++lane) {
      firsts.words.push_back(streams[2 * lane] & mask);
      lasts.words.push_back(streams[2 * lane + 1] & mask);
    }
    images.push_back(std::move(firsts));
    images.push_back(std::move(lasts));
  }
  images.push_back(
      {"gen_huffman.u_weights.u_code_book.lengths_q", {code_lengths.begin(), code_lengths.end()}});
  return images;
}

} // namespace deltatwin
