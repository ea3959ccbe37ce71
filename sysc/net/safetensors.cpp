#include "net/safetensors.h"
#include "base/error.h"
#include <boost/json.hpp>
#include <cmath>
#include <cstring>

namespace deltatwin {
namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t most_header = std::uint64_t{64} << 20;

std::uint64_t little_endian(const std::string& text, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(text[at + i])} << (8 * i);
  return value;
}

void append_little_endian(std::string& text, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> (8 * i));
}

// Where the data begin; throws where the file cannot even have a header.
std::size_t data_start(const std::string& text, const std::string& origin) {
  if (text.size() < length_bytes + 2)
    throw InputError(origin + ": is no safetensors file: it has " + std::to_string(text.size()) +
                     " bytes, a header alone needs more");
  const std::uint64_t length = little_endian(text, 0, length_bytes);
  if (text[length_bytes] != '{')
    throw InputError(origin + ": is no safetensors file: no JSON header begins at byte 8");
  if (length > most_header || length_bytes + length > text.size())
    throw InputError(origin + ": is cut or no safetensors file: a header of " + std::to_string(length) +
                     " bytes is announced, the file has " + std::to_string(text.size()));
  return length_bytes + static_cast<std::size_t>(length);
}

float to_float(std::uint32_t bits) {
  float value = 0;
  static_assert(sizeof value == sizeof bits);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t to_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

} // namespace

Safetensors::Safetensors(std::string text, std::string origin)
    : text_(std::move(text)), origin_(std::move(origin)), data_(data_start(text_, origin_)),
      header_(text_.substr(length_bytes, data_ - length_bytes), origin_ + " (header)") {
  if (!header().is_object())
    fail("the header is no JSON object");
}

void Safetensors::fail(const std::string& what) const { throw InputError(origin_ + ": " + what); }

FloatTensor Safetensors::tensor(const std::string& name, std::size_t dimensions) const {
  if (!has(name))
    fail("the tensor \"" + name + "\" is missing");
  const JsonField entry = header().at(name);
  const std::string type = entry.at("dtype").text();
  if (type != "F32")
    fail("the tensor \"" + name + "\" is of type " + type + ", expected F32");
  FloatTensor result;
  std::uint64_t count = 1;
  for (const JsonField& size : entry.at("shape").elements(dimensions)) {
    result.shape.push_back(static_cast<int>(size.integer(1, 1 << 24)));
    count *= static_cast<std::uint64_t>(result.shape.back());
    if (count > text_.size())
      fail("the tensor \"" + name + "\" is larger than the file");
  }
  if (result.shape.size() != dimensions)
    fail("the tensor \"" + name + "\" has " + std::to_string(result.shape.size()) + " dimensions, expected " +
         std::to_string(dimensions));
  const auto offsets = entry.at("data_offsets").elements(2);
  if (offsets.size() != 2)
    fail("the tensor \"" + name + "\" has no two data_offsets");
  const auto last = static_cast<std::int64_t>(text_.size() - data_);
  const std::int64_t begin = offsets[0].integer(0, std::int64_t{1} << 53),
                     end = offsets[1].integer(0, std::int64_t{1} << 53);
  if (begin > end || static_cast<std::uint64_t>(end - begin) != 4 * count)
    fail("the tensor \"" + name + "\" has " + std::to_string(count) +
         " values of 4 bytes, its data_offsets " + "span " + std::to_string(end - begin) + " bytes");
  if (end > last)
    fail("is cut: the data of tensor \"" + name + "\" end at byte " + std::to_string(end) +
         " of the data, there are " + std::to_string(last));
  result.values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t at = data_ + static_cast<std::size_t>(begin) + 4 * i;
    const float value = to_float(static_cast<std::uint32_t>(little_endian(text_, at, 4)));
    if (!std::isfinite(value))
      fail("the tensor \"" + name + "\" holds a value that is not finite");
    result.values.push_back(value);
  }
  return result;
}

std::string Safetensors::metadata(const std::string& key) const {
  if (!header().has("__metadata__") || !header().at("__metadata__").has(key))
    fail("__metadata__ has no entry \"" + key + "\"");
  return header().at("__metadata__").at(key).text();
}

std::string safetensors_text(const std::vector<std::pair<std::string, FloatTensor>>& tensors,
                             const std::vector<std::pair<std::string, std::string>>& metadata) {
  boost::json::object header, texts;
  for (const auto& [key, value] : metadata)
    texts[key] = value;
  header["__metadata__"] = std::move(texts);
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t end = at + 4 * tensor.values.size();
    header[name] = {{"dtype", "F32"},
                    {"shape", boost::json::array(tensor.shape.begin(), tensor.shape.end())},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string json = boost::json::serialize(header);
  json.resize((json.size() + 7) / 8 * 8, ' '); // the data are aligned
  std::string text;
  text.reserve(length_bytes + json.size() + at);
  append_little_endian(text, json.size(), length_bytes);
  text += json;
  for (const auto& [name, tensor] : tensors)
    for (const float value : tensor.values)
      append_little_endian(text, to_bits(value), 4);
  return text;
}

} // namespace deltatwin
