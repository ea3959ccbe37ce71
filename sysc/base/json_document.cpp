#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <unordered_set>
#include <utility>

namespace deltatwin {
namespace {

constexpr std::size_t most_values = 1'000'000; ///< besides integers in lists of integers

bool is_int32(std::int64_t number) {
  return number >= std::numeric_limits<std::int32_t>::min() &&
         number <= std::numeric_limits<std::int32_t>::max();
}

// What Boost's parser calls on the way: builds the value.
class Builder {
public:
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;
  static constexpr std::size_t max_array_size = -1, max_object_size = -1, max_string_size = -1,
                               max_key_size = -1;

  JsonValue root;
  std::string problem; ///< what is wrong beside the syntax

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) { return open(JsonValue::Object(), error); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code& error) { return open(JsonValue::Integers(), error); }
  bool on_array_end(std::size_t, error_code&) {
    if (auto* integers = std::get_if<JsonValue::Integers>(&open_.back().value->is))
      integers->shrink_to_fit();
    return close();
  }
  bool on_key_part(string_view part, std::size_t, error_code&) { return add(text_, part); }
  bool on_key(string_view part, std::size_t, error_code& error) {
    add(text_, part);
    auto& seen = open_.back().keys;
    if (!seen.insert(text_).second)
      return fail("the key \"" + printable(text_).substr(0, 100) + "\" stands there twice", error);
    std::get<JsonValue::Object>(open_.back().value->is).push_back({std::move(text_), {}});
    text_.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return add(text_, part); }
  bool on_string(string_view part, std::size_t, error_code& error) {
    add(text_, part);
    const bool put_it = put({std::move(text_)}, error) != nullptr;
    text_.clear();
    return put_it;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code& error) {
    if (!open_.empty() && is_int32(number))
      if (auto* list = std::get_if<JsonValue::Integers>(&open_.back().value->is)) {
        list->push_back(static_cast<std::int32_t>(number));
        return true;
      }
    return put({number}, error) != nullptr;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code& error) {
    return put({static_cast<double>(number)}, error) != nullptr;
  }
  bool on_double(double number, string_view, error_code& error) { return put({number}, error) != nullptr; }
  bool on_bool(bool value, error_code& error) { return put({value}, error) != nullptr; }
  bool on_null(error_code& error) { return put({nullptr}, error) != nullptr; }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

private:
  struct Open {
    JsonValue* value;
    std::unordered_set<std::string> keys;
  };

  static bool add(std::string& text, string_view part) {
    text.append(part.data(), part.size());
    return true;
  }
  bool fail(std::string what, error_code& error) {
    problem = std::move(what);
    error = boost::json::error::syntax;
    return false;
  }
  // Where the value now stands; null with an error. A container stays in its place while it is open:
  // only the innermost one grows.
  JsonValue* put(JsonValue value, error_code& error) {
    if (++values_ > most_values) {
      fail("holds more than " + std::to_string(most_values) + " values that are no integers of a list",
           error);
      return nullptr;
    }
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    auto& parent = open_.back().value->is;
    if (auto* object = std::get_if<JsonValue::Object>(&parent)) {
      object->back().value = std::move(value);
      return &object->back().value;
    }
    if (const auto* integers = std::get_if<JsonValue::Integers>(&parent)) { // no longer
      if (integers->size() > most_values - std::min(most_values, values_)) {
        fail("a list of more than " + std::to_string(integers->size()) + " integers holds something else",
             error);
        return nullptr;
      }
      values_ += integers->size();
      JsonValue::List list(integers->size());
      auto element = list.begin();
      for (const std::int32_t number : *integers)
        (element++)->is = std::int64_t{number};
      parent = std::move(list);
    }
    auto& list = std::get<JsonValue::List>(parent);
    list.push_back(std::move(value));
    return &list.back();
  }
  template <class Container> bool open(Container container, error_code& error) {
    JsonValue* value = put({std::move(container)}, error);
    if (value)
      open_.push_back({value, {}});
    return value != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Open> open_;
  std::string text_;
  std::size_t values_ = 0;
};

[[noreturn]] void fail_at(const std::string& origin, std::string_view text, std::size_t offset,
                          const std::string& what) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view last = before.substr(before.rfind('\n') + 1); // npos + 1 is 0
  const auto column =
      1 + std::count_if(last.begin(), last.end(), [](char byte) { return (byte & 0xc0) != 0x80; });
  throw InputError(origin + ": line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                   what);
}

// Runs a parser over a whole text: write(data, size, error) returns how much it has read.
template <class Write>
void parse_whole(std::string_view text, const std::string& origin, const std::string& problem, Write write) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  const std::size_t begin = text.substr(0, mark.size()) == mark ? mark.size() : 0;
  boost::json::error_code error;
  const std::size_t read = begin + write(text.data() + begin, text.size() - begin, error);
  if (error)
    fail_at(origin, text, read,
            !problem.empty()                          ? problem
            : error == boost::json::error::incomplete ? "is no valid JSON: it ends too early"
                                                      : "is no valid JSON: " + error.message());
  if (const auto rest = text.find_first_not_of(" \t\r\n", read); rest != std::string::npos)
    fail_at(origin, text, rest, "is no valid JSON: there is more after the end");
}

} // namespace

JsonDocument::JsonDocument(const std::string& text, const std::string& origin) : origin_(origin) {
  boost::json::basic_parser<Builder> parser{boost::json::parse_options()};
  parse_whole(text, origin, parser.handler().problem,
              [&](const char* data, std::size_t size, boost::json::error_code& error) {
                return parser.write_some(false, data, size, error);
              });
  value_ = std::make_unique<const JsonValue>(std::move(parser.handler().root));
}

boost::json::value parse_json(const std::string& text, const std::string& origin) {
  boost::json::parser parser;
  parse_whole(text, origin, "", [&](const char* data, std::size_t size, boost::json::error_code& error) {
    return parser.write_some(data, size, error);
  });
  return parser.release();
}

} // namespace deltatwin
