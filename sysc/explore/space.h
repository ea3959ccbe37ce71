#pragma once
#include "tops/family.h"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a design is judged by: a place in Space::figures.
using Objective = std::size_t;

/// A design space, read from a JSON file:
///
///     { "format": "deltatwin-space-1",
///       "top": "accelerator",                             default; its axes follow
///       "networks": ["s15", "my_network.json"],           names or files, as for --network
///       "codes": ["as_trained", "raw", "huffman", "huffman_pairs"],  default ["as_trained"]: as the network
///       says "lanes": {"from": 1, "to": 128, "step": 1},       here and below: a number, a range, or a
///       "lanes_per_bank": "fit",                          list of these; "fit": what suits the network,
///       "bank_depth": ["fit", 4096],                      the default of these two
///       "multipliers": ["lut", "dsp"],                    default: all four
///       "clock_mhz": 100,                                 default 100
///       "devices": ["xc7s15"],                            names or files, as for --device
///       "optimize": ["throughput", "share"],
///       "constraints": {"fits": true, "area_tolerance": 0.05, "minimum_accuracy": 0.9,
///                       "maximum_latency_us": 100} }
///
/// Of a set (array's "lut_ram") a value is "none", "all", or names with a + between them.
/// What has a "/" or ends in ".json" is a file, found from the space file's own directory.
///
/// Area by the model has an error (base/fit.h): with a tolerance a design counts as fitting whose LUTs
/// and FFs are that share above the budget, for synthesis to decide.
///
/// The points are the product of all axes in the family's order, devices before the last of them,
/// numbered with that one (the clock) running fastest.
struct Space {
  std::string name;      ///< the file's stem
  std::string directory; ///< the file's, absolute
  std::string text;      ///< the file

  const TopFamily* family = nullptr;
  std::vector<Axis> axes;           ///< the family's
  std::vector<AxisValues> values;   ///< of each axis; of files absolute paths
  std::vector<std::string> devices; ///< names, or absolute paths of files
  /// The family's, then share (the largest of the shares of LUT, FF, DSP48E1 and RAMB36 of the device),
  /// lut_share and bram_share.
  std::vector<Figure> figures;
  std::vector<Objective> objectives; ///< at least one, no two the same

  bool must_fit = true;
  double area_tolerance = 0;
  struct Bound {
    Objective figure;
    double value; ///< a minimum where larger is better, else a maximum
  };
  std::vector<Bound> bounds;

  [[nodiscard]] std::uint64_t size() const;
  /// Figures that objectives and bounds ask for.
  [[nodiscard]] std::vector<std::string> needed() const;
};

/// Parses and checks a space; throws InputError that names origin and field, also of unknown ones.
/// `origin` is the path of its file, whether it is there or not.
[[nodiscard]] Space parse_space(const std::string& text, const std::string& origin);
[[nodiscard]] Space load_space(const std::string& path);

/// A point's place on each axis, and among the devices.
struct Coordinates {
  static constexpr std::size_t most_axes = 40; ///< of any top
  std::array<std::uint32_t, most_axes> axis{};
  std::uint32_t device = 0;
};
[[nodiscard]] Coordinates coordinates(const Space& space, std::uint64_t point);

} // namespace deltatwin
