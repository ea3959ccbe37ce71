#include "app/images.h"
#include "app/numbers.h"
#include "app/text.h"
#include "base/error.h"
#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>
#include <random>

namespace deltatwin {
namespace {

constexpr int most_images = 10'000'000;
constexpr std::uint64_t most_pixels = std::uint64_t{1} << 28; // made up: bounds memory
const std::string prefix = "random:";

Dataset make_images(const ImageChoice& choice, const Network& network) {
  Dataset made;
  made.count = choice.count;
  made.pixels = network.layers.front().inputs;
  const std::uint64_t bytes =
      static_cast<std::uint64_t>(made.count) * static_cast<std::uint64_t>(made.pixels);
  if (bytes > most_pixels)
    throw InputError("--images random:" + std::to_string(choice.count) + " are too many: of " +
                     std::to_string(made.pixels) + " pixels each, " +
                     std::to_string(most_pixels / static_cast<std::uint64_t>(made.pixels)) +
                     " images are possible");
  made.images.resize(bytes);
  std::mt19937_64 generator(choice.seed);
  for (std::uint64_t at = 0, bits = 0; at < bytes; ++at, bits >>= 8) {
    if (at % 8 == 0)
      bits = generator();
    made.images[at] = static_cast<std::uint8_t>(bits);
  }
  return made;
}

std::string what_would_do(const Network& network, int count) {
  return "; --images random:" + std::to_string(count ? count : 100) + " makes some up, a --dataset of " +
         network.name + "'s own holds t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or .gz) with " +
         count_of(static_cast<std::uint64_t>(network.layers.front().inputs), "pixel") + " an image";
}

bool is_there(const std::string& dataset) {
  std::error_code error;
  const std::string images = dataset + "/t10k-images-idx3-ubyte";
  return std::filesystem::exists(images, error) || std::filesystem::exists(images + ".gz", error);
}

} // namespace

ImageChoice parse_images(const std::string& text, const std::string& option) {
  ImageChoice choice;
  std::string count = text;
  if (text.compare(0, prefix.size(), prefix) == 0) {
    choice.random = true;
    count = text.substr(prefix.size());
    if (const auto colon = count.find(':'); colon != std::string::npos) {
      const auto seed = whole_number(count.substr(colon + 1), 0, std::numeric_limits<std::uint64_t>::max());
      if (!seed)
        throw InputError(option + ": \"" + count.substr(colon + 1) + "\" is no seed, possible are 0.." +
                         std::to_string(std::numeric_limits<std::uint64_t>::max()));
      choice.seed = *seed;
      count.resize(colon);
    }
  }
  const auto number = whole_number(count, choice.random ? 1 : 0, most_images);
  if (!number)
    throw InputError(option + ": \"" + text + "\" is no number of " + option.substr(2) +
                     "; possible are 0.." + std::to_string(most_images) + ", random:N and random:N:SEED");
  choice.count = static_cast<int>(*number);
  return choice;
}

void add_images_option(CLI::App& command, std::string& images, const std::string& what) {
  command
      .add_option("-i,--images", images,
                  what + "; random:N or random:N:SEED: N images made up, for a network without a data set")
      ->type_name("N");
}

Dataset load_images(const ImageChoice& choice, const std::string& dataset, const Network& network) {
  if (choice.random)
    return make_images(choice, network);
  if (!is_there(dataset))
    throw InputError(dataset + "/t10k-images-idx3-ubyte.gz: no such file" +
                     what_would_do(network, choice.count));
  Dataset images;
  try {
    images = load_dataset(dataset, "t10k", choice.count, &network);
  } catch (const InputError& error) {
    const std::string what = error.what();
    if (what.find(" pixels") != std::string::npos && what.find("network " + network.name) == 0)
      throw InputError(what + what_would_do(network, choice.count));
    throw;
  }
  if (choice.count > images.count)
    throw InputError("--images asks for " + std::to_string(choice.count) + ", the test set of " + dataset +
                     " has " + std::to_string(images.count));
  return images;
}

std::string describe(const ImageChoice& choice, int count) {
  return count_of(static_cast<std::uint64_t>(count), "image") +
         (choice.random ? " made up with seed " + std::to_string(choice.seed) : "");
}

void add_images(boost::json::object& json, const ImageChoice& choice, const std::string& dataset, int count) {
  json["images"] = count;
  json["dataset"] = choice.random ? boost::json::value() : boost::json::value(dataset);
  json["random_seed"] = choice.random ? boost::json::value(choice.seed) : boost::json::value();
}

} // namespace deltatwin
