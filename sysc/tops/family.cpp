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

std::string Axis::set_text(double number) const {
  std::string chosen;
  for (std::size_t v = 0; v < values.size(); ++v)
    if (static_cast<std::uint64_t>(number) >> v & 1)
      chosen += (chosen.empty() ? "" : "+") + values[v];
  return chosen.empty() ? "none" : chosen;
}

double Axis::parse(const std::string& given) const {
  if (kind == text || (standard == "fit" && given == standard))
    return 0;
  const auto place = [&](const std::string& value) {
    const auto found = std::find(values.begin(), values.end(), value);
    if (found != values.end())
      return found - values.begin();
    std::string known = kind == set ? "none, all" : "";
    for (const std::string& each : values)
      known += (known.empty() ? "" : ", ") + each;
    throw InputError(name + " \"" + value + "\" is none of " + known);
  };
  if (kind == choice)
    return static_cast<double>(place(given));
  if (kind == set && (given == "none" || given == "all"))
    return given == "all" ? std::ldexp(1, static_cast<int>(values.size())) - 1 : 0;
  if (kind == set) {
    std::uint64_t bits = 0;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = given.find('+', begin);
      bits |= std::uint64_t{1} << place(given.substr(begin, end == std::string::npos ? end : end - begin));
    }
    return static_cast<double>(bits);
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
