#pragma once
#include "net/network.h"
#include "net/quantize.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include <cstdint>
#include <random>
#include <vector>

namespace deltatwin {

/// Random work for the tests; everything follows from the seed.
class RandomWork {
public:
  explicit RandomWork(std::uint64_t seed) : generator_(seed) {}

  [[nodiscard]] int in(int low, int high) {
    return low + static_cast<int>(generator_() % static_cast<std::uint64_t>(high - low + 1));
  }
  [[nodiscard]] std::uint64_t word(int bits) { return generator_() & ((std::uint64_t{1} << bits) - 1); }
  [[nodiscard]] std::vector<std::int8_t> bytes(std::size_t count);

  /// A legal program whose memories hold random bits: everything wraps, nothing is meant.
  [[nodiscard]] Program program(const Design& design, const std::vector<int>& widths);
  /// A network that the format can hold: widths.size() - 1 layers of random weights.
  [[nodiscard]] Network network(const std::vector<int>& widths, const DeltaFormat& format);

private:
  std::mt19937_64 generator_;
};

/// What a network computes, said as plainly as can be: the third opinion on both twins.
[[nodiscard]] std::vector<int> reference_inference(const Network& network, const std::int8_t* inputs);

/// The seed of a test: fixed, or the environment variable DELTATWIN_SEED. Printed when a test fails.
[[nodiscard]] std::uint64_t base_seed();
/// How often a random test repeats: `quick`, or `quick * DELTATWIN_DEEP` in the deep run.
[[nodiscard]] int repeats(int quick);

} // namespace deltatwin
