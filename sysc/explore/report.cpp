#include "explore/report.h"
#include "base/error.h"
#include "base/file.h"
#include "base/paths.h"
#include <filesystem>
#include <stdexcept>

namespace deltatwin {
namespace {

std::string read_chart_library(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw InputError(path +
                     ": no such file; the report draws with Chart.js 3 (Debian package libjs-chart.js)");
  return read_file(path);
}

// JSON that a <script> element can hold: the HTML parser sees neither "</script>" nor "<!--". It is data to
// JSON.parse, not JavaScript, so that U+2028 means nothing special.
std::string in_script(const boost::json::object& data) {
  std::string text;
  for (const char c : boost::json::serialize(data))
    c == '<' ? text += "\\u003c" : text += c;
  return text;
}

// The template before, between and after its placeholders: what replaces one is never searched for the other.
std::string fill(const std::string& page, const std::string& library, const std::string& data) {
  static const std::string first = "@CHART_LIBRARY@", second = "@DATA@";
  const auto a = page.find(first), b = page.find(second);
  if (a == std::string::npos || b == std::string::npos || b < a)
    throw std::logic_error("the report's template lacks its placeholders");
  const auto between = a + first.size(), after = b + second.size();
  return page.substr(0, a) + library + page.substr(between, b - between) + data + page.substr(after);
}

} // namespace

std::string render_report(const boost::json::object& data, const std::string& chart_library) {
  const std::string library =
      read_chart_library(chart_library.empty() ? DELTATWIN_CHART_LIBRARY : chart_library);
  return fill(read_file(source_path("sysc/explore/report.html")), library, in_script(data));
}

} // namespace deltatwin
