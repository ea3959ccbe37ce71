#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
[[nodiscard]] std::string fixed(double number, int digits);
/// The shortest decimal that reads back as this number, never with an exponent: "12.5".
[[nodiscard]] std::string shortest(double number);
/// A rate for people: "12,226", "83.2", "1.52", "0.00412": three digits at least, and no 0 for what is none.
[[nodiscard]] std::string rate(double number);
/// "1 lane", "1,200 lanes".
[[nodiscard]] std::string count_of(std::uint64_t number, const std::string& noun);
/// "[####....]": a share, in exclamation marks where it is above 1.
[[nodiscard]] std::string bar(int used, int budget);
/// What was probably meant by a word that is none of these, as "; did you mean X?"; empty: none is near.
[[nodiscard]] std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

} // namespace deltatwin
