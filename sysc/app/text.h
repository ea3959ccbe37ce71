#pragma once
#include "base/text.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
[[nodiscard]] std::string fixed(double number, int digits);
/// A rate for people: "12,226", "83.2", "1.52", "0.00412": three digits at least, and no 0 for what is none.
[[nodiscard]] std::string rate(double number);
/// "1 lane", "1,200 lanes".
[[nodiscard]] std::string count_of(std::uint64_t number, const std::string& noun);
/// The text in lines of at most `width` letters, broken at blanks; from the second on they begin with four.
[[nodiscard]] std::string folded(const std::string& text, std::size_t width = 98);
/// "32x32x3".
[[nodiscard]] std::string shape_text(const std::vector<int>& shape);
/// "[####....]": a share, in exclamation marks where it is above 1.
[[nodiscard]] std::string bar(int used, int budget);
/// A table for a terminal. Columns in which all rows agree stand in a sentence before it; where it is too
/// wide, those that matter least are left out, and named.
class TextTable {
public:
  enum Align { left, right };
  /// `weight`: what a column matters, columns of a lower one are left out first.
  void add_column(const std::string& head, Align align, int weight);
  void add_row(std::vector<std::string> cells);
  /// Lines of at most `width` letters, each behind two blanks.
  [[nodiscard]] std::string text(std::size_t width = 98) const;

private:
  struct Column {
    std::string head;
    Align align;
    int weight;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};
/// What was probably meant by a word that is none of these, as "; did you mean X?"; empty: none is near.
[[nodiscard]] std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

} // namespace deltatwin
