#pragma once
#include "activations/chart.h"
#include "activations/compression.h"
#include "activations/study.h"
#include <boost/json.hpp>
#include <string>
#include <vector>

namespace deltatwin {

/// What the tables of `deltatwin activations` are made of.
struct ActivationsSetup {
  std::vector<int> bits;     ///< N
  int extra = 3;             ///< m of eDQA (at most N)
  double ratio = 0.4;        ///< r of eDQA
  bool online = false;       ///< NoisyQuant searched online, too
  std::vector<int> low_bits; ///< N of the plain unsigned methods
  int figure_bits = 3;       ///< N of Figures 3 and 4, of compression and block by block
};

/// eDQA as the tables have it, with more words of a method behind.
[[nodiscard]] Method edqa(const ActivationsSetup& setup, int bits, const std::string& more = "");

/// One table or figure: the methods it needs, and what it says of their results.
struct MethodRow {
  std::string name;            ///< "eDQA, greedy ranking"
  std::vector<Method> methods; ///< one for each N
  std::vector<double> paper;   ///< ResNet-32 on CIFAR-10, N = 3, 4, 5; empty: the paper has none
};
[[nodiscard]] std::vector<MethodRow> method_rows(const ActivationsSetup& setup);
[[nodiscard]] std::string method_table(const std::vector<MethodRow>& rows, const ActivationsSetup& setup,
                                       const Study& study);

/// Ways to store: quantizations, each with the codes that suit it.
[[nodiscard]] std::vector<Method> storage_methods(const ActivationsSetup& setup);
/// What the tops edqa and noisyquant do to a channel, in each of their modes.
[[nodiscard]] std::vector<Method> hardware_methods(const ActivationsSetup& setup);
[[nodiscard]] std::string storage_table(const std::vector<Method>& methods, const MethodResult& real,
                                        const Study& study);
/// Which method is best at no more than so many bits.
[[nodiscard]] std::string best_at_equal_bits(const std::vector<Method>& methods, const Study& study);

/// The paper's Figures 2, 3 and 4.
struct Figure {
  std::string file; ///< "figure2"
  Chart chart;
};
[[nodiscard]] std::vector<Method> figure_methods(const ActivationsSetup& setup);
[[nodiscard]] std::vector<Figure> figures(const ActivationsSetup& setup, const Study& study);

/// Accuracy by bits a value of a few of storage_methods().
[[nodiscard]] Figure storage_figure(const ActivationsSetup& setup, const Study& study);

struct CompressionResult {
  Compressor compressor = Compressor::huffman;
  double ratio = 0;                   ///< bits of all shifting errors over bits compressed
  std::vector<double> block_ratios{}; ///< 0: the block has none
  double seconds_a_batch = 0;
};
/// Table 1, on some batches of 128 images.
[[nodiscard]] std::vector<CompressionResult> compression(const Stages& stages, Planner& planner,
                                                         const ImageSet& images, const Method& method,
                                                         const WorkProgress& progress);
[[nodiscard]] std::string compression_table(const std::vector<CompressionResult>& results);

struct BlockAccuracy {
  Method method;
  std::vector<double> alone; ///< accuracy with one block's outputs quantized
};
[[nodiscard]] std::string block_table(const std::vector<BlockShape>& shapes, const BlockAccuracy& accuracy,
                                      double real, const Study& study);

/// `real`: with nothing quantized.
[[nodiscard]] boost::json::object to_json(const MethodResult& result, const MethodResult& real);
[[nodiscard]] boost::json::object to_json(const CompressionResult& result);

} // namespace deltatwin
