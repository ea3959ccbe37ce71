#pragma once
#include "tops/array/program.h"
#include "tops/timeline.h"
#include <vector>

namespace deltatwin {

/// The schedule of an image among others, and of a lone one: a line a layer, between the image's rows on
/// their way in and the results on their way out, and how many words of each row bank hold what is still
/// read.
[[nodiscard]] std::vector<Timeline> array_schedule(const ArrayConfig& config, const ArrayProgram& program);

} // namespace deltatwin
