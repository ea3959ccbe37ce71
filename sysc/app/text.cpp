#include "app/text.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace deltatwin {
namespace {

// Letters to insert, delete, replace or exchange with their neighbour.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> least(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        least[i][j] = i + j;
        continue;
      }
      least[i][j] = std::min(
          {least[i - 1][j] + 1, least[i][j - 1] + 1, least[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least[i][j] = std::min(least[i][j], least[i - 2][j - 2] + 1);
    }
  return least[a.size()][b.size()];
}

} // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string fixed(double number, int digits) {
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string shortest(double number) {
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, number, std::chars_format::fixed).ptr};
}

std::string rate(double number) {
  if (!(number > 0))
    return "0";
  if (number >= 999.5)
    return grouped(static_cast<std::uint64_t>(number + 0.5));
  return fixed(number, std::max(0, 2 - static_cast<int>(std::floor(std::log10(number)))));
}

std::string count_of(std::uint64_t number, const std::string& noun) {
  return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string bar(int used, int budget) {
  constexpr int width = 20;
  const int full = used >= budget
                       ? (used ? width : 0)
                       : static_cast<int>((std::int64_t{used} * width + budget - 1) / std::max(1, budget));
  return "[" + std::string(static_cast<std::size_t>(full), used > budget ? '!' : '#') +
         std::string(static_cast<std::size_t>(width - full), '.') + "]";
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = 1 + word.size() / 3;
  if (word.size() > 100)
    return "";
  for (const std::string& each : known) {
    const bool longer = word.size() >= 3 && each.compare(0, word.size(), word) == 0;
    const std::size_t distance = longer ? 1 : edits(word, each);
    if (distance < least + (best.empty() ? 1 : 0)) {
      best = each;
      least = distance;
    }
  }
  return best.empty() ? "" : "; did you mean " + best + "?";
}

} // namespace deltatwin
