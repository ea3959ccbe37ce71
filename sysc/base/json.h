#pragma once
#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace deltatwin {

/// A place in a JSON document, for reading it strictly: every complaint names file and field.
class JsonField {
public:
  JsonField(const boost::json::value& value, std::string path) : value_(value), path_(std::move(path)) {}

  /// Member `key`; throws InputError when it is missing or this is no object.
  [[nodiscard]] JsonField at(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_array() const { return value_.is_array(); }
  [[nodiscard]] bool is_object() const { return value_.is_object(); }
  [[nodiscard]] bool is_string() const { return value_.is_string(); }
  /// Throws InputError on a member that is not among `known`.
  void check_keys(std::initializer_list<std::string_view> known) const;

  [[nodiscard]] std::int64_t integer(std::int64_t low, std::int64_t high) const;
  [[nodiscard]] double number(double low, double high) const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::string text() const;
  /// The position of this text in `names`; throws InputError with the list of them.
  [[nodiscard]] int choice(std::initializer_list<const char*> names) const;
  [[nodiscard]] std::vector<JsonField> elements() const;
  [[nodiscard]] std::vector<int> integers(std::size_t count, std::int64_t low, std::int64_t high) const;

  [[noreturn]] void fail(const std::string& what) const;

private:
  const boost::json::value& value_;
  std::string path_;
};

/// Parses a whole document; throws InputError that names `origin` and the place of the mistake.
[[nodiscard]] boost::json::value parse_json(const std::string& text, const std::string& origin);

} // namespace deltatwin
