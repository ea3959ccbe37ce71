#include "base/json.h"
#include "base/error.h"
#include <algorithm>
#include <sstream>

namespace deltatwin {

void JsonField::fail(const std::string& what) const {
  throw InputError(path_ + (path_.back() == ':' ? " " : ": ") + what);
}

JsonField JsonField::at(std::string_view key) const {
  const auto* object = value_.if_object();
  if (!object)
    fail("expected an object");
  const auto* member = object->if_contains({key.data(), key.size()});
  if (!member)
    fail("\"" + std::string(key) + "\" is missing");
  return {*member, path_ + (path_.back() == ':' ? " " : ".") + std::string(key)};
}

bool JsonField::has(std::string_view key) const {
  const auto* object = value_.if_object();
  return object && object->contains({key.data(), key.size()});
}

void JsonField::check_keys(std::initializer_list<std::string_view> known) const {
  const auto* object = value_.if_object();
  if (!object)
    fail("expected an object");
  for (const auto& member : *object) {
    const std::string_view key{member.key().data(), member.key().size()};
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail("unknown field \"" + std::string(key) + "\"");
  }
}

std::int64_t JsonField::integer(std::int64_t low, std::int64_t high) const {
  const auto range = [&] { return std::to_string(low) + ".." + std::to_string(high); };
  if (!value_.is_int64())
    fail("expected an integer in " + range() + ", got " + boost::json::serialize(value_).substr(0, 40));
  const std::int64_t number = value_.as_int64();
  if (number < low || number > high)
    fail(std::to_string(number) + " is outside " + range());
  return number;
}

double JsonField::number(double low, double high) const {
  boost::json::error_code error;
  const auto number = value_.to_number<double>(error);
  if (error || !(number >= low && number <= high)) {
    std::ostringstream message;
    message << "expected a number in " << low << ".." << high << ", got "
            << boost::json::serialize(value_).substr(0, 40);
    fail(message.str());
  }
  return number;
}

bool JsonField::boolean() const {
  if (!value_.is_bool())
    fail("expected true or false");
  return value_.as_bool();
}

std::string JsonField::text() const {
  if (!value_.is_string())
    fail("expected a string");
  return {value_.as_string().data(), value_.as_string().size()};
}

int JsonField::choice(std::initializer_list<const char*> names) const {
  const std::string name = text();
  std::string list;
  int index = 0;
  for (const char* candidate : names) {
    if (name == candidate)
      return index;
    list += std::string(index++ ? ", " : "") + candidate;
  }
  fail("\"" + name + "\" is none of " + list);
}

std::vector<JsonField> JsonField::elements() const {
  if (!value_.is_array())
    fail("expected an array");
  std::vector<JsonField> result;
  for (const auto& element : value_.as_array())
    result.emplace_back(element, path_ + "[" + std::to_string(result.size()) + "]");
  return result;
}

std::vector<int> JsonField::integers(std::size_t count, std::int64_t low, std::int64_t high) const {
  if (!value_.is_array())
    fail("expected an array of " + std::to_string(count) + " integers");
  const auto& array = value_.as_array();
  if (array.size() != count)
    fail("expected " + std::to_string(count) + " integers, got " + std::to_string(array.size()));
  std::vector<int> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* number = array[i].if_int64();
    result[i] =
        static_cast<int>(number && *number >= low && *number <= high
                             ? *number
                             : JsonField(array[i], path_ + "[" + std::to_string(i) + "]").integer(low, high));
  }
  return result;
}

boost::json::value parse_json(const std::string& text, const std::string& origin) {
  boost::json::error_code error;
  boost::json::stream_parser parser;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error)
    parser.finish(error);
  if (!error && parser.done()) {
    const auto rest = text.find_first_not_of(" \t\r\n", read);
    if (rest == std::string::npos)
      return parser.release();
    error = boost::json::error::extra_data;
  }
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
  throw InputError(origin + ": line " + std::to_string(line) + ": is no valid JSON: " + error.message());
}

} // namespace deltatwin
