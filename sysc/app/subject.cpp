#include "app/subject.h"
#include "app/images.h"
#include "app/options.h"
#include "base/error.h"
#include "tops/registry.h"
#include <CLI/CLI.hpp>
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
        command.add_option(axes_[a].option(), choices_[a], axes_[a].help + " [" + axes_[a].standard + "]");
    command
        .add_option("-d,--device", device_,
                    "name of a known device, or a device file: whose budget to compare with")
        ->capture_default_str();
    if (items) {
      items_ = "random:" + std::to_string(items->made_up);
      command
          .add_option("--" + family_.items(), items_,
                      family_.items() + " " + items->purpose + ": random:N or random:N:SEED, N made up" +
                          (family_.item_files().empty()
                               ? ""
                               : ", or FILE or FILE:N, all or N of a file: " + family_.item_files()))
          ->capture_default_str();
    }
    add_top_option(command);
    add_json_option(command, json_);
  }

  [[nodiscard]] Subject subject(bool with_work) const override {
    for (std::size_t a = 0; a < axes_.size(); ++a)
      (void)axes_[a].parse(choices_[a]);
    prepare_json(json_);
    ImageChoice work;
    if (with_work && !items_.empty()) {
      if (!family_.item_files().empty() && items_.rfind("random:", 0) != 0) {
        const auto [file, count] = file_and_count(items_);
        return family_.subject_of(choices_, file, count);
      }
      work = parse_images(items_, "--" + family_.items());
      if (!work.random)
        throw InputError("--" + family_.items() + " is " + items_ +
                         ", possible are random:N and random:N:SEED");
    }
    return family_.subject(choices_, with_work ? work.count : 0, work.seed);
  }
  [[nodiscard]] Device device() const override { return find_device(device_); }
  [[nodiscard]] const std::string& json() const override { return json_; }

private:
  const TopFamily& family_;
  std::vector<Axis> axes_;
  std::vector<std::string> choices_;
  std::string device_, items_, json_;
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

void select_top(int argc, const char* const* argv) {
  const std::string option = "--top";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == option && i + 1 < argc)
      selected = argv[i + 1];
    else if (word.rfind(option + "=", 0) == 0)
      selected = word.substr(option.size() + 1);
  }
  (void)find_family(selected);
}

} // namespace deltatwin
