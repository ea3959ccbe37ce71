#include "net/npy.h"
#include "base/error.h"
#include <cstring>
#include <limits>
#include <regex>

namespace deltatwin {
namespace {

const std::string magic = "\x93NUMPY";

std::uint64_t little_endian(const std::string& text, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;)
    value = value << 8 | static_cast<std::uint8_t>(text[at + i]);
  return value;
}

std::vector<std::uint64_t> parse_shape(const std::string& text, const std::string& origin) {
  static const std::regex number("[0-9]+");
  std::vector<std::uint64_t> shape;
  for (std::sregex_iterator found(text.begin(), text.end(), number), end; found != end; ++found) {
    const std::string digits = found->str();
    if (digits.size() > 10 || shape.size() == 8)
      throw InputError(origin + ": is no .npy file that is read here: its shape is (" + text.substr(0, 100) +
                       ")");
    shape.push_back(std::stoull(digits));
  }
  return shape;
}

} // namespace

std::uint64_t NpyArray::elements() const {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape)
    count = size && count > std::numeric_limits<std::uint64_t>::max() / size
                ? std::numeric_limits<std::uint64_t>::max()
                : count * size;
  return count;
}

std::int64_t NpyArray::integer(std::size_t index) const {
  const std::uint64_t value = little_endian(data, index * bytes, bytes);
  if (kind == Kind::unsigned_integer || bytes == 8)
    return static_cast<std::int64_t>(value);
  const std::uint64_t sign = std::uint64_t{1} << (8 * bytes - 1);
  return static_cast<std::int64_t>((value ^ sign) - sign);
}

double NpyArray::real(std::size_t index) const {
  const std::uint64_t value = little_endian(data, index * bytes, bytes);
  if (bytes == 4) {
    const auto bits = static_cast<std::uint32_t>(value);
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    return static_cast<double>(number);
  }
  double number = 0;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

bool is_npy(const std::string& text) { return text.compare(0, magic.size(), magic) == 0; }

NpyArray parse_npy(const std::string& text, const std::string& origin) {
  const auto fail = [&](const std::string& what) { throw InputError(origin + ": " + what); };
  const std::size_t version_at = magic.size(), length_at = version_at + 2;
  if (!is_npy(text) || text.size() < length_at + 4)
    fail("is no .npy file, or cut");
  const std::size_t length_bytes = text[version_at] == 1 ? 2 : 4, start = length_at + length_bytes;
  const auto length = static_cast<std::size_t>(little_endian(text, length_at, length_bytes));
  if (length > text.size() - start)
    fail("is cut: its header has " + std::to_string(length) + " bytes");
  const std::string header = text.substr(start, length);
  std::smatch descr, order, shape;
  static const std::regex descr_of("'descr': *'([<>=|]?)([iufb])([0-9])'"),
      order_of("'fortran_order': *(True|False)"), shape_of("'shape': *\\(([0-9, L]*)\\)");
  if (header.size() > 10000 || !std::regex_search(header, descr, descr_of) ||
      !std::regex_search(header, order, order_of) || !std::regex_search(header, shape, shape_of))
    fail("is no .npy file of integers or floats");
  NpyArray array;
  array.bytes = static_cast<std::size_t>(descr[3].str()[0] - '0');
  array.kind = descr[2] == "i"   ? NpyArray::Kind::signed_integer
               : descr[2] == "u" ? NpyArray::Kind::unsigned_integer
                                 : NpyArray::Kind::real;
  const bool real = array.kind == NpyArray::Kind::real;
  if (descr[2] == "b" || (array.bytes != 1 && array.bytes != 2 && array.bytes != 4 && array.bytes != 8) ||
      (real && array.bytes < 4) || (descr[1] == ">" && array.bytes > 1))
    fail("has numbers of type " + descr[1].str() + descr[2].str() + descr[3].str() +
         "; little-endian integers, float32 and float64 are possible");
  if (order[1] == "True")
    fail("is in Fortran's order; numpy.ascontiguousarray() makes it C's");
  array.shape = parse_shape(shape[1], origin);
  const std::size_t data = start + length;
  if (array.elements() > text.size() || array.elements() * array.bytes != text.size() - data)
    fail("is cut: its shape (" + shape[1].str() + ") does not go with its " +
         std::to_string(text.size() - data) + " bytes of data");
  array.data = text.substr(data);
  return array;
}

std::string npy_text(const NpyArray& array) {
  std::string shape;
  for (const std::uint64_t size : array.shape)
    shape += std::to_string(size) + ", ";
  const char* const kind = array.kind == NpyArray::Kind::signed_integer     ? "i"
                           : array.kind == NpyArray::Kind::unsigned_integer ? "u"
                                                                            : "f";
  std::string header = std::string("{'descr': '") + (array.bytes == 1 ? "|" : "<") + kind +
                       std::to_string(array.bytes) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const std::size_t before = magic.size() + 4;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' '); // the data are aligned
  header += '\n';
  std::string text = magic;
  text += '\x01';
  text += '\0';
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  return text + header + array.data;
}

} // namespace deltatwin
