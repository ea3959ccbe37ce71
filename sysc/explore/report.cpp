#include "explore/report.h"
#include "base/error.h"
#include "base/file.h"
#include "explore/page.h"
#include <filesystem>

namespace deltatwin {
namespace {

std::string read_chart_library(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw InputError(path +
                     ": no such file; the report draws with Chart.js 3 (Debian package libjs-chart.js)");
  return read_file(path);
}

} // namespace

std::string render_report(const boost::json::object& data, const std::string& chart_library) {
  const std::string library =
      read_chart_library(chart_library.empty() ? DELTATWIN_CHART_LIBRARY : chart_library);
  return fill_page("report.html", {{"@CHART_LIBRARY@", library}, {"@DATA@", in_script(data)}});
}

} // namespace deltatwin
