#include "explore/page.h"
#include "base/file.h"
#include "base/paths.h"
#include <stdexcept>

namespace deltatwin {

std::string fill_page(const std::string& file,
                      const std::vector<std::pair<std::string, std::string>>& texts) {
  const std::string page = read_file(source_path("sysc/explore/" + file));
  std::string filled;
  std::size_t from = 0;
  const auto fill = [&](const std::string& placeholder, const std::string& text) {
    const std::size_t at = page.find(placeholder, from);
    if (at == std::string::npos)
      throw std::logic_error(file + " lacks " + placeholder);
    filled += page.substr(from, at - from) + text;
    from = at + placeholder.size();
  };
  fill("@STYLE@", read_file(source_path("sysc/explore/report.css")));
  for (const auto& [placeholder, text] : texts)
    fill(placeholder, text);
  return filled + page.substr(from);
}

// The HTML parser sees neither "</script>" nor "<!--". It is data to JSON.parse, not JavaScript, so that
// U+2028 means nothing special.
std::string in_script(const boost::json::object& data) {
  std::string text;
  for (const char c : boost::json::serialize(data))
    c == '<' ? text += "\\u003c" : text += c;
  return text;
}

std::string in_html(const std::string& text) {
  std::string result;
  for (const char c : text)
    switch (c) {
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '&':
      result += "&amp;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += c;
    }
  return result;
}

} // namespace deltatwin
