#include "base/text.h"
#include <charconv>
#include <cstdio>

namespace deltatwin {

std::string name_complaint(const std::string& name) {
  const std::string first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  const bool is_name = !name.empty() && name.size() <= 100 && first.find(name[0]) != std::string::npos &&
                       name.find_first_not_of(first + "-.") == std::string::npos;
  return is_name ? ""
                 : "expected 1 to 100 letters, digits, _, - and ., not beginning with - or ., got \"" +
                       printable(name).substr(0, 100) + "\"";
}

std::string shortest(double number) {
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, number, std::chars_format::fixed).ptr};
}

std::string printable(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0u;
    const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0; // U+0080 to U+009F in UTF-8
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      result += text[at];
      continue;
    }
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", c1 ? next : byte);
    result += code;
    at += c1;
  }
  return result;
}

} // namespace deltatwin
