#pragma once
#include "blocks/sweep_starts.h"
#include "net/graph.h"
#include "tops/array/config.h"
#include "tops/array/lowering.h"
#include "tops/session.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// What an engine, the array or its depthwise stage, is loaded with.
struct ArrayTables {
  struct Parameter {
    std::int32_t bias = 0, multiplier = 0;
    int shift = 0, reference = 0;
  };
  struct Kept {                        ///< of a layer's results
    int rows = 0;                      ///< at most, for later layers
    int map_words = 0, skip_words = 0; ///< of a bank; of the memory of skips
  };

  std::vector<ArrayLayer> layers;
  std::vector<std::string> nodes; ///< of each layer
  std::vector<Kept> kept;         ///< of each layer
  std::vector<ArrayStep> steps;
  std::vector<int> rows;             ///< of each step: which of its layer's results it makes, the first one
  std::vector<std::int8_t> weights;  ///< [words][bytes of a word]
  std::vector<Parameter> parameters; ///< [words][results]
  /// Words with thresholds, and of each node of their trees those of all results, node 0 left out.
  struct Thresholds {
    int word = 0;
    std::vector<std::int32_t> nodes;
  };
  std::vector<Thresholds> thresholds;
  int weight_words = 0, param_words = 0;
  /// With sweeps: words of streams instead of weights, and each book's lengths of codes.
  std::vector<std::uint64_t> stream_words;
  std::vector<std::vector<int>> books;
  /// Where those of zeros are left out: a mark of each tile of weights.
  std::vector<std::uint8_t> marks;
  /// Of a step of one of the layers; of one of each.
  [[nodiscard]] std::vector<Sweep> sweeps_of(const ArrayLayer& layer) const;
  [[nodiscard]] std::vector<std::vector<Sweep>> sweeps_of_layers() const;
};

/// A network as the array's tables hold it.
struct ArrayProgram : ArrayTables {
  using Tables = std::array<std::array<std::int32_t, 256>, 2>; ///< of results, of skips

  /// An engine's layer: of the array, or of its stage.
  struct Place {
    bool on_stage = false;
    std::size_t layer = 0;
  };

  PixelInput input;
  ArrayTables stage;
  std::vector<Place> order;                    ///< of the network's layers
  std::vector<Tables> tables;                  ///< [pages]
  using Lookup = std::array<std::int8_t, 256>; ///< by 4 bits of the result, then 4 of the skip
  std::vector<Lookup> lookups;                 ///< [pages], instead of tables
  [[nodiscard]] int pages() const { return static_cast<int>(tables.size() + lookups.size()); }
  std::size_t input_values = 0, output_values = 0; ///< of an image; bytes
  int output_bytes = 1;                            ///< of a result, the low one first
  /// What a result that leaves is, in as many bytes.
  [[nodiscard]] int output_byte(int result, int byte) const;
  [[nodiscard]] std::vector<std::int32_t> results_of(const std::vector<std::uint8_t>& bytes) const;
  ArrayFormat input_format, output_format; ///< of the bytes
  /// What it takes: words a bank of the maps and of the input, skips, and entries of the output queue.
  int map_words = 0, input_words = 0, skip_words = 0, output_entries = 0;
  int input_bits = 0;                           ///< of a word of the input, its top ones, that hold values
  int stage_map_words = 0, stage_row_words = 0; ///< of a bank of what the stage reads, and makes
};

/// In which order rows are computed: tops/array/row_order.h.
enum class ArrayOrder { depth_first, by_layers };

/// Throws InputError that names the node, or the memory, and what would fit.
[[nodiscard]] ArrayProgram compile(const Graph& graph, const ArrayConfig& config,
                                   ArrayOrder order = ArrayOrder::depth_first);
/// The same where a memory, FIFO or table of 0 is as large as the network takes, which then is in the config.
[[nodiscard]] ArrayProgram compile_to_fit(const Graph& graph, ArrayConfig& config,
                                          ArrayOrder order = ArrayOrder::depth_first);

/// The same of a network that is lowered, without its weights and parameters, for who asks how long it takes
/// and how large it is.
[[nodiscard]] ArrayProgram size_up(const ArrayGraph& graph, ArrayConfig& config, ArrayOrder order);

/// Appends the writes that load it. CONTROL is not written.
void load_array_program(Session& session, const ArrayConfig& config, const ArrayProgram& program);

} // namespace deltatwin
