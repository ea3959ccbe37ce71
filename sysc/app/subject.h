#pragma once
#include "app/result_files.h"
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
    bool test_set = false; ///< of a network on any top: the test set, where it has images of its size
  };
  virtual void add_to(CLI::App& command, const std::optional<Items>& items) = 0;
  /// Throws InputError.
  [[nodiscard]] virtual Subject subject(bool with_work) const = 0;
  [[nodiscard]] virtual Device device() const = 0;
  /// Of a network's inputs and what is known of them; null where there are no such options.
  [[nodiscard]] virtual FileOptions* files() { return nullptr; }
  /// Where --json wants the result.
  [[nodiscard]] virtual const std::string& json() const = 0;
};

/// Of the top that `--top NAME` names on the command line, or that runs the network which it names.
[[nodiscard]] std::shared_ptr<SubjectOptions> subject_options();

/// Whether that is the accelerator, whose `simulate` knows networks.
[[nodiscard]] bool accelerator_is_selected();

/// Reads `--top NAME` before anything else is parsed: options follow it. Without it, `simulate` of a network
/// that only the array runs is on that. Throws InputError for a name that is none.
void select_top(int argc, const char* const* argv);

/// Why the array does not run a network; empty: it does.
[[nodiscard]] std::string array_complaint(const std::string& network);

/// Adds --top, which select_top() has read.
void add_top_option(CLI::App& command);

/// The accelerator's: networks and images.
[[nodiscard]] std::shared_ptr<SubjectOptions> accelerator_options();

} // namespace deltatwin
