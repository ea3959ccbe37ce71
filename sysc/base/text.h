#pragma once
#include <string>

namespace deltatwin {

/// Why a name of a network or device is none, empty if it is one: it becomes file names, options and
/// cells of tables, so it has 1 to 100 letters, digits, _, - and ., the first a letter, digit or _.
[[nodiscard]] std::string name_complaint(const std::string& name);

/// A text as a terminal may be told it: control characters become \xNN.
[[nodiscard]] std::string printable(const std::string& text);

/// The shortest decimal that reads back as this number, never with an exponent: "12.5".
[[nodiscard]] std::string shortest(double number);

} // namespace deltatwin
