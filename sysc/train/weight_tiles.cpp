#include "train/weight_tiles.h"
#include "base/error.h"
#include "base/resources.h"
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>

namespace deltatwin {

TileSize parse_tile_size(const std::string& text) {
  constexpr int most = 256, most_digits = 3;
  const std::size_t cross = text.find('x');
  const auto number = [&](std::size_t first, std::size_t count) {
    const std::string digits = text.substr(first, count);
    const bool good =
        !digits.empty() && digits.size() <= most_digits &&
        std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
    const int value = good ? std::stoi(digits) : 0;
    if (value < 1 || value > most)
      throw InputError("--tile: \"" + text + "\", expected OUTPUTSxCHANNELS, each 1 to " +
                       std::to_string(most) + ", as in 8x16");
    return value;
  };
  const int outputs = number(0, cross);
  return {outputs, number(cross == std::string::npos ? text.size() : cross + 1, std::string::npos)};
}

int WeightTiles::tiles_of_outputs() const { return ceil_div(outputs_, size_.outputs); }

int WeightTiles::tiles_of_each() const { return places_ * ceil_div(channels_, size_.channels); }

template <class Visit> void WeightTiles::for_tiles(Visit visit) const {
  const auto row = static_cast<std::size_t>(places_) * static_cast<std::size_t>(channels_);
  for (int output = 0; output < outputs_; output += size_.outputs)
    for (int place = 0; place < places_; ++place)
      for (int channel = 0; channel < channels_; channel += size_.channels)
        visit(static_cast<std::size_t>(output) * row +
                  static_cast<std::size_t>(place) * static_cast<std::size_t>(channels_) +
                  static_cast<std::size_t>(channel),
              static_cast<std::size_t>(std::min(size_.channels, channels_ - channel)),
              static_cast<std::size_t>(std::min(size_.outputs, outputs_ - output)));
}

void WeightTiles::shrink(float* weights, double amount) const {
  const auto row = static_cast<std::size_t>(places_) * static_cast<std::size_t>(channels_);
  for_tiles([&](std::size_t first, std::size_t count, std::size_t runs) {
    double squares = 0;
    for (std::size_t run = 0; run < runs; ++run)
      for (std::size_t i = first + run * row; i < first + run * row + count; ++i)
        squares += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    const double norm = std::sqrt(squares), pull = amount * std::sqrt(static_cast<double>(count * runs));
    const auto left = static_cast<float>(norm > pull ? 1 - pull / norm : 0);
    for (std::size_t run = 0; run < runs; ++run)
      for (std::size_t i = first + run * row; i < first + run * row + count; ++i)
        weights[i] *= left;
  });
}

int WeightTiles::zeros(const std::vector<std::int16_t>& weights) const {
  const auto row = static_cast<std::size_t>(places_) * static_cast<std::size_t>(channels_);
  int zeros = 0;
  for_tiles([&](std::size_t first, std::size_t count, std::size_t runs) {
    bool all = true;
    for (std::size_t run = 0; run < runs; ++run) {
      const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(first + run * row);
      all = all && std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count),
                               [](std::int16_t weight) { return weight == 0; });
    }
    zeros += all;
  });
  return zeros;
}

} // namespace deltatwin
