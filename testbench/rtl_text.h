#pragma once
#include "base/file.h"
#include "base/tool.h"
#include <cctype>
#include <cstdint>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// A module of rtl/ as text: what it says of its constants. Comments are left out.
class RtlText {
public:
  using Variables = std::map<std::string, std::int64_t>;

  explicit RtlText(const std::string& module) {
    std::string line;
    for (const char c : read_file(rtl_directory() + "/" + module + ".sv") + "\n")
      if (c != '\n') {
        line += c;
      } else {
        text_ += line.substr(0, line.find("//")) + "\n";
        line.clear();
      }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

  /// The text of all matches of a pattern's groups, in order.
  [[nodiscard]] std::vector<std::vector<std::string>> all(const std::string& pattern) const {
    std::vector<std::vector<std::string>> found;
    const std::regex regex(pattern);
    for (std::sregex_iterator it(text_.begin(), text_.end(), regex), end; it != end; ++it) {
      found.emplace_back();
      for (std::size_t group = 1; group < it->size(); ++group)
        found.back().push_back((*it)[group]);
    }
    return found;
  }
  /// The constants whose names match, by name.
  [[nodiscard]] Variables constants(const std::string& pattern) const {
    Variables values;
    for (const auto& match : all("\\b(" + pattern + ")\\s*=\\s*(\\d+'[hd][0-9A-Fa-f]+|\\d+)\\s*[,;]"))
      values[match[0]] = evaluate(match[1], {});
    return values;
  }
  /// The module's `localparam int`, evaluated in order, beside the parameters given.
  [[nodiscard]] Variables localparams(Variables variables) const {
    for (const auto& match : all("\n  localparam int (\\w+) = ([^;,\n]*)[;,]?\\s*(?=\n)"))
      variables[match[0]] = evaluate(match[1], variables);
    return variables;
  }

  /// The value of an expression of integers.
  [[nodiscard]] static std::int64_t evaluate(const std::string& expression, const Variables& variables) {
    Parser parser{expression, variables};
    const std::int64_t value = parser.choice();
    if (parser.next() != "")
      throw std::runtime_error("cannot evaluate " + expression);
    return value;
  }

private:
  struct Parser {
    const std::string& text;
    const Variables& variables;
    std::size_t at = 0;

    std::string next() {
      while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])))
        ++at;
      static const std::regex token(R"(\d+'[hd][0-9A-Fa-f]+|\$?\w+|\*\*|&&|\|\||[=!<>]=|[-+*/%<>()?:!])");
      std::smatch match;
      const std::string rest = text.substr(at);
      if (!std::regex_search(rest, match, token, std::regex_constants::match_continuous))
        return "";
      return match[0];
    }
    bool take(const std::string& token) {
      if (next() != token)
        return false;
      at += token.size();
      return true;
    }
    std::int64_t choice() {
      const std::int64_t condition = binary(0);
      if (!take("?"))
        return condition;
      const std::int64_t yes = choice();
      if (!take(":"))
        throw std::runtime_error("expected : in " + text);
      const std::int64_t no = choice();
      return condition ? yes : no;
    }
    std::int64_t binary(std::size_t level) {
      static const std::vector<std::vector<std::string>> levels = {
          {"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}, {"**"}};
      if (level == levels.size())
        return unary();
      std::int64_t value = binary(level + 1);
      for (bool more = true; more;) {
        more = false;
        for (const std::string& operation : levels[level])
          if (take(operation)) {
            value = apply(operation, value, binary(level + 1));
            more = true;
            break;
          }
      }
      return value;
    }
    static std::int64_t apply(const std::string& operation, std::int64_t a, std::int64_t b) {
      if (operation == "**") {
        std::int64_t power = 1;
        for (; b > 0; --b)
          power *= a;
        return power;
      }
      switch (operation[0]) {
      case '|':
        return a || b;
      case '&':
        return a && b;
      case '=':
        return a == b;
      case '!':
        return a != b;
      case '<':
        return operation == "<" ? a < b : a <= b;
      case '>':
        return operation == ">" ? a > b : a >= b;
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return b ? a / b : 0; // X; such a design is refused
      default:
        return a % b;
      }
    }
    std::int64_t unary() {
      if (take("!"))
        return !unary();
      if (take("-"))
        return -unary();
      if (take("(")) {
        const std::int64_t value = choice();
        if (!take(")"))
          throw std::runtime_error("expected ) in " + text);
        return value;
      }
      if (take("$clog2")) {
        const std::int64_t value = unary();
        std::int64_t bits = 0;
        while (bits < 62 && std::int64_t{1} << bits < value)
          ++bits;
        return bits;
      }
      const std::string token = next();
      at += token.size();
      if (const std::size_t quote = token.find('\''); quote != std::string::npos)
        return std::stoll(token.substr(quote + 2), nullptr, token[quote + 1] == 'h' ? 16 : 10);
      if (!token.empty() && std::isdigit(static_cast<unsigned char>(token[0])))
        return std::stoll(token);
      const auto variable = variables.find(token);
      if (variable == variables.end())
        throw std::runtime_error("no value of \"" + token + "\" in " + text);
      return variable->second;
    }
  };

  std::string text_;
};

} // namespace deltatwin
