#include "base/error.h"
#include "train/graph_plan.h"
#include <cctype>

namespace deltatwin {
namespace {

constexpr int most_channels = 4096, largest_kernel = 31;
constexpr std::size_t most_elements = 200;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ")
    if (std::isspace(static_cast<unsigned char>(c))) {
      if (!word.empty())
        words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  return words;
}

// A whole number of up to five digits; -1: it is none.
int number_of(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  return std::stoi(text);
}

class ElementParser {
public:
  explicit ElementParser(const std::string& text) : text_(text) {
    element_.text = text;
    const auto colon = text.find(':');
    words_ = words_of(text.substr(0, colon));
    if (colon != std::string::npos)
      element_.precision = parse_precision(trimmed(text.substr(colon + 1)), place());
  }
  GraphElement parse() {
    const std::string kind = words_.empty() ? "" : words_[0];
    if (kind == "conv")
      convolution();
    else if (kind == "block")
      block();
    else if (kind == "maxpool")
      max_pool();
    else if (kind == "average")
      average();
    else if (kind == "dense")
      dense();
    else
      fail("expected conv, block, maxpool, average or dense");
    return element_;
  }

private:
  [[nodiscard]] std::string place() const { return "--graph: \"" + text_ + "\""; }
  [[noreturn]] void fail(const std::string& what) const { throw InputError(place() + ": " + what); }

  [[nodiscard]] int number(const std::string& text, int low, int high, const std::string& what) const {
    const int value = number_of(text);
    if (value < low || value > high)
      fail("\"" + text + "\", expected " + what + ", " + std::to_string(low) + " to " + std::to_string(high));
    return value;
  }
  void count(std::size_t least, std::size_t most, const std::string& form) const {
    if (words_.size() < least || words_.size() > most)
      fail("expected " + form);
  }
  // The part behind a slash, 1 without one; `text` loses it.
  int take_stride(std::string& text) const {
    const auto slash = text.find('/');
    if (slash == std::string::npos)
      return 1;
    const int stride = number(text.substr(slash + 1), 1, 8, "a stride");
    text.resize(slash);
    return stride;
  }
  void convolution() {
    count(3, 4, "conv OUTPUTS ROWSxCOLUMNS[/STRIDE] [valid|same]");
    element_.kind = GraphElement::Kind::convolution;
    element_.outputs = number(words_[1], 1, most_channels, "output channels");
    std::string kernel = words_[2];
    element_.stride = take_stride(kernel);
    const auto cross = kernel.find('x');
    if (cross == std::string::npos)
      fail("\"" + words_[2] + "\", expected a kernel as in 3x3 or 3x3/2");
    element_.rows = number(kernel.substr(0, cross), 1, largest_kernel, "rows of a kernel");
    element_.columns = number(kernel.substr(cross + 1), 1, largest_kernel, "columns of a kernel");
    if (words_.size() == 4 && words_[3] != "valid" && words_[3] != "same")
      fail("\"" + words_[3] + "\", expected valid or same");
    element_.same = words_.size() < 4 || words_[3] == "same";
    if (element_.same && (element_.rows % 2 == 0 || element_.rows != element_.columns))
      fail("a kernel that is not square, or of an even size, has no padding that keeps the map's size; "
           "expected valid behind it");
  }
  void block() {
    count(2, 2, "block OUTPUTS[/STRIDE]");
    element_.kind = GraphElement::Kind::block;
    std::string outputs = words_[1];
    element_.stride = take_stride(outputs);
    element_.outputs = number(outputs, 1, most_channels, "output channels");
    element_.rows = element_.columns = 3;
  }
  void max_pool() {
    count(2, 2, "maxpool SIZE");
    element_.kind = GraphElement::Kind::max_pool;
    element_.rows = element_.columns = element_.stride = number(words_[1], 2, largest_kernel, "a size");
    if (element_.precision.weights || element_.precision.activation_bits)
      fail("a maxpool has the precision of what it reads");
  }
  void average() {
    count(1, 1, "average alone");
    element_.kind = GraphElement::Kind::average;
    if (element_.precision.weights)
      fail("an average has no weights");
    if (element_.precision.activation_bits == 1)
      fail("an average of 1 bit says nothing");
  }
  void dense() {
    count(2, 2, "dense OUTPUTS");
    element_.kind = GraphElement::Kind::dense;
    element_.outputs = number(words_[1], 1, most_channels, "outputs");
    element_.same = false;
  }

  std::string text_;
  std::vector<std::string> words_;
  GraphElement element_;
};

} // namespace

LayerPrecision parse_precision(const std::string& text, const std::string& place) {
  LayerPrecision result;
  std::size_t at = 0;
  const auto bad = [&] {
    throw InputError(place + ": \"" + text +
                     "\" is no precision; expected w2 to w8, d2 to d8 or b1 for weights, then or alone a1 to "
                     "a8 for activations: d4a4");
  };
  while (at < text.size()) {
    const char kind = text[at];
    const int bits =
        at + 1 < text.size() && text[at + 1] >= '1' && text[at + 1] <= '8' ? text[at + 1] - '0' : 0;
    const bool is_activation = kind == 'a';
    if (bits == 0 || (is_activation && result.activation_bits) ||
        (!is_activation && (result.weights || result.activation_bits)))
      bad();
    if (is_activation)
      result.activation_bits = bits;
    else if (kind == 'b' && bits == 1)
      result.weights = WeightFormat{WeightFormat::Kind::binary, 1};
    else if ((kind == 'w' || kind == 'd') && bits > 1)
      result.weights =
          WeightFormat{kind == 'w' ? WeightFormat::Kind::narrow : WeightFormat::Kind::delta, bits};
    else
      bad();
    at += 2;
  }
  if (text.empty())
    bad();
  return result;
}

std::string to_text(const WeightFormat& format) {
  return (format.kind == WeightFormat::Kind::narrow  ? "w"
          : format.kind == WeightFormat::Kind::delta ? "d"
                                                     : "b") +
         std::to_string(format.bits);
}

std::vector<GraphElement> parse_graph_elements(const std::string& text) {
  std::vector<GraphElement> elements;
  std::string part;
  bool comment = false;
  const auto end_part = [&] {
    part = trimmed(part);
    if (!part.empty())
      elements.push_back(ElementParser(part).parse());
    part.clear();
  };
  for (const char c : text + "\n") {
    if (c == '\n' || (c == ',' && !comment)) {
      end_part();
      comment = comment && c != '\n';
    } else if (c == '#') {
      comment = true;
    } else if (!comment) {
      part += c;
    }
  }
  if (elements.empty())
    throw InputError("--graph: has no element; expected for example \"conv 16 3x3, average, dense 10\"");
  if (elements.size() > most_elements)
    throw InputError("--graph: has " + std::to_string(elements.size()) + " elements, expected at most " +
                     std::to_string(most_elements));
  return elements;
}

} // namespace deltatwin
