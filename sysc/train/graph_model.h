#pragma once
#include "net/graph.h"
#include "train/graph_plan.h"
#include "train/normalization.h"
#include "train/weight_quantizer.h"
#include "train/weight_tiles.h"
#include <optional>
#include <string>
#include <torch/torch.h>
#include <utility>
#include <vector>

namespace deltatwin {

/// A convolution or dense layer under training.
struct GraphLayer {
  GraphLayer(const GraphPlan& plan, const PlannedStep& step, const DeltaTraining& deltas,
             at::Generator& generator);

  int inputs, outputs;
  at::Tensor weights; ///< [outputs][rows, columns, inputs], real
  at::Tensor rounded; ///< integers, of the last forward pass
  WeightQuantizer quantizer;
  Normalization norm;
};

/// A network of a plan under training. What flows between its layers are the integers that hardware computes
/// with, less their zero points, as floats; sums are exact up to 2^24. Behind each convolution comes a batch
/// normalization, which with the activation's steps makes one multiplication, one integer that is added
/// before it, and a clamp. Gradients pass roundings straight through.
class GraphModel {
public:
  GraphModel(const GraphPlan& plan, const DeltaTraining& deltas, at::Generator& generator);

  /// Outputs, in units of the plan's: [images][classes], from pixels [images][planes][rows][columns].
  /// `training`: normalized by this batch's statistics, which also enter the running ones; otherwise by
  /// those.
  [[nodiscard]] at::Tensor forward(const at::Tensor& pixels, bool training);
  /// Chooses scales for the weights as they are.
  void fit();
  /// Behind every step of the optimizer.
  void refit();
  void clip();
  void shrink_deltas(double share);
  /// Pulls whole tiles of convolutions towards 0 (WeightTiles::shrink).
  void shrink_tiles(double amount, const TileSize& size);

  [[nodiscard]] std::vector<at::Tensor> weights() const;
  [[nodiscard]] std::vector<at::Tensor> offsets_and_gains() const;
  /// All that training changes, by name: what is written into them counts.
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> state();
  /// The network as integers.
  [[nodiscard]] Graph fold(const std::string& name);

private:
  at::Tensor run(const PlannedStep& step, GraphLayer& layer, const at::Tensor& values, bool training);

  GraphPlan plan_;
  std::vector<std::optional<GraphLayer>> layers_; ///< by step; nothing: it has no weights
};

/// Tensors of a graph as the plan has them.
[[nodiscard]] Tensor to_tensor(const PlannedTensor& tensor);
/// What the two maps of an addition are multiplied by.
[[nodiscard]] std::pair<double, double> add_factors(const GraphPlan& plan, const PlannedStep& step);
/// Of a step's weights, where whole tiles of them can be left out: not of the image's, which lie several
/// columns a word, of dense layers, of -1 and 1, nor where a tile of outputs has one alone.
[[nodiscard]] std::optional<WeightTiles> tiles_of(const GraphPlan& plan, const PlannedStep& step,
                                                  const TileSize& size);
/// A node of a graph for each step of the plan. Rounds the layers' weights.
[[nodiscard]] Graph fold_graph(const GraphPlan& plan, std::vector<std::optional<GraphLayer>>& layers,
                               const std::string& name);

} // namespace deltatwin
