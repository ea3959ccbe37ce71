#pragma once
#include <stdexcept>
#include <string>

namespace deltatwin {

/// Bad input of the user's: the program prints the message on one line and exits with code 2.
/// The message says what was wrong, where, and what would be right.
class InputError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace deltatwin
