#include "base/json.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <limits>
#include <sstream>

namespace deltatwin {

void JsonField::fail(const std::string& what) const {
  throw InputError(path_ + (path_.back() == ':' ? " " : ": ") + what);
}

const JsonValue::Object& JsonField::object() const {
  if (!is_object())
    fail("expected an object");
  return std::get<JsonValue::Object>(value_->is);
}

bool JsonField::is_array() const {
  return value_ && (std::holds_alternative<JsonValue::List>(value_->is) ||
                    std::holds_alternative<JsonValue::Integers>(value_->is));
}
bool JsonField::is_object() const { return value_ && std::holds_alternative<JsonValue::Object>(value_->is); }
bool JsonField::is_string() const { return value_ && std::holds_alternative<std::string>(value_->is); }

JsonField JsonField::at(std::string_view key) const {
  for (const auto& member : object())
    if (member.key == key)
      return {member.value, path_ + (path_.back() == ':' ? " " : ".") + std::string(key)};
  fail("\"" + std::string(key) + "\" is missing");
}

bool JsonField::has(std::string_view key) const {
  if (!is_object())
    return false;
  const auto& members = object();
  return std::any_of(members.begin(), members.end(), [key](const auto& member) { return member.key == key; });
}

void JsonField::check_keys(std::initializer_list<std::string_view> known) const {
  check_keys(std::vector<std::string>(known.begin(), known.end()));
}

void JsonField::check_keys(const std::vector<std::string>& known) const {
  for (const auto& member : object())
    if (std::find(known.begin(), known.end(), member.key) == known.end())
      fail("unknown field \"" + printable(member.key).substr(0, 100) + "\"");
}

// As much of the value as a message needs.
std::string JsonField::shown() const {
  if (is_array() || is_object())
    return is_array() ? "a list" : "an object";
  std::ostringstream text;
  text.precision(17);
  if (!value_)
    text << element_;
  else if (const auto* word = std::get_if<std::string>(&value_->is))
    text << '"' << printable(*word).substr(0, 40) << '"';
  else if (const auto* integer = std::get_if<std::int64_t>(&value_->is))
    text << *integer;
  else if (const auto* real = std::get_if<double>(&value_->is))
    text << *real;
  else if (const auto* flag = std::get_if<bool>(&value_->is))
    text << (*flag ? "true" : "false");
  else
    text << "null";
  return text.str();
}

std::int64_t JsonField::integer(std::int64_t low, std::int64_t high) const {
  const auto range = [&] { return std::to_string(low) + ".." + std::to_string(high); };
  const auto* integer = value_ ? std::get_if<std::int64_t>(&value_->is) : nullptr;
  if (value_ && !integer)
    fail("expected an integer in " + range() + ", got " + shown());
  const std::int64_t number = integer ? *integer : element_;
  if (number < low || number > high)
    fail(std::to_string(number) + " is outside " + range());
  return number;
}

double JsonField::number(double low, double high) const {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (!value_)
    number = element_;
  else if (const auto* integer = std::get_if<std::int64_t>(&value_->is))
    number = static_cast<double>(*integer);
  else if (const auto* real = std::get_if<double>(&value_->is))
    number = *real;
  if (!(number >= low && number <= high)) {
    std::ostringstream message;
    message << "expected a number in " << low << ".." << high << ", got " << shown();
    fail(message.str());
  }
  return number;
}

bool JsonField::boolean() const {
  const auto* flag = value_ ? std::get_if<bool>(&value_->is) : nullptr;
  if (!flag)
    fail("expected true or false");
  return *flag;
}

std::string JsonField::text() const {
  if (!is_string())
    fail("expected a string");
  return std::get<std::string>(value_->is);
}

std::string JsonField::name() const {
  const std::string name = text();
  if (const std::string what = name_complaint(name); !what.empty())
    fail(what);
  return name;
}

int JsonField::choice(std::initializer_list<const char*> names) const {
  return choice(std::vector<std::string>(names.begin(), names.end()));
}

int JsonField::choice(const std::vector<std::string>& names) const {
  const std::string name = text();
  std::string list;
  int index = 0;
  for (const std::string& candidate : names) {
    if (name == candidate)
      return index;
    list += std::string(index++ ? ", " : "") + "\"" + candidate + "\"";
  }
  fail(shown() + " is none of " + list);
}

std::vector<JsonField> JsonField::elements(std::size_t most) const {
  if (!is_array())
    fail("expected an array");
  const auto* integers = std::get_if<JsonValue::Integers>(&value_->is);
  const auto* list = std::get_if<JsonValue::List>(&value_->is);
  const std::size_t count = integers ? integers->size() : list->size();
  if (count > most)
    fail("expected at most " + std::to_string(most) + " elements, got " + std::to_string(count));
  std::vector<JsonField> result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string path = path_ + "[" + std::to_string(i) + "]";
    result.push_back(integers ? JsonField((*integers)[i], path) : JsonField((*list)[i], path));
  }
  return result;
}

std::vector<int> JsonField::integers(std::size_t count, std::int64_t low, std::int64_t high) const {
  if (!is_array())
    fail("expected an array of " + std::to_string(count) + " integers");
  const auto* packed = std::get_if<JsonValue::Integers>(&value_->is);
  const std::size_t there = packed ? packed->size() : std::get<JsonValue::List>(value_->is).size();
  if (there != count)
    fail("expected " + std::to_string(count) + " integers, got " + std::to_string(there));
  std::vector<int> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (packed && (*packed)[i] >= low && (*packed)[i] <= high)
      result[i] = (*packed)[i];
    else
      result[i] = static_cast<int>(elements(count)[i].integer(low, high));
  }
  return result;
}

} // namespace deltatwin
