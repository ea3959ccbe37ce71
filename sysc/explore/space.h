#pragma once
#include "net/network.h"
#include "tops/accelerator/design.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a design is judged by. Accuracy and throughput are better when larger, all others when smaller.
enum class Objective {
  accuracy,   ///< share of the test images
  latency,    ///< of a lone inference, in us
  throughput, ///< MAC/s in steady state
  share,      ///< of the device: the largest of the shares of LUT, FF, DSP48E1 and RAMB36
  lut_share,
  bram_share,   ///< the shares of LUT and RAMB36 alone
  bits_a_weight ///< stored: deltas or codes, references and code books
};
inline constexpr std::size_t objective_count = 7;
[[nodiscard]] const char* to_string(Objective objective);
[[nodiscard]] bool smaller_is_better(Objective objective);

/// A design space, read from a JSON file:
///
///     { "format": "deltatwin-space-1",
///       "networks": ["s15", "my_network.json"],           names or files, as for --network
///       "codes": ["as_trained", "raw", "huffman"],        default ["as_trained"]: as the network says
///       "devices": ["xc7s15"],                            names or files, as for --device
///       "lanes": {"from": 1, "to": 128, "step": 1},       here and below: a number, a range, or a
///       "lanes_per_bank": "fit",                          list of these; "fit": what suits the network,
///       "bank_depth": ["fit", 4096],                      the default of these two
///       "multipliers": ["lut", "dsp"],                    default: all four
///       "clock_mhz": 100,                                 default 100
///       "optimize": ["throughput", "share"],
///       "constraints": {"fits": true, "area_tolerance": 0.05, "minimum_accuracy": 0.9,
///                       "maximum_latency_us": 100} }
///
/// What has a "/" or ends in ".json" is a file, found from the space file's own directory.
///
/// Area by the model has an error (base/fit.h): with a tolerance a design counts as fitting whose LUTs
/// and FFs are that share above the budget, for synthesis to decide.
///
/// The points are the product of all axes, numbered with the last one (clock) running fastest.
struct Space {
  std::string name;      ///< the file's stem
  std::string directory; ///< the file's, absolute
  std::string text;      ///< the file

  std::vector<std::string> networks, devices; ///< names, or absolute paths of files
  std::vector<std::optional<Code>> codes;     ///< none: as the network says
  std::vector<Multiplier> multipliers;
  std::vector<int> lanes, lanes_per_bank, bank_depths; ///< 0: what suits the network
  std::vector<double> clocks_mhz;
  std::vector<Objective> objectives; ///< at least one, no two the same

  bool must_fit = true;
  double area_tolerance = 0;
  std::optional<double> minimum_accuracy, maximum_latency_us;

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] bool needs_accuracy() const;
};

/// Parses and checks a space; throws InputError that names origin and field, also of unknown ones.
/// `origin` is the path of its file, whether it is there or not.
[[nodiscard]] Space parse_space(const std::string& text, const std::string& origin);
[[nodiscard]] Space load_space(const std::string& path);

/// A point's place on each axis.
struct Coordinates {
  std::size_t network, code, multiplier, lanes, lanes_per_bank, bank_depth, device, clock;
};
[[nodiscard]] Coordinates coordinates(const Space& space, std::uint64_t point);

} // namespace deltatwin
