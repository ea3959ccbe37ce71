#include "app/numbers.h"
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// Whether the text is digits, behind a minus sign or not.
bool is_whole(const std::string& text) {
  const auto begin = text.begin() + (!text.empty() && text[0] == '-' ? 1 : 0);
  return begin != text.end() && std::all_of(begin, text.end(), is_digit);
}

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

// Writes the number as its shortest decimal, or tells what is wrong with it.
template <class Integer> std::string read_integer(std::string& text) {
  if (!is_whole(text))
    return in_quotes(text) + " is no whole decimal number";
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return text + " is outside " + std::to_string(std::numeric_limits<Integer>::min()) + ".." +
           std::to_string(std::numeric_limits<Integer>::max());
  text = std::to_string(number);
  return {};
}

std::string read_real(std::string& text) {
  double number = 0;
  const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (first >= text.size() || !(is_digit(text[first]) || text[first] == '.') ||
      end != text.data() + text.size() || error != std::errc())
    return in_quotes(text) + " is no decimal number";
  char shortest[400];
  text = {shortest,
          std::to_chars(shortest, shortest + sizeof shortest, number, std::chars_format::fixed).ptr};
  return {};
}

} // namespace

std::optional<std::uint64_t> whole_number(const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::string digits = text;
  if (!read_integer<std::uint64_t>(digits).empty())
    return std::nullopt;
  const std::uint64_t number = std::stoull(digits);
  return number >= low && number <= high ? std::optional(number) : std::nullopt;
}

void check_option_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string name = option->get_type_name();
    const auto reads = [&](const char* type) {
      return name.compare(0, std::char_traits<char>::length(type), type) == 0;
    };
    if (reads("INT"))
      option->transform(CLI::Validator(read_integer<int>, ""));
    else if (reads("UINT"))
      option->transform(CLI::Validator(read_integer<std::uint64_t>, ""));
    else if (reads("FLOAT"))
      option->transform(CLI::Validator(read_real, ""));
    else if (option->get_items_expected_max() > 0)
      option->check([](const std::string& text) { return std::string(text.empty() ? "is empty" : ""); });
  }
  for (CLI::App* command : app.get_subcommands({}))
    check_option_values(*command);
}

} // namespace deltatwin
