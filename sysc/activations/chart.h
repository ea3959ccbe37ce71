#pragma once
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Points of one name, in the order of x.
struct ChartSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;
};
struct Chart {
  std::string title, x_label, y_label;
  std::vector<ChartSeries> series;
  bool bars = false; ///< bars side by side at each x; else lines
};

/// A drawing of its own: one SVG file.
[[nodiscard]] std::string to_svg(const Chart& chart);
/// The same as a table: x, y of each series; a series without a point at an x has an empty field.
[[nodiscard]] std::string to_csv(const Chart& chart);

} // namespace deltatwin
