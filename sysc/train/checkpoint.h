#pragma once
#include "net/graph.h"
#include "train/graph_model.h"
#include "train/optimizer.h"
#include <string>

namespace deltatwin {

/// What is known at the end of an epoch, beside the model.
struct TrainingPosition {
  int epoch = 0;
  double best_accuracy = -1;
  Graph best; ///< no nodes: none yet
};

/// Writes all that training goes on from: a safetensors file. `training` names what is trained, and how.
void save_checkpoint(const std::string& path, const std::string& training, GraphModel& model,
                     Optimizer& optimizer, const TrainingPosition& position);
/// Goes on where a checkpoint ends, if there is one of that name; throws InputError where it is of another
/// training.
[[nodiscard]] TrainingPosition load_checkpoint(const std::string& path, const std::string& training,
                                               GraphModel& model, Optimizer& optimizer);
/// Begins with the weights and normalizations of a checkpoint of any training of these shapes.
void start_from_checkpoint(const std::string& path, GraphModel& model);

} // namespace deltatwin
