#pragma once
#include "activations/planner.h"
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

struct MethodResult {
  Method method{};
  double accuracy = 0;
  double bits_a_value = 0;
  double header_bits_a_value = 0; ///< of these: dynamic books
  double error_share = 0;         ///< squared error over the squared values
  std::vector<LayerResult> layers{};
  std::vector<double> layer_bits{};          ///< bits a value, one a block
  std::vector<std::uint64_t> error_counts{}; ///< how often each shifting error is there
  std::vector<char> correct{};               ///< one an image
};

/// How much more accurate one is than the other, and the standard error of that: both saw the same images,
/// so that only those count which one alone gets right.
struct Difference {
  double mean = 0, error = 0;
};
[[nodiscard]] Difference difference(const MethodResult& a, const MethodResult& b);

/// What is done, as a sentence; how much of it and of how much.
using StudyProgress = std::function<void(const std::string& what, double done, double all)>;

/// Runs methods over the test images, each quantization once, however many ways of storage are asked for.
///
///   Study study(stages, planner, test, options);
///   study.want(methods);
///   study.run(progress);
///   study.result(methods[0]).accuracy
class Study {
public:
  Study(const Stages& stages, Planner& planner, const ImageSet& test, const EvaluationOptions& options);

  void want(const std::vector<Method>& methods);
  void run(const StudyProgress& progress);
  /// Of a method that was wanted.
  [[nodiscard]] const MethodResult& result(const Method& method) const;
  /// With the outputs of one block quantized alone.
  [[nodiscard]] double accuracy_of_block(const Quantization& quantization, std::size_t block);

private:
  struct Wanted {
    Quantization quantization{};
    std::vector<Storage> storages{};
    bool done = false;
  };
  void evaluate_one(Wanted& wanted, const StudyProgress& progress, double before, double all);

  const Stages& stages_;
  Planner& planner_;
  const ImageSet& test_;
  EvaluationOptions options_;
  std::vector<Wanted> wanted_;
  std::vector<MethodResult> results_;
};

/// For each result, whether another one takes no more bits and has at least the accuracy (and is better in
/// one of them).
[[nodiscard]] std::vector<bool> dominated(const std::vector<std::pair<double, double>>& bits_and_accuracy);

} // namespace deltatwin
