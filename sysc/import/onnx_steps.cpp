#include "import/onnx_steps.h"
#include "base/text.h"
#include <algorithm>

namespace deltatwin {

float through(const std::vector<RealStep>& steps, float real, std::size_t channel) {
  for (const RealStep& step : steps) {
    const float value = step.value(channel);
    switch (step.kind) {
    case RealStep::Kind::multiply:
      real = value == 0 ? 0 : real * value; // of infinity, too
      break;
    case RealStep::Kind::divide:
      real /= value;
      break;
    case RealStep::Kind::add:
      real += value;
      break;
    case RealStep::Kind::at_least:
      real = std::max(real, value);
      break;
    case RealStep::Kind::at_most:
      real = std::min(real, value);
      break;
    }
  }
  return real;
}

bool only_clamps(const std::vector<RealStep>& steps) {
  return std::all_of(steps.begin(), steps.end(), [](const RealStep& step) {
    return step.kind == RealStep::Kind::at_least || step.kind == RealStep::Kind::at_most;
  });
}

std::string to_text(const std::vector<RealStep>& steps) {
  static const char* const names[] = {"multiply by ", "divide by ", "add ", "at least ", "at most "};
  std::string text;
  for (const RealStep& step : steps)
    text += (text.empty() ? "" : ", ") + std::string(names[static_cast<int>(step.kind)]) +
            (step.values.size() == 1 ? shortest(step.values[0])
                                     : std::to_string(step.values.size()) + " numbers, one a channel");
  return text;
}

RealLine line(const std::vector<RealStep>& steps, std::size_t channel) {
  RealLine line;
  for (const RealStep& step : steps) {
    const double value = step.value(channel);
    const double factor = step.kind == RealStep::Kind::multiply ? value
                          : step.kind == RealStep::Kind::divide ? 1 / value
                                                                : 1;
    line.slope *= factor;
    line.offset = line.offset * factor + (step.kind == RealStep::Kind::add ? value : 0);
  }
  return line;
}

} // namespace deltatwin
