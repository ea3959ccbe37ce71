#pragma once
#include "net/dataset.h"
#include "net/network.h"
#include <boost/json.hpp>
#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// What --images says: the first N of the test set, or N that are made up by a seed.
struct ImageChoice {
  int count = 0;       ///< 0: all of the test set
  bool random = false; ///< then pixels are uniform, labels there are none
  std::uint64_t seed = 1;
};
/// From "N", "random:N" or "random:N:SEED"; throws InputError, which names the option.
[[nodiscard]] ImageChoice parse_images(const std::string& text, const std::string& option = "--images");
/// Takes a text that parse_images() takes. `what` the images are for: "test images to run".
void add_images_option(CLI::App& command, std::string& images, const std::string& what);

/// The images, which have the network's number of inputs; made up ones are without labels, and the first
/// ones are the same however many there are. Throws InputError that names what would do.
[[nodiscard]] Dataset load_images(const ImageChoice& choice, const std::string& dataset,
                                  const Network& network);
/// "10,000 images", "8 images made up with seed 1".
[[nodiscard]] std::string describe(const ImageChoice& choice, int count);
/// Adds "images" (how many), "dataset" and "random_seed", of which one is null.
void add_images(boost::json::object& json, const ImageChoice& choice, const std::string& dataset, int count);

} // namespace deltatwin
