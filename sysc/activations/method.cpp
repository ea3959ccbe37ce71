#include "activations/method.h"
#include "base/error.h"
#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace deltatwin {
namespace {

struct Named {
  const char* name;
  Method method;
};

std::vector<Named> named_methods() {
  Method direct;
  Method edqa = direct;
  edqa.quantization.extra = 3;
  edqa.quantization.ratio = 0.4;
  edqa.storage = {Coded::errors, Books::batch, 1};
  Method plain = direct;
  plain.quantization.is_signed = false;
  plain.quantization.dynamic = false;
  plain.quantization.fit = Fit::least_squares;
  Method power = direct;
  power.quantization.family = Family::power;
  Method noisy = direct;
  noisy.quantization.family = Family::noisy_bias;
  Method real = direct;
  real.quantization.family = Family::real;
  return {{"float", real},     {"direct", direct}, {"edqa", edqa},
          {"unsigned", plain}, {"pot", power},     {"noisyquant", noisy}};
}

// One word "key=value" of a method.
struct Key {
  const char* name;
  std::vector<Family> families;
  std::function<bool(Method&, const std::string&)> set; ///< false: no such value
  std::function<std::string(const Method&)> get;
  const char* values;
};

bool to_int(const std::string& text, int low, int high, int& value) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high)
    return false;
  value = number;
  return true;
}

bool to_ratio(const std::string& text, double& value) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= 0 && number <= 1))
    return false;
  value = number;
  return true;
}

std::string ratio_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr};
}

template <class Value>
bool to_word(const std::string& text, const std::vector<std::pair<const char*, Value>>& words, Value& value) {
  for (const auto& [word, meaning] : words)
    if (text == word) {
      value = meaning;
      return true;
    }
  return false;
}

template <class Value>
std::string word_of(Value value, const std::vector<std::pair<const char*, Value>>& words) {
  for (const auto& [word, meaning] : words)
    if (meaning == value)
      return word;
  return "";
}

// A key whose values are words.
template <class Value, class Member>
Key word_key(const char* name, std::vector<Family> families, std::vector<std::pair<const char*, Value>> words,
             Member member, const char* values) {
  return {name, std::move(families),
          [words, member](Method& m, const std::string& text) { return to_word(text, words, member(m)); },
          [words, member](const Method& m) { return word_of(member(const_cast<Method&>(m)), words); },
          values};
}

template <class Member>
Key int_key(const char* name, std::vector<Family> families, int low, int high, Member member,
            const char* values) {
  return {name, std::move(families),
          [=](Method& m, const std::string& text) { return to_int(text, low, high, member(m)); },
          [=](const Method& m) { return std::to_string(member(const_cast<Method&>(m))); }, values};
}

std::vector<Key> keys() {
  const std::vector<Family> uniform = {Family::uniform}, noisy = {Family::noisy_bias},
                            all = {Family::uniform, Family::power, Family::noisy_bias};
  return {
      int_key(
          "n", all, 1, 8, [](Method& m) -> int& { return m.quantization.bits; },
          "N, bits of a stored value, 1..8 (signed: 2..8)"),
      int_key(
          "m", uniform, 0, 4, [](Method& m) -> int& { return m.quantization.extra; },
          "extra bits of important channels, 0..4"),
      {"r", uniform, [](Method& m, const std::string& text) { return to_ratio(text, m.quantization.ratio); },
       [](const Method& m) { return ratio_text(m.quantization.ratio); },
       "share of a layer's channels that are important, 0..1"},
      word_key<Ranking>(
          "rank", uniform,
          {{"greedy", Ranking::greedy}, {"energy", Ranking::energy}, {"random", Ranking::random}},
          [](Method& m) -> Ranking& { return m.quantization.ranking; },
          "greedy (Algorithm 3), energy (of the error, in one pass) or random"),
      word_key<bool>(
          "sign", uniform, {{"yes", true}, {"no", false}},
          [](Method& m) -> bool& { return m.quantization.is_signed; }, "yes or no"),
      word_key<Per>(
          "per", uniform, {{"layer", Per::layer}, {"channel", Per::channel}, {"image", Per::channel_image}},
          [](Method& m) -> Per& { return m.quantization.per; },
          "what has a scale: layer, channel or image (channel and image)"),
      word_key<bool>(
          "scale", uniform, {{"dynamic", true}, {"static", false}},
          [](Method& m) -> bool& { return m.quantization.dynamic; },
          "dynamic (over a batch of 128 images, or each image) or static (by calibration images)"),
      word_key<Fit>(
          "fit", uniform, {{"max", Fit::maximum}, {"lse", Fit::least_squares}},
          [](Method& m) -> Fit& { return m.quantization.fit; },
          "max or lse (the scale of least squared error)"),
      word_key<bool>(
          "reading", {Family::power}, {{"text", false}, {"released", true}},
          [](Method& m) -> bool& { return m.quantization.normalized; },
          "of pot: text (no normalization) or released (by the layer's maximum)"),
      word_key<bool>(
          "search", noisy, {{"offline", false}, {"online", true}},
          [](Method& m) -> bool& { return m.quantization.online; },
          "of noisyquant: offline (once, on calibration images) or online (every batch)"),
      int_key(
          "steps", noisy, 2, 1000, [](Method& m) -> int& { return m.quantization.steps; },
          "of noisyquant: scales, and offsets, that are tried, 2..1000"),
      word_key<Coded>(
          "code", uniform, {{"none", Coded::nothing}, {"errors", Coded::errors}, {"whole", Coded::whole}},
          [](Method& m) -> Coded& { return m.storage.coded; },
          "what is Huffman-coded: none, errors (se alone) or whole (the value)"),
      word_key<Books>(
          "book", uniform,
          {{"layer", Books::layer},
           {"channel", Books::channel},
           {"batch", Books::batch},
           {"image", Books::image}},
          [](Method& m) -> Books& { return m.storage.books; },
          "a static book a layer or channel, or a dynamic one a channel and batch or image"),
      int_key(
          "contexts", uniform, 1, 8, [](Method& m) -> int& { return m.storage.contexts; },
          "with code=whole: 1, 2, 4 or 8 books, chosen by the value above"),
  };
}

bool is_for(const Key& key, Family family) {
  return std::find(key.families.begin(), key.families.end(), family) != key.families.end();
}

void check(const Method& method, const std::string& text) {
  const auto fail = [&](const std::string& what) { throw InputError("method \"" + text + "\": " + what); };
  const Quantization& q = method.quantization;
  if (q.family != Family::uniform) {
    if (q.family != Family::real && q.bits < 2)
      fail("n is 1, expected 2 or more");
    return;
  }
  if (q.is_signed && q.bits < 2)
    fail("n is 1, expected 2 or more with a sign");
  if (q.value_bits(true) > 8)
    fail("n + m is " + std::to_string(q.value_bits(true)) + ", expected 8 or less");
  if (q.extra > q.bits)
    fail("m is " + std::to_string(q.extra) + ", expected n or less");
  if (q.per == Per::channel_image && !q.dynamic)
    fail("per=image has no static scale");
  const int contexts = method.storage.contexts;
  if (contexts & (contexts - 1))
    fail("contexts is " + std::to_string(contexts) + ", expected 1, 2, 4 or 8");
  if (contexts > 1 && method.storage.coded != Coded::whole)
    fail("contexts has a meaning with code=whole only");
}

} // namespace

bool operator==(const Quantization& a, const Quantization& b) {
  return a.family == b.family && a.bits == b.bits && a.extra == b.extra && a.ratio == b.ratio &&
         a.ranking == b.ranking && a.is_signed == b.is_signed && a.per == b.per && a.dynamic == b.dynamic &&
         a.fit == b.fit && a.normalized == b.normalized && a.online == b.online && a.steps == b.steps;
}

bool operator==(const Storage& a, const Storage& b) {
  return a.coded == b.coded && a.books == b.books && a.contexts == b.contexts;
}

Method parse_method(const std::string& text) {
  const auto fail = [&](const std::string& what) { throw InputError("method \"" + text + "\": " + what); };
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const std::vector<Named> named = named_methods();
  const auto base =
      std::find_if(named.begin(), named.end(), [&](const Named& each) { return name == each.name; });
  if (base == named.end())
    fail("unknown name \"" + name + "\", expected float, direct, edqa, unsigned, pot or noisyquant");
  Method method = base->method;
  for (std::size_t at = colon; at < text.size();) {
    const std::size_t next = std::min(text.find(',', at + 1), text.size());
    const std::string word = text.substr(at + 1, next - at - 1);
    at = next;
    const std::size_t equals = word.find('=');
    const std::string key_name = word.substr(0, equals);
    const std::vector<Key> all = keys();
    const auto key = std::find_if(all.begin(), all.end(), [&](const Key& each) {
      return key_name == each.name && is_for(each, method.quantization.family);
    });
    if (key == all.end() || equals == std::string::npos) {
      std::string known;
      for (const Key& each : all)
        if (is_for(each, method.quantization.family))
          known += (known.empty() ? "" : ", ") + std::string(each.name) + "=";
      fail("\"" + word + "\" is unknown" + (known.empty() ? "" : ", expected " + known));
    }
    if (!key->set(method, word.substr(equals + 1)))
      fail("\"" + word + "\", expected " + key->values);
  }
  check(method, text);
  return method;
}

std::string to_string(const Method& method) {
  const Quantization& q = method.quantization;
  std::string name = q.extra > 0 ? "edqa" : q.is_signed ? "direct" : "unsigned";
  if (q.family != Family::uniform)
    name = q.family == Family::real ? "float" : q.family == Family::power ? "pot" : "noisyquant";
  const std::vector<Named> named = named_methods();
  const auto base =
      std::find_if(named.begin(), named.end(), [&](const Named& each) { return name == each.name; });
  std::string text = name;
  for (const Key& key : keys()) {
    if (!is_for(key, q.family))
      continue;
    const std::string value = key.get(method);
    if (std::string(key.name) == "n" || value != key.get(base->method))
      text += (text == name ? ":" : ",") + std::string(key.name) + "=" + value;
  }
  return text;
}

std::string to_string(const Quantization& quantization) {
  Method method = {quantization, {}};
  const std::string name = to_string(method);
  method.storage = parse_method(name.substr(0, name.find(':'))).storage; // as the name says: no word
  return to_string(method);
}

std::string word(const Method& method, const std::string& key) {
  for (const Key& each : keys())
    if (key == each.name && is_for(each, method.quantization.family))
      return each.get(method);
  return "";
}

std::string method_help() {
  std::string text =
      "A method is NAME or NAME:KEY=VALUE,KEY=VALUE; names are float, direct, edqa, unsigned, pot, "
      "noisyquant.\n";
  for (const Key& key : keys())
    text += "  " + std::string(key.name) + "=  " + key.values + "\n";
  return text;
}

} // namespace deltatwin
