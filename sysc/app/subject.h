#pragma once
#include "base/device.h"
#include "tops/family.h"
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// What a command that runs on any top takes from its command line: a design, work for it, a device.
class SubjectOptions {
public:
  virtual ~SubjectOptions() = default;
  /// Adds the options. `items`: how much work there is without --images, --blocks and so on, `made_up`
  /// where all is made up; `all`: 0 stands for all that a data set has; none: the command has no such
  /// option. `purpose` says what it is for: "to run".
  struct Items {
    int items, made_up;
    bool all;
    std::string purpose;
  };
  virtual void add_to(CLI::App& command, const std::optional<Items>& items) = 0;
  /// Throws InputError.
  [[nodiscard]] virtual Subject subject(bool with_work) const = 0;
  [[nodiscard]] virtual Device device() const = 0;
  /// Where --json wants the result.
  [[nodiscard]] virtual const std::string& json() const = 0;
};

/// Of the top that `--top NAME` names on the command line.
[[nodiscard]] std::shared_ptr<SubjectOptions> subject_options();

/// Whether that is the accelerator, whose `simulate` knows networks.
[[nodiscard]] bool accelerator_is_selected();

/// Reads `--top NAME` before anything else is parsed: options follow it. Throws InputError for a name
/// that is none.
void select_top(int argc, const char* const* argv);

/// Adds --top, which select_top() has read.
void add_top_option(CLI::App& command);

/// The accelerator's: networks and images.
[[nodiscard]] std::shared_ptr<SubjectOptions> accelerator_options();

} // namespace deltatwin
