#pragma once
#include "tops/timeline.h"
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Timelines of a design as one HTML page that needs no network connection, and no other file: a drawing
/// each (SVG), lines over cycles, and below them how full the memories are. Bars tell all that is known of
/// them; with scripts, where they are allowed, under the pointer, and the drawing can be enlarged.
/// `facts`: of the whole design, a name and a text each.
[[nodiscard]] std::string render_timelines(const std::string& title,
                                           const std::vector<std::pair<std::string, std::string>>& facts,
                                           const std::vector<Timeline>& timelines);

} // namespace deltatwin
