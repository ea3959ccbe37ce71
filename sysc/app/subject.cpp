#include "app/subject.h"
#include "app/images.h"
#include "app/options.h"
#include "app/simulate_graph.h"
#include "base/error.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include "tops/registry.h"
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <utility>

namespace deltatwin {
namespace {

constexpr const char* standard_top = "accelerator";

std::string selected = standard_top;

std::string known_tops() {
  std::string names;
  for (const TopFamily* family : families())
    names += (names.empty() ? "" : ", ") + family->name();
  return names;
}

// Of FILE:N; 0 where there is no N.
std::pair<std::string, int> file_and_count(const std::string& text) {
  constexpr std::size_t most_digits = 7;
  const std::size_t colon = text.rfind(':');
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (digits.empty() || digits.size() > most_digits ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return {text, 0};
  return {text.substr(0, colon), std::stoi(digits)};
}

bool is_made_up(const std::string& items) { return items.rfind("random:", 0) == 0; }
bool is_count(const std::string& items) { return items.find_first_not_of("0123456789") == std::string::npos; }

// The value of an option that is given as --NAME VALUE, --NAME=VALUE, or -LETTER VALUE; the last one.
std::optional<std::string> option_of(int argc, const char* const* argv, const std::string& name,
                                     char letter) {
  std::optional<std::string> value;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], longer = "--" + name, shorter = {'-', letter};
    if ((word == longer || (letter && word == shorter)) && i + 1 < argc)
      value = argv[i + 1];
    else if (word.rfind(longer + "=", 0) == 0)
      value = word.substr(longer.size() + 1);
    else if (letter && word.rfind(shorter, 0) == 0 && word.size() > shorter.size())
      value = word.substr(shorter.size());
  }
  return value;
}

// Options as a family's axes name them; work is made up, or from files.
class AxisOptions : public SubjectOptions {
public:
  explicit AxisOptions(const TopFamily& family)
      : family_(family), axes_(family.axes()), device_(family.device()) {
    for (const Axis& axis : axes_)
      choices_.push_back(axis.standard);
  }

  void add_to(CLI::App& command, const std::optional<Items>& items) override {
    for (std::size_t a = 0; a < axes_.size(); ++a)
      if (!axes_[a].only_in_spaces)
        command.add_option((axes_[a].name == "network" ? "-n," : "") + axes_[a].option(), choices_[a],
                           axes_[a].help + " [" + axes_[a].standard + "]");
    command
        .add_option("-d,--device", device_,
                    "name of a known device, or a device file: whose budget to compare with")
        ->capture_default_str();
    if (items) {
      items_ = made_up_ = "random:" + std::to_string(items->made_up);
      command
          .add_option("--" + family_.items(), items_,
                      family_.items() + " " + items->purpose + ": random:N or random:N:SEED, N made up" +
                          (family_.item_files().empty()
                               ? ""
                               : ", or FILE or FILE:N, all or N of a file: " + family_.item_files()) +
                          (family_.takes_inputs() ? ", or N: of --inputs, or --dataset, 0 for all" : ""))
          ->capture_default_str();
      if (family_.takes_inputs()) {
        test_set_ = items->test_set;
        command.add_option("--dataset", dataset_, "directory of test images")->capture_default_str();
        add_input_options(command, files_);
      }
    }
    add_top_option(command);
    add_json_option(command, json_);
  }

  [[nodiscard]] Subject subject(bool with_work) const override {
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      if (family_.takes_inputs() && axes_[a].name == "outputs" && !is_count(choices_[a]))
        throw InputError("--outputs is " + choices_[a] + ", expected a number: how many outputs at a time; " +
                         "--output FILE is where they go");
      (void)axes_[a].parse(choices_[a]);
    }
    prepare_json(json_);
    if (!with_work || items_.empty())
      return family_.subject(choices_, 0, 1);
    if (family_.takes_inputs())
      return of_inputs();
    if (!family_.item_files().empty() && !is_made_up(items_)) {
      const auto [file, count] = file_and_count(items_);
      return family_.subject_of(choices_, file, count);
    }
    const ImageChoice work = parse_images(items_, "--" + family_.items());
    if (!work.random)
      throw InputError("--" + family_.items() + " is " + items_ +
                       ", possible are random:N and random:N:SEED");
    return family_.subject(choices_, work.count, work.seed);
  }
  [[nodiscard]] FileOptions* files() override { return family_.takes_inputs() ? &files_ : nullptr; }
  [[nodiscard]] Device device() const override { return find_device(device_); }
  [[nodiscard]] const std::string& json() const override { return json_; }

private:
  // A network's inputs: of a file, of the test set, or made up.
  [[nodiscard]] Subject of_inputs() const {
    const bool by_itself = items_ == made_up_;
    FileOptions files = files_;
    ImageChoice choice;
    std::string directory;
    if (files.given() || is_count(items_)) {
      if (!(files.given() && by_itself))
        choice = parse_images(items_, "--" + family_.items());
      if (choice.random)
        throw InputError("--" + family_.items() + " are made up, --inputs names a file: one of them");
      if (!files.given())
        directory = dataset_;
    } else if (!is_made_up(items_)) {
      const auto [file, count] = file_and_count(items_);
      choice.count = count;
      (std::filesystem::is_directory(file) ? directory : files.inputs) = file;
    }
    if (!files.given() && !(files.type.empty() && files.labels.empty()))
      throw InputError("--labels and --input-type go with --inputs");
    if (files.given())
      return of_source([&](const Tensor& input) { return load_inputs(files, input, choice.count); },
                       " from " + files.inputs, {{"inputs", files.inputs}});
    if (by_itself && test_set_ && has_test_set())
      directory = dataset_;
    if (!directory.empty())
      return of_source([&](const Tensor& input) { return load_test_set(directory, input, choice.count); },
                       " from " + directory, {{"dataset", directory}});
    choice = parse_images(items_, "--" + family_.items());
    return family_.subject(choices_, choice.count, choice.seed);
  }

  [[nodiscard]] Subject of_source(const InputSource& source, const std::string& origin,
                                  const boost::json::object& told) const {
    int count = 0;
    Subject subject = family_.subject_of(choices_, [&](const Tensor& input) {
      InputSet inputs = source(input);
      count = inputs.count;
      return inputs;
    });
    subject.origin = origin;
    subject.description["images"] = count;
    subject.description.insert(told.begin(), told.end());
    return subject;
  }

  // Of the network's size, that is.
  [[nodiscard]] bool has_test_set() const {
    try {
      (void)family_.subject_of(choices_,
                               [&](const Tensor& input) { return load_input_directory(dataset_, input, 1); });
      return true;
    } catch (const InputError&) {
      return false;
    }
  }

  const TopFamily& family_;
  std::vector<Axis> axes_;
  std::vector<std::string> choices_;
  std::string device_, items_, made_up_, json_;
  std::string dataset_ = default_dataset;
  bool test_set_ = false;
  FileOptions files_;
};

} // namespace

void add_top_option(CLI::App& command) {
  command.add_option("--top", selected, "which top: " + known_tops())->capture_default_str();
}

bool accelerator_is_selected() { return selected == standard_top; }

std::shared_ptr<SubjectOptions> subject_options() {
  return accelerator_is_selected() ? accelerator_options()
                                   : std::make_shared<AxisOptions>(find_family(selected));
}

std::string array_complaint(const std::string& network) {
  try {
    const TopFamily& array = find_family("array");
    std::vector<std::string> choices;
    for (const Axis& axis : array.axes())
      choices.push_back(axis.name == "network" ? network : axis.standard);
    (void)array.subject(choices, 0, 1);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

void select_top(int argc, const char* const* argv) {
  if (const auto top = option_of(argc, argv, "top", 0)) {
    selected = *top;
    (void)find_family(selected);
    return;
  }
  const auto network = option_of(argc, argv, "network", 'n');
  if (!network || argc < 2 || argv[1] != std::string("simulate"))
    return;
  try {
    if (!is_dense_chain(load_graph(find_network(*network))) && array_complaint(*network).empty())
      selected = "array";
  } catch (const InputError&) { // which the command itself will tell
  }
}

} // namespace deltatwin
