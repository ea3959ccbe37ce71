#pragma once
#include <cstdlib>
#include <optional>
#include <string>

namespace deltatwin {

/// An environment variable has a value, or none, for as long as this lives.
class Variable {
public:
  explicit Variable(const char* name, const std::optional<std::string>& value = std::nullopt) : name_(name) {
    if (const char* before = std::getenv(name))
      before_ = before;
    set(value);
  }
  ~Variable() { set(before_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

private:
  void set(const std::optional<std::string>& value) {
    if (value)
      setenv(name_, value->c_str(), 1);
    else
      unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> before_;
};

} // namespace deltatwin
