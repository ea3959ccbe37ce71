#pragma once
#include "desk.h"
#include <filesystem>
#include <string>

namespace deltatwin {

/// In each of both sets.
inline constexpr int tiny_images = 60;

/// A data set for tests that train: ten by ten pixels, brighter where the label says.
inline void write_tiny_images(const Desk& desk, const std::string& directory) {
  constexpr int side = 10;
  std::filesystem::create_directory(desk.path(directory));
  RandomWork random(base_seed());
  for (const char* set : {"train", "t10k"}) {
    std::string pixels, labels;
    for (int i = 0; i < tiny_images; ++i) {
      const int label = i % 3;
      labels += static_cast<char>(label);
      for (int p = 0; p < side * side; ++p)
        pixels += static_cast<char>(p * 3 / (side * side) == label ? random.in(100, 255) : random.in(0, 120));
    }
    const std::string stem = directory + "/" + std::string(set);
    desk.write(stem + "-images-idx3-ubyte",
               big_endian(0x803) + big_endian(tiny_images) + big_endian(side) + big_endian(side) + pixels);
    desk.write(stem + "-labels-idx1-ubyte", big_endian(0x801) + big_endian(tiny_images) + labels);
  }
}

} // namespace deltatwin
