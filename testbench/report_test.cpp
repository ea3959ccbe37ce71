// The report is one page: it needs nothing else, holds the data whole, and no name gets out of its place.
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "explore/report.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>

using namespace deltatwin;
namespace json = boost::json;

namespace {

json::object design(int id, const std::string& network) {
  return {{"id", id},
          {"network", network},
          {"code", "raw"},
          {"device", "d"},
          {"lanes", 48},
          {"lanes_per_bank", 16},
          {"bank_depth", 4096},
          {"multiplier", "lut"},
          {"clock_mhz", 100},
          {"accuracy", nullptr},
          {"bits_a_weight", 2.0},
          {"cycles", 2900},
          {"latency_us", 35.1},
          {"throughput", 4.5e9},
          {"inferences_per_second", 34000},
          {"lut", 6500},
          {"ff", 3000},
          {"dsp", 3},
          {"bram36", 9.5},
          {"share", 0.95},
          {"command", "deltatwin simulate --network " + network}};
}

json::object exploration(const std::string& name) {
  return {{"title", name},
          {"space", {{"networks", {name}}, {name, 1}}},
          {"objectives", {"throughput", "share"}},
          {"points", 3},
          {"feasible", 2},
          {"rejected", {{name, 1}}},
          {"devices", {{{"name", "d"}, {"lut", 8000}, {"ff", 16000}, {"dsp", 20}, {"bram36", 10}}}},
          {"columns",
           {{{"key", "network"},
             {"head", name},
             {"unit", ""},
             {"choice", true},
             {"series", true},
             {"high", false},
             {"scale", 1},
             {"digits", 0}}}},
          {"networks",
           {{{"name", name},
             {"accuracy", nullptr},
             {"macs", 130144},
             {"weights", 130144},
             {"stored_bits", 260312}}}},
          {"front", {design(1, name)}},
          {"front_size", 1},
          {"cloud", {design(2, name)}},
          {"confirmed", json::array()}};
}

const std::string data_begin = "<script type=\"application/json\" id=\"data\">";

// What the browser takes for the data: all up to the next end of a script.
std::string data_text(const std::string& page) {
  const auto begin = page.find(data_begin) + data_begin.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++n;
  return n;
}

// The page with a chart library of one byte: what is left is the template's own and the data.
std::string own_page(const json::object& data) {
  const TemporaryDirectory directory("report");
  write_file(directory.path() + "/chart.js", ";");
  return render_report(data, directory.path() + "/chart.js");
}

} // namespace

TEST_CASE("a report refers to nothing outside itself") {
  const std::string page = own_page(exploration("s15"));
  for (const char* reference :
       {"http:", "https:", "//cdn", " src=", "<link", "@import", "url(", "import(", "fetch("})
    CHECK(count(page, reference) == 0);
  CHECK(count(page, "default-src 'none'") == 1); // and the browser holds it to that
  const std::string whole = render_report(exploration("s15"));
  CHECK(whole.size() > page.size() + 100'000);
  CHECK(count(whole, "Chart.js v3") == 1);
  CHECK(count(whole, "<script") == count(page, "<script")); // the library does not end its element
  CHECK(count(whole, "</script") == count(page, "</script"));
}

TEST_CASE("a report holds its data whole") {
  const json::object data = exploration("s15");
  CHECK(parse_json(data_text(render_report(data)), "report") == json::value(data));
}

TEST_CASE("no name gets out of its place in a report") {
  const std::string plain = own_page(exploration("s15"));
  for (const std::string name :
       {"</script><b>", "</SCRIPT >", "<!--<script>", "]]>", "\xe2\x80\xa8\xe2\x80\xa9", "\"'\\\n&lt;",
        "@DATA@", "@CHART_LIBRARY@", "$&$1"}) {
    CAPTURE(name);
    const json::object data = exploration(name);
    const std::string page = own_page(data);
    CHECK(data_text(page).find('<') == std::string::npos);
    CHECK(parse_json(data_text(page), "report") == json::value(data));
    CHECK(count(page, "<") == count(plain, "<"));
  }
}

TEST_CASE("a missing chart library is named with its package") {
  CHECK_THROWS_AS(render_report(exploration("s15"), "/nowhere/chart.min.js"), InputError);
  CHECK_THROWS_WITH(render_report(exploration("s15"), "/nowhere/chart.min.js"),
                    Catch::Contains("/nowhere/chart.min.js: no such file") &&
                        Catch::Contains("libjs-chart.js"));
}
