#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

// Numbers on the command line are decimal and nothing else: no sign "+", no blanks, no hexadecimal;
// leading zeros mean nothing ("016" is 16).

/// A whole number; none where the text is none, or does not lie in low..high.
[[nodiscard]] std::optional<std::uint64_t> whole_number(const std::string& text, std::uint64_t low,
                                                        std::uint64_t high);

/// Makes every numeric option of the application and its subcommands read its value so, and every other
/// one refuse an empty value. To be called when all of them are there.
void check_option_values(CLI::App& app);

} // namespace deltatwin
