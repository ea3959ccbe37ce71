#pragma once
#include "activations/evaluation.h"
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace deltatwin {

struct PlannerOptions {
  int calibration_images = 256; ///< for static scales and books, and the ranking by energy
  int noisy_images = 64;        ///< NoisyQuant's, searched once
  int ranking_images = 256;     ///< the greedy search runs on these
  int ranking_bits = 3;         ///< N that the rankings are made with
  std::uint64_t seed = 1;       ///< chooses those images, and ranks at random
  int batch = 128;
  int threads = 1;
};

/// Makes plans: finds from training images what a method needs before it runs.
class Planner {
public:
  /// `set`: images that are no test images.
  Planner(const Stages& stages, const ImageSet& set, const PlannerOptions& options);
  ~Planner();

  [[nodiscard]] Plan plan(const Quantization& quantization, const WorkProgress& progress = {});
  /// Static books from the calibration images as the plan quantizes them.
  [[nodiscard]] std::vector<StoragePlan> storages(const Plan& plan, const std::vector<Storage>& storages,
                                                  const WorkProgress& progress = {});
  /// Of every block.
  [[nodiscard]] const std::vector<ChannelRanking>& ranking(Ranking kind, const WorkProgress& progress = {});

  /// What the greedy ranking runs on.
  [[nodiscard]] ImageSet ranking_images() const { return chosen(options_.ranking_images, 2); }

private:
  struct Calibration;
  [[nodiscard]] const Calibration& calibration();
  [[nodiscard]] ImageSet chosen(int count, std::uint64_t salt) const;
  [[nodiscard]] std::vector<ChannelRanking> greedy_ranking(const WorkProgress& progress) const;
  [[nodiscard]] std::vector<ChannelRanking> energy_ranking();
  [[nodiscard]] std::vector<ChannelRanking> random_ranking() const;
  void fit_scales(Plan& plan);
  void search_noises(Plan& plan, const WorkProgress& progress) const;

  const Stages& stages_;
  const ImageSet& set_;
  PlannerOptions options_;
  std::unique_ptr<Calibration> calibration_;
  std::map<Ranking, std::vector<ChannelRanking>> rankings_;
};

/// How many channels are important: the share, rounded down.
[[nodiscard]] int important_count(double ratio, int channels);

} // namespace deltatwin
