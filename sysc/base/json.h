#pragma once
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deltatwin {

/// A value of a parsed document. A list of integers is kept as such: 4 bytes each, not a value each.
struct JsonValue {
  using List = std::vector<JsonValue>;
  using Integers = std::vector<std::int32_t>;
  struct Member;
  using Object = std::vector<Member>;
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, List, Integers, Object> is;
};
struct JsonValue::Member {
  std::string key;
  JsonValue value;
};

/// A place in a JSON document, for reading it strictly: every complaint names file and field.
class JsonField {
public:
  JsonField(const JsonValue& value, std::string path) : value_(&value), path_(std::move(path)) {}

  /// Member `key`; throws InputError when it is missing or this is no object.
  [[nodiscard]] JsonField at(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_string() const;
  /// Throws InputError on a member that is not among `known`.
  void check_keys(std::initializer_list<std::string_view> known) const;
  void check_keys(const std::vector<std::string>& known) const;

  [[nodiscard]] std::int64_t integer(std::int64_t low, std::int64_t high) const;
  [[nodiscard]] double number(double low, double high) const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::string text() const;
  /// A text that may become part of a file's name, an option or a table (base/text.h).
  [[nodiscard]] std::string name() const;
  /// The position of this text in `names`; throws InputError with the list of them.
  [[nodiscard]] int choice(std::initializer_list<const char*> names) const;
  [[nodiscard]] int choice(const std::vector<std::string>& names) const;
  /// Throws InputError where there are more than `most`.
  [[nodiscard]] std::vector<JsonField> elements(std::size_t most = 1'000'000) const;
  [[nodiscard]] std::vector<int> integers(std::size_t count, std::int64_t low, std::int64_t high) const;

  [[noreturn]] void fail(const std::string& what) const;

private:
  JsonField(std::int32_t element, std::string path) : element_(element), path_(std::move(path)) {}
  [[nodiscard]] const JsonValue::Object& object() const;
  [[nodiscard]] std::string shown() const;

  const JsonValue* value_ = nullptr; ///< null: an element of a list of integers
  std::int32_t element_ = 0;
  std::string path_;
};

/// A whole document that somebody wrote. Throws InputError that names `origin` and line and column
/// of what is no JSON, of a key that an object has twice, and of what follows after the end. Memory
/// is a few times the text's, whatever is in it. A byte order mark is skipped.
class JsonDocument {
public:
  JsonDocument(const std::string& text, const std::string& origin);
  [[nodiscard]] JsonField root() const { return {*value_, origin_ + ":"}; }

private:
  std::unique_ptr<const JsonValue> value_;
  std::string origin_;
};

/// What another program wrote, as Boost.JSON's value; throws InputError like JsonDocument.
[[nodiscard]] boost::json::value parse_json(const std::string& text, const std::string& origin);

} // namespace deltatwin
