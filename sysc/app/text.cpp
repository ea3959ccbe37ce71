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

std::string folded(const std::string& text, std::size_t width) {
  std::string lines;
  std::size_t begin = 0, indent = 0;
  while (begin + width - indent < text.size()) {
    const std::size_t most = begin + width - indent;
    std::size_t blank = text.rfind(' ', most);
    if (blank == std::string::npos || blank <= text.find_first_not_of(' ', begin)) // a long word
      blank = text.find(' ', most);
    if (blank == std::string::npos)
      break;
    lines += std::string(indent, ' ') + text.substr(begin, blank - begin) + "\n";
    begin = blank + 1;
    indent = 4;
  }
  return lines + std::string(indent, ' ') + text.substr(begin) + "\n";
}

std::string shape_text(const std::vector<int>& shape) {
  std::string text;
  for (const int size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string bar(int used, int budget) {
  constexpr int width = 20;
  const int full = used >= budget
                       ? (used ? width : 0)
                       : static_cast<int>((std::int64_t{used} * width + budget - 1) / std::max(1, budget));
  return "[" + std::string(static_cast<std::size_t>(full), used > budget ? '!' : '#') +
         std::string(static_cast<std::size_t>(width - full), '.') + "]";
}

void TextTable::add_column(const std::string& head, Align align, int weight) {
  columns_.push_back({head, align, weight});
}

void TextTable::add_row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text(std::size_t width) const {
  std::vector<std::size_t> widths, shown;
  std::string agreed, left_out;
  std::size_t total = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t widest = columns_[c].head.size();
    bool agree = rows_.size() > 1;
    for (const auto& row : rows_) {
      widest = std::max(widest, row[c].size());
      agree = agree && row[c] == rows_[0][c];
    }
    widths.push_back(widest);
    if (agree) {
      agreed += (agreed.empty() ? "" : ", ") + columns_[c].head + " " + rows_[0][c];
    } else {
      shown.push_back(c);
      total += widest + 2;
    }
  }
  while (total > width + 2 && shown.size() > 1) {
    const auto least = std::min_element(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) {
      return columns_[a].weight < columns_[b].weight;
    });
    left_out += (left_out.empty() ? "" : ", ") + columns_[*least].head;
    total -= widths[*least] + 2;
    shown.erase(least);
  }
  std::string all;
  if (!agreed.empty())
    all += "  all: " + agreed + "\n";
  const auto line = [&](const auto& cell) {
    std::string text;
    for (const std::size_t c : shown) {
      const std::string blanks(widths[c] - cell(c).size(), ' ');
      text += "  " + (columns_[c].align == right ? blanks + cell(c) : cell(c) + blanks);
    }
    all += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  line([&](std::size_t c) -> const std::string& { return columns_[c].head; });
  for (const auto& row : rows_)
    line([&](std::size_t c) -> const std::string& { return row[c]; });
  if (!left_out.empty())
    all += "  (not shown: " + left_out + ")\n";
  return all;
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
