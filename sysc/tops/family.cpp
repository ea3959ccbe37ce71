#include "tops/family.h"
#include "base/error.h"
#include <algorithm>
#include <charconv>
#include <cmath>

namespace deltatwin {
namespace {

// "3", "0.5": no more digits than it takes.
std::string shortest(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

} // namespace

std::string Axis::option() const {
  std::string words = "--" + name;
  std::replace(words.begin(), words.end(), '_', '-');
  return words;
}

double Axis::parse(const std::string& given) const {
  if (kind == text || (standard == "fit" && given == standard))
    return 0;
  if (kind == choice) {
    const auto found = std::find(values.begin(), values.end(), given);
    if (found != values.end())
      return static_cast<double>(found - values.begin());
    std::string known;
    for (const std::string& value : values)
      known += (known.empty() ? "" : ", ") + value;
    throw InputError(name + " \"" + given + "\" is none of " + known);
  }
  double number = 0;
  const char* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number) ||
      (kind == integer && number != std::floor(number)) || number < low || number > high)
    throw InputError(name + " is " + given + ", possible are " + shortest(low) + ".." + shortest(high));
  return number;
}

} // namespace deltatwin
