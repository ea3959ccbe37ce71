#include "app/options.h"
#include "app/storage.h"
#include "app/subject.h"
#include "base/error.h"
#include "tops/accelerator/family.h"
#include <CLI/CLI.hpp>

namespace deltatwin {
namespace {

class AcceleratorOptions : public SubjectOptions {
public:
  void add_to(CLI::App& command, const std::optional<Items>& items) override {
    if (command.get_name() == "bench")
      options_.network = "paper_fixed4"; // whose layers are of all shapes
    std::string help;
    all_ = items && items->all;
    if (items) {
      options_.images = std::to_string(items->items);
      help =
          "test images " + items->purpose + (items->all ? ", 0 for all" : "") + " [" + options_.images + "]";
    }
    add_common_options(command, options_, help);
    add_top_option(command);
  }

  [[nodiscard]] Subject subject(bool with_work) const override {
    const ImageChoice choice = parse_images(options_.images);
    if (with_work && !all_ && choice.count == 0)
      throw InputError("--images is 0, expected at least 1");
    const Setup setup(options_);
    if (!with_work)
      return accelerator_subject(setup.network, setup.design, setup.program, {});
    const Dataset images = load_test_images(options_, setup.network);
    Subject subject =
        accelerator_subject(setup.network, setup.design, setup.program, images.inputs(images.count));
    if (choice.random)
      subject.origin = " made up with seed " + std::to_string(choice.seed);
    const Storage storage(setup.network, setup.design, setup.program);
    add_images(subject.description, choice, options_.dataset, images.count);
    subject.description["storage"] = storage.json();
    subject.print = [storage] { storage.print(); };
    return subject;
  }
  [[nodiscard]] Device device() const override { return find_device(options_.device); }
  [[nodiscard]] const std::string& json() const override { return options_.json; }

private:
  CommonOptions options_;
  bool all_ = false; ///< 0 images are all there are
};

} // namespace

std::shared_ptr<SubjectOptions> accelerator_options() { return std::make_shared<AcceleratorOptions>(); }

} // namespace deltatwin
