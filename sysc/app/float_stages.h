#pragma once
#include "activations/stages.h"
#include "train/float_model.h"
#include <vector>

namespace deltatwin {

/// Stages that libtorch computes, each call on one thread.
class FloatStages : public Stages {
public:
  explicit FloatStages(const FloatNetwork& network);

  [[nodiscard]] const std::vector<BlockShape>& shapes() const override { return shapes_; }
  [[nodiscard]] Activations begin(const ImageSet& set, int first, int count) const override;
  [[nodiscard]] Activations block(std::size_t number, const Activations& input) const override;
  [[nodiscard]] std::vector<int> classify(const Activations& values) const override;

private:
  FloatModel model_;
  std::vector<BlockShape> shapes_;
};

} // namespace deltatwin
