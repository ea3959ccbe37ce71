#pragma once
#include "activations/stages.h"
#include "activations/storage_meter.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

/// A block's channels from the least important one to the most important.
using ChannelRanking = std::vector<int>;

/// What of a quantization was found out before it runs, for one block's outputs.
struct LayerPlan {
  bool quantized = true;
  std::vector<char> important{}; ///< [channels]
  std::vector<double> maxima{};  ///< [channels], static scales
  double scale = 0, offset = 0;  ///< Family::noisy_bias, offline
};
/// A quantization that is ready to run.
struct Plan {
  Quantization quantization{};
  std::vector<LayerPlan> layers{}; ///< one a block
};
/// The books of a storage, [layer][book][symbol]; without any where it has none that are static.
using StaticBooks = std::vector<std::vector<std::vector<int>>>;

struct StoragePlan {
  Storage storage{};
  StaticBooks books{};
};

/// What a block's outputs came to.
struct LayerResult {
  std::uint64_t values = 0;
  double error = 0, signal = 0;       ///< sums of squares
  std::vector<StorageMeter> meters{}; ///< one a storage
  std::vector<std::uint64_t> bits{};  ///< one a storage
};
struct Evaluation {
  int images = 0, right = 0;
  std::vector<char> correct{}; ///< one an image
  std::vector<LayerResult> layers{};

  [[nodiscard]] double accuracy() const { return static_cast<double>(right) / images; }
  [[nodiscard]] double bits_a_value(std::size_t storage) const;
};

/// A channel's shifting errors in a batch: block, channel, se of all images.
using ErrorSink =
    std::function<void(std::size_t block, int channel, const std::vector<std::uint8_t>& errors)>;
/// Done and all, in pieces of work.
using WorkProgress = std::function<void(double done, double all)>;

struct EvaluationOptions {
  int batch = 128; ///< images that share a dynamic scale, and a dynamic book
  int threads = 1;
  ErrorSink errors{}; ///< with one thread only
  WorkProgress progress{};
};

/// Quantizes a batch of a block's outputs in place; `response` is what NoisyQuant's search compares, and is
/// called only where it searches online.
struct Quantizer {
  const Plan& plan;
  std::size_t block;
  std::function<std::vector<float>(const Activations&)> response;

  /// The codes, as the values lie; `layer` gets error, signal and count.
  std::vector<std::int16_t> run(Activations& values, LayerResult& layer) const;
};

/// Runs a set's images, whole batches and a rest.
[[nodiscard]] Evaluation evaluate(const Stages& stages, const ImageSet& set, const Plan& plan,
                                  const std::vector<StoragePlan>& storages, const EvaluationOptions& options);

/// What the next block makes of a block's outputs, or the averages of the last one's channels.
[[nodiscard]] std::vector<float> response_of(const Stages& stages, std::size_t block,
                                             const Activations& values);

/// Scale and offset for a layer by NoisyQuant's search as released: of `steps` scales, fractions of the
/// layer's maximum over 2^(N-1) - 1, the one whose response has the least squared error, then so of `steps`
/// offsets from -scale on.
struct NoisyChoice {
  double scale = 0, offset = 0;
};
[[nodiscard]] NoisyChoice search_noise(const Activations& values, int bits, int steps,
                                       const std::function<std::vector<float>(const Activations&)>& response,
                                       int threads);

} // namespace deltatwin
