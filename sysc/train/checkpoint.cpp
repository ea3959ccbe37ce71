#include "train/checkpoint.h"
#include "base/file.h"
#include "base/text.h"
#include "net/formats/formats.h"
#include "net/safetensors.h"
#include <algorithm>
#include <filesystem>

namespace deltatwin {
namespace {

constexpr const char* checkpoint_format = "deltatwin-checkpoint-1";

FloatTensor flat(const float* values, std::size_t count) {
  return {{static_cast<int>(count)}, {values, values + count}};
}

void copy_to(float* to, std::size_t count, const Safetensors& file, const std::string& name) {
  const FloatTensor tensor = file.tensor(name, 1);
  if (tensor.values.size() != count)
    file.fail("the tensor \"" + name + "\" has " + std::to_string(tensor.values.size()) +
              " values, this network's " + std::to_string(count));
  std::copy(tensor.values.begin(), tensor.values.end(), to);
}

void load_state(GraphModel& model, const Safetensors& file, bool with_scales) {
  for (auto& [name, tensor] : model.state())
    if (with_scales || name.size() < 6 || name.compare(name.size() - 6, 6, ".scale") != 0)
      copy_to(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()), file, name);
}

int whole(const Safetensors& file, const std::string& key) {
  const std::string text = file.metadata(key);
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    file.fail("\"" + key + "\" is \"" + text + "\", expected a whole number");
  return std::stoi(text);
}

void check_format(const Safetensors& file) {
  if (file.metadata("format") != checkpoint_format)
    file.fail("is no checkpoint of a training of convolution networks");
}

} // namespace

void save_checkpoint(const std::string& path, const std::string& training, GraphModel& model,
                     Optimizer& optimizer, const TrainingPosition& position) {
  std::vector<std::pair<std::string, FloatTensor>> tensors;
  for (const auto& [name, tensor] : model.state())
    tensors.emplace_back(name, flat(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())));
  int number = 0;
  for (const std::vector<float>* moments : optimizer.moments())
    tensors.emplace_back("moment" + std::to_string(number++), flat(moments->data(), moments->size()));
  write_file(path, safetensors_text(tensors, {{"format", checkpoint_format},
                                              {"training", training},
                                              {"epoch", std::to_string(position.epoch)},
                                              {"steps", std::to_string(optimizer.done())},
                                              {"best_accuracy", shortest(position.best_accuracy)},
                                              {"best", format_2_text(position.best)}}));
}

TrainingPosition load_checkpoint(const std::string& path, const std::string& training, GraphModel& model,
                                 Optimizer& optimizer) {
  TrainingPosition position;
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return position;
  const Safetensors file(read_file(path), path);
  check_format(file);
  if (const std::string other = file.metadata("training"); other != training)
    file.fail("is of another training: " + other);
  load_state(model, file, true);
  int number = 0;
  for (std::vector<float>* moments : optimizer.moments())
    copy_to(moments->data(), moments->size(), file, "moment" + std::to_string(number++));
  optimizer.done() = whole(file, "steps");
  position.epoch = whole(file, "epoch");
  position.best_accuracy = std::stod(file.metadata("best_accuracy"));
  position.best = parse_graph(file.metadata("best"), path);
  return position;
}

void start_from_checkpoint(const std::string& path, GraphModel& model) {
  const Safetensors file(read_file(path), path);
  check_format(file);
  load_state(model, file, false);
  model.fit();
}

} // namespace deltatwin
