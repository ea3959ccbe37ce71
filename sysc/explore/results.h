#pragma once
#include "explore/database.h"
#include <boost/json.hpp>
#include <string>

namespace deltatwin {

/// The command line for a point's design, on `items` items (0: all there are, some made up if none).
[[nodiscard]] std::string command_line(const Evaluator& evaluator, const DesignPoint& point,
                                       const std::string& command, int items = 0);
/// Of the command that shows the design's figures.
[[nodiscard]] std::string command_line(const Evaluator& evaluator, const DesignPoint& point);
/// What tables show of feasible points: columns of the database's view, by name.
[[nodiscard]] std::vector<boost::json::object> describe_points(const Database& database,
                                                               const std::vector<DesignPoint>& points);
/// The front, best first by the space's objectives in their order.
[[nodiscard]] std::vector<DesignPoint> load_front(const Evaluator& evaluator, const Database& database);
/// The front as a table with a head, a design a line.
[[nodiscard]] std::string front_csv(const Evaluator& evaluator, const Database& database,
                                    const std::vector<DesignPoint>& front);
/// What render_report() (explore/report.h) shows.
[[nodiscard]] boost::json::object report_data(const Evaluator& evaluator, const Database& database,
                                              const std::vector<DesignPoint>& front);

} // namespace deltatwin
