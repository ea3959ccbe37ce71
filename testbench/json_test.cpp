#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "refusal.h"
#include <catch2/catch.hpp>
#include <sys/resource.h>

using namespace deltatwin;

namespace {

std::string complaint(const std::string& text) {
  return refusal([&] { JsonDocument(text, "x.json"); });
}

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// "[0,0,...,0]" of about this many bytes.
std::string zeros(std::size_t bytes) {
  std::string text = "[0";
  while (text.size() < bytes)
    text += ",0";
  return text + "]";
}

} // namespace

TEST_CASE("json: values are read as they stand") {
  const JsonDocument document(
      R"({"list": [1, -2, 2147483647], "long": [1, 2147483648], "mixed": [1, "a\u00e4\n", null, 1.5, [], {}],
          "text": "b", "yes": true, "big": 9223372036854775807, "real": -2.5e3, "none": [], "rows": [[1], [2]]})",
      "x.json");
  const JsonField root = document.root();
  CHECK(root.at("list").integers(3, -2, 1LL << 31) == std::vector<int>{1, -2, 2147483647});
  CHECK(root.at("list").elements()[1].integer(-5, 5) == -2);
  CHECK(root.at("list").elements()[1].number(-5, 5) == -2);
  CHECK(root.at("long").elements()[1].integer(0, 1LL << 40) == 1LL << 31);
  CHECK(root.at("mixed").elements()[0].integer(0, 5) == 1);
  CHECK(root.at("mixed").elements()[1].text() == "a\xc3\xa4\n");
  CHECK(root.at("mixed").elements()[3].number(0, 5) == 1.5);
  CHECK(root.at("mixed").elements()[4].elements().empty());
  CHECK(root.at("mixed").elements()[5].is_object());
  CHECK(root.at("text").is_string());
  CHECK(root.at("yes").boolean());
  CHECK(root.at("big").integer(0, INT64_MAX) == INT64_MAX);
  CHECK(root.at("real").number(-1e4, 0) == -2500);
  CHECK(root.at("none").integers(0, 0, 0).empty());
  CHECK(root.at("rows").elements()[1].integers(1, 0, 9) == std::vector<int>{2});
  CHECK(root.has("yes"));
  CHECK_FALSE(root.has("no"));
  CHECK_FALSE(root.at("list").has("yes"));
}

TEST_CASE("json: a wrong value is told with its place and what is there") {
  const JsonDocument document(
      R"({"a": {"b": [1, 300, 3]}, "m": [1, "x"], "r": 1.5, "t": "a\u001b[2J", "n": null, "u": 1e300})",
      "x.json");
  const JsonField root = document.root(), list = root.at("a").at("b");
  const auto refused = [](const auto& work) { return refusal([&] { (void)work(); }); };
  CHECK(refused([&] { return list.integers(3, 0, 9); }) == "x.json: a.b[1]: 300 is outside 0..9");
  CHECK(refused([&] { return list.integers(2, 0, 999); }) == "x.json: a.b: expected 2 integers, got 3");
  CHECK(refused([&] { return list.elements(2); }) == "x.json: a.b: expected at most 2 elements, got 3");
  CHECK(refused([&] { return list.elements()[1].text(); }) == "x.json: a.b[1]: expected a string");
  CHECK(refused([&] { return root.at("m").integers(2, 0, 9); }) ==
        "x.json: m[1]: expected an integer in 0..9, got \"x\"");
  CHECK(refused([&] { return root.at("r").integer(0, 9); }) ==
        "x.json: r: expected an integer in 0..9, got 1.5");
  CHECK(refused([&] { return root.at("n").number(0, 9); }) ==
        "x.json: n: expected a number in 0..9, got null");
  CHECK(refused([&] { return root.at("a").number(0, 9); }) ==
        "x.json: a: expected a number in 0..9, got an object");
  CHECK(refused([&] { return root.at("u").integer(0, 9); }) ==
        "x.json: u: expected an integer in 0..9, got 1.0000000000000001e+300");
  CHECK(refused([&] {
          return root.at("t").choice({"none", "relu"});
        }) == "x.json: t: \"a\\x1b[2J\" is none of \"none\", \"relu\"");
  CHECK(refused([&] { root.check_keys({"a", "m", "r", "t", "n"}); }) == "x.json: unknown field \"u\"");
  CHECK(refused([&] { return root.at("v"); }) == "x.json: \"v\" is missing");
}

TEST_CASE("json: what is no document is refused with line and column") {
  struct Case {
    std::string text, message;
  };
  const Case cases[] = {
      {"{\"a\": 1,}", "line 1, column 9: is no valid JSON: "},
      {"{\n\"a\": 1,\n  b: 2}", "line 3, column 3: is no valid JSON: "},
      {"{\"\xc3\xa4\xc3\xa4\": x}", "line 1, column 8: is no valid JSON: "}, // characters, not bytes
      {"[1, 2", "line 1, column 6: is no valid JSON: it ends too early"},
      {"", "line 1, column 1: is no valid JSON: it ends too early"},
      {"\n ", "line 2, column 2: is no valid JSON: it ends too early"},
      {"{}{}", "line 1, column 3: is no valid JSON: there is more after the end"},
      {"{\"a\": 1}\n  {\"a\": 1}", "line 2, column 3: is no valid JSON: there is more after the end"},
      {"[] x", "line 1, column 4: is no valid JSON: there is more after the end"},
      {"1 2", "line 1, column 3: is no valid JSON: there is more after the end"},
      {"\"\x01\"", "line 1, column 2: is no valid JSON: "},
      {std::string(100, '['), "line 1, column 33: is no valid JSON: too deep"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.text);
    CHECK_THAT(complaint(bad.text), Catch::StartsWith("x.json: " + bad.message));
    CHECK_THAT(refusal([&] { (void)parse_json(bad.text, "x.json"); }),
               Catch::StartsWith("x.json: " + bad.message));
  }
}

TEST_CASE("json: a key that stands twice in an object is named") {
  CHECK(complaint("{\"lut\": 1,\n \"lut\": 2}") ==
        "x.json: line 2, column 6: the key \"lut\" stands there twice");
  CHECK_THAT(complaint("[{\"a\": {\"b\": 1, \"c\": [], \"b\": 1}}]"),
             Catch::EndsWith(": the key \"b\" stands there twice"));
  CHECK_THAT(complaint("{\"a\": 1, \"\\u0061\": 2}"), Catch::EndsWith(": the key \"a\" stands there twice"));
  CHECK(complaint("{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 2}]}") == "accepted");
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) // not in quadratic time
    many += "\"k" + std::to_string(i) + "\": 0,";
  CHECK(complaint(many + "\"last\": 0}") == "accepted");
  CHECK_THAT(complaint(many + "\"k77\": 0}"), Catch::EndsWith(": the key \"k77\" stands there twice"));
}

TEST_CASE("json: a byte order mark is skipped") {
  const JsonDocument document("\xef\xbb\xbf{\"a\": 5}", "x.json");
  CHECK(document.root().at("a").integer(0, 9) == 5);
  CHECK(parse_json("\xef\xbb\xbf{\"a\": 5}", "x.json").at("a") == 5);
  CHECK_THAT(complaint("\xef\xbb\xbf\xef\xbb\xbf{}"), Catch::Contains("is no valid JSON"));
  CHECK_THAT(complaint("\xff\xfe{"), Catch::Contains("is no valid JSON")); // UTF-16
}

TEST_CASE("json: memory is a few times the text's, whatever is in it") {
  const std::size_t bytes = 33'000'000;
  const std::string flat = zeros(bytes);
  const long before = peak_megabytes();
  {
    const JsonDocument document(flat, "x.json");
    CHECK(document.root().is_array());
    CHECK_THAT(refusal([&] { (void)document.root().elements(); }), Catch::Contains("expected at most"));
    CHECK_THAT(refusal([&] { (void)document.root().integers(3, 0, 9); }),
               Catch::Contains("expected 3 integers, got 16500000"));
  }
  std::string empty = "[[]", keys = "{\"a\":0", texts = "[\"\"";
  while (empty.size() < bytes)
    empty += ",[]";
  while (texts.size() < bytes)
    texts += ",\"\"";
  for (int i = 0; keys.size() < bytes; ++i)
    keys += ",\"" + std::to_string(i) + "\":0";
  CHECK_THAT(complaint(empty + "]"), Catch::Contains("holds more than 1000000 values"));
  CHECK_THAT(complaint(texts + "]"), Catch::Contains("holds more than 1000000 values"));
  CHECK_THAT(complaint(keys + "}"), Catch::Contains("holds more than 1000000 values"));
  CHECK_THAT(complaint(flat.substr(0, flat.size() - 1) + ",\"\"]"), Catch::Contains("holds something else"));
  CHECK(peak_megabytes() - before < 600); // of five such texts and what is made of them
}

TEST_CASE("json: names are names of files, options and cells") {
  for (const std::string name : {"s15", "_a", "9-.x", "A"})
    CHECK(name_complaint(name).empty());
  for (const std::string name : {"", ".hid", "-x", "=1+1", "+1", "@x", "a b", "a/b", "..", "a\n", "\x1b[31m",
                                 "\xc3\xa4", "a\"", "a,b"})
    CHECK_THAT(name_complaint(name), Catch::StartsWith("expected 1 to 100 letters, digits"));
  CHECK_FALSE(name_complaint(std::string(101, 'a')).empty());
  CHECK(printable("a\x1b[31m\n\x7f\xc2\x9b\xc3\xa4") == "a\\x1b[31m\\x0a\\x7f\\x9b\xc3\xa4");
}
