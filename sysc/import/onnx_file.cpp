#include "import/onnx_file.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <cstring>
#include <string_view>

namespace deltatwin {
namespace {

// More than these no network has that fits a small FPGA; they bound what a hostile file can cost.
constexpr std::size_t most_nodes = 20'000, most_tensors = 20'000, most_values = 1'000, most_names = 64;
constexpr std::size_t most_parts = 200'000; ///< inputs, outputs and attributes of all nodes
constexpr std::size_t most_elements = std::size_t{1} << 24, most_wide_elements = std::size_t{1} << 20;
constexpr std::size_t most_listed = std::size_t{1} << 20; ///< elements of all attributes that are lists
constexpr std::size_t most_dimensions = 8;

/// One message of a protocol buffer, field by field.
class Message {
public:
  Message(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(&origin) {}

  /// Goes on to the next field; false at the end.
  bool next() {
    if (at_ == bytes_.size())
      return false;
    const std::uint64_t key = take_varint();
    field_ = key >> 3;
    const auto type = static_cast<int>(key & 7);
    if (field_ == 0 || field_ > (1u << 29) - 1)
      fail("it holds a field that no protocol buffer has");
    length_delimited_ = type == 2;
    if (type == 0)
      number_ = take_varint();
    else if (type == 1)
      value_ = take(8);
    else if (type == 2)
      value_ = take(take_varint());
    else if (type == 5)
      value_ = take(4);
    else
      fail("it holds a field that no protocol buffer has");
    type_ = type;
    return true;
  }
  [[nodiscard]] std::uint64_t field() const { return field_; }

  [[nodiscard]] std::int64_t integer() const {
    expect(0);
    return static_cast<std::int64_t>(number_);
  }
  [[nodiscard]] std::string_view bytes() const {
    expect(2);
    return value_;
  }
  [[nodiscard]] std::string text() const { return std::string(bytes()); }
  [[nodiscard]] float real() const {
    expect(5);
    float value = 0;
    std::memcpy(&value, value_.data(), sizeof value);
    return value;
  }
  [[nodiscard]] Message message() const { return {bytes(), *origin_}; }

  /// Of a repeated number, packed or not: append(value) for each.
  template <class Append> void integers(Append append) const {
    if (!length_delimited_)
      return append(integer());
    Message packed = message();
    while (packed.at_ < packed.bytes_.size())
      append(static_cast<std::int64_t>(packed.take_varint()));
  }
  /// Of a repeated number of fixed width: its bytes.
  [[nodiscard]] std::string_view fixed(int width_type) const {
    if (!length_delimited_)
      expect(width_type);
    else if (value_.size() % (width_type == 5 ? 4 : 8) != 0)
      fail("a list of numbers ends within one");
    return value_;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(*origin_ + ": this is no whole ONNX file: " + what);
  }

private:
  void expect(int type) const {
    if (type_ != type)
      fail("field " + std::to_string(field_) + " is of another type than ONNX gives it");
  }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      fail("it is cut off, " + std::to_string(count - (bytes_.size() - at_)) + " bytes are missing");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128)
        return value;
    }
    fail("it holds a number of more than 64 bits");
  }

  std::string_view bytes_;
  const std::string* origin_;
  std::size_t at_ = 0;
  std::uint64_t field_ = 0, number_ = 0;
  int type_ = 0;
  bool length_delimited_ = false;
  std::string_view value_;
};

class Reader {
public:
  explicit Reader(const std::string& origin) : origin_(origin) {}

  OnnxModel model(const std::string& bytes) {
    OnnxModel model;
    Message message(bytes, origin_);
    bool has_graph = false;
    while (message.next())
      switch (message.field()) {
      case 2:
        model.producer = message.text().substr(0, 100);
        break;
      case 7:
        if (has_graph)
          message.fail("it holds two graphs");
        has_graph = true;
        graph(message.message(), model);
        break;
      case 8:
        opset(message.message(), model);
        break;
      case 25:
        throw InputError(origin_ + ": it defines functions of its own; inline them (onnx.inliner) first");
      default:
        break;
      }
    if (!has_graph)
      message.fail("it holds no graph");
    model.inputs.erase(
        std::remove_if(model.inputs.begin(), model.inputs.end(),
                       [&](const OnnxValue& input) { return model.initializers.count(input.name) > 0; }),
        model.inputs.end());
    return model;
  }

private:
  void at_most(std::size_t count, std::size_t most, const char* what) const {
    if (count >= most)
      throw InputError(origin_ + ": it has more than " + std::to_string(most) + " " + what);
  }

  void opset(Message message, OnnxModel& model) const {
    std::string domain;
    std::int64_t version = 0;
    while (message.next())
      if (message.field() == 1)
        domain = message.text();
      else if (message.field() == 2)
        version = message.integer();
    at_most(model.opsets.size(), most_names, "operator sets");
    model.opsets[domain == "ai.onnx" ? "" : domain] = version;
  }

  void graph(Message message, OnnxModel& model) {
    while (message.next())
      switch (message.field()) {
      case 1:
        at_most(model.nodes.size(), most_nodes, "nodes");
        model.nodes.push_back(node(message.message()));
        break;
      case 5: {
        at_most(model.initializers.size(), most_tensors, "constants");
        OnnxTensor constant = tensor(message.message());
        std::string name = constant.name;
        if (!model.initializers.emplace(name, std::move(constant)).second)
          throw InputError(origin_ + ": constant \"" + printable(name) + "\" stands there twice");
        break;
      }
      case 11:
        at_most(model.inputs.size(), most_tensors, "inputs");
        model.inputs.push_back(value(message.message()));
        break;
      case 12:
        at_most(model.outputs.size(), most_values, "outputs");
        model.outputs.push_back(value(message.message()));
        break;
      case 14:
        annotation(message.message(), model);
        break;
      case 15:
        throw InputError(origin_ + ": it has sparse constants; store them densely");
      default:
        break;
      }
  }

  // Of a value: what FINN notes of its integers.
  void annotation(Message message, OnnxModel& model) const {
    std::string name, datatype;
    while (message.next())
      if (message.field() == 1) {
        name = message.text();
      } else if (message.field() == 2) {
        Message entry = message.message();
        std::string key, value;
        while (entry.next())
          if (entry.field() == 1)
            key = entry.text();
          else if (entry.field() == 2)
            value = entry.text();
        if (key == "finn_datatype")
          datatype = value.substr(0, 20);
      }
    at_most(model.datatypes.size(), most_tensors, "annotations");
    if (!datatype.empty())
      model.datatypes[name] = datatype;
  }

  OnnxNode node(Message message) {
    OnnxNode node;
    while (message.next())
      switch (message.field()) {
      case 1:
        at_most(parts_++, most_parts, "inputs, outputs and attributes of nodes");
        node.inputs.push_back(message.text());
        break;
      case 2:
        at_most(parts_++, most_parts, "inputs, outputs and attributes of nodes");
        node.outputs.push_back(message.text());
        break;
      case 3:
        node.name = message.text();
        break;
      case 4:
        node.op = message.text();
        break;
      case 5:
        at_most(parts_++, most_parts, "inputs, outputs and attributes of nodes");
        attribute(message.message(), node);
        break;
      case 7:
        node.domain = message.text();
        break;
      default:
        break;
      }
    if (node.domain == "ai.onnx")
      node.domain.clear();
    return node;
  }

  void attribute(Message message, OnnxNode& node) {
    OnnxAttribute attribute;
    std::string name;
    while (message.next())
      switch (message.field()) {
      case 1:
        name = message.text();
        break;
      case 2:
        attribute.real = message.real();
        break;
      case 3:
        attribute.integer = message.integer();
        break;
      case 4:
        attribute.text = message.text();
        break;
      case 5:
        attribute.tensor = tensor(message.message());
        break;
      case 7: {
        const std::string_view list = message.fixed(5);
        attribute.reals.resize(attribute.reals.size() + list.size() / 4);
        at_most(listed_ += list.size() / 4, most_listed, "numbers in attributes");
        std::memcpy(attribute.reals.data() + attribute.reals.size() - list.size() / 4, list.data(),
                    list.size());
        break;
      }
      case 8:
        message.integers([&](std::int64_t number) {
          at_most(listed_++, most_listed, "numbers in attributes");
          attribute.integers.push_back(number);
        });
        break;
      case 20: {
        const std::int64_t kind = message.integer();
        const bool known = (kind >= 1 && kind <= 4) || kind == 6 || kind == 7;
        attribute.kind = known ? static_cast<OnnxAttribute::Kind>(kind) : OnnxAttribute::Kind::other;
        break;
      }
      default:
        break;
      }
    node.attributes[name] = std::move(attribute);
  }

  OnnxTensor tensor(Message message) const {
    OnnxTensor tensor;
    std::string raw;
    std::vector<std::int64_t> numbers;
    bool elsewhere = false;
    const auto number = [&](std::int64_t value) {
      at_most(numbers.size(), most_elements, "elements in one constant");
      numbers.push_back(value);
    };
    std::vector<Message> lists;
    while (message.next())
      switch (message.field()) {
      case 1:
        message.integers([&](std::int64_t size) {
          at_most(tensor.dims.size(), most_dimensions, "dimensions of one constant");
          tensor.dims.push_back(size);
        });
        break;
      case 2: {
        const std::int64_t type = message.integer();
        tensor.type = type > 0 && type < 1000 ? static_cast<OnnxType>(type) : OnnxType::none;
        break;
      }
      case 4:
        raw.append(message.fixed(5));
        break;
      case 5:
      case 7:
        message.integers(number);
        break;
      case 8:
        tensor.name = message.text();
        break;
      case 9:
        raw = message.text();
        break;
      case 10:
        raw.append(message.fixed(1));
        break;
      case 13:
        elsewhere = true;
        break;
      case 14:
        elsewhere = elsewhere || message.integer() == 1;
        break;
      default:
        break;
      }
    const std::string at = origin_ + ": constant \"" + printable(tensor.name) + "\"";
    if (elsewhere)
      throw InputError(at + " lies in another file; save the model with all data in one");
    std::uint64_t count = 1;
    for (const std::int64_t size : tensor.dims) {
      if (size < 0 || size > static_cast<std::int64_t>(most_elements) ||
          (count *= static_cast<std::uint64_t>(size)) > most_elements)
        throw InputError(at + " has more than " + std::to_string(most_elements) + " elements");
    }
    const std::size_t width = bytes_of(tensor.type);
    if (width == 0)
      return tensor; // whoever reads it refuses its type
    if (width == 8 && count > most_wide_elements)
      throw InputError(at + " has more than " + std::to_string(most_wide_elements) + " elements of 64 bits");
    if (!numbers.empty() && tensor.is_integer()) {
      raw.resize(numbers.size() * width);
      for (std::size_t i = 0; i < numbers.size(); ++i)
        std::memcpy(raw.data() + i * width, &numbers[i], width);
    }
    if (raw.size() != count * width)
      throw InputError(at + " has " + std::to_string(raw.size() / width) + " elements, its dimensions tell " +
                       std::to_string(count));
    tensor.bytes = std::move(raw);
    return tensor;
  }

  OnnxValue value(Message message) const {
    OnnxValue value;
    while (message.next())
      if (message.field() == 1) {
        value.name = message.text();
      } else if (message.field() == 2) {
        Message type = message.message();
        while (type.next())
          if (type.field() == 1)
            tensor_type(type.message(), value);
      }
    return value;
  }

  void tensor_type(Message message, OnnxValue& value) const {
    while (message.next())
      if (message.field() == 1) {
        const std::int64_t type = message.integer();
        value.type = type > 0 && type < 1000 ? static_cast<OnnxType>(type) : OnnxType::none;
      } else if (message.field() == 2) {
        value.has_shape = true;
        Message shape = message.message();
        while (shape.next())
          if (shape.field() == 1)
            dimension(shape.message(), value);
      }
  }

  void dimension(Message message, OnnxValue& value) const {
    at_most(value.dims.size(), most_dimensions, "dimensions of an input or output");
    value.dims.push_back(0);
    while (message.next())
      if (message.field() == 1)
        value.dims.back() = std::clamp<std::int64_t>(message.integer(), 0, std::int64_t{1} << 40);
  }

  const std::string& origin_;
  std::size_t listed_ = 0, parts_ = 0;
};

template <class T> T element(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at * sizeof value, sizeof value);
  return value;
}

} // namespace

std::string to_string(OnnxType type) {
  static const char* const names[] = {"no type", "float",  "uint8",     "int8",       "uint16",  "int16",
                                      "int32",   "int64",  "string",    "bool",       "float16", "double",
                                      "uint32",  "uint64", "complex64", "complex128", "bfloat16"};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(names) ? names[index] : "type " + std::to_string(index);
}

std::size_t bytes_of(OnnxType type) {
  switch (type) {
  case OnnxType::uint8:
  case OnnxType::int8:
  case OnnxType::boolean:
    return 1;
  case OnnxType::uint16:
  case OnnxType::int16:
    return 2;
  case OnnxType::float32:
  case OnnxType::int32:
  case OnnxType::uint32:
    return 4;
  case OnnxType::int64:
  case OnnxType::float64:
    return 8;
  default:
    return 0;
  }
}

std::size_t OnnxTensor::elements() const {
  std::size_t count = 1;
  for (const std::int64_t size : dims)
    count *= static_cast<std::size_t>(size);
  return count;
}

std::int64_t OnnxTensor::integer(std::size_t at) const {
  switch (type) {
  case OnnxType::uint8:
  case OnnxType::boolean:
    return element<std::uint8_t>(bytes, at);
  case OnnxType::int8:
    return element<std::int8_t>(bytes, at);
  case OnnxType::uint16:
    return element<std::uint16_t>(bytes, at);
  case OnnxType::int16:
    return element<std::int16_t>(bytes, at);
  case OnnxType::int32:
    return element<std::int32_t>(bytes, at);
  case OnnxType::uint32:
    return element<std::uint32_t>(bytes, at);
  default:
    return element<std::int64_t>(bytes, at);
  }
}

double OnnxTensor::real(std::size_t at) const {
  return type == OnnxType::float32   ? double{element<float>(bytes, at)}
         : type == OnnxType::float64 ? element<double>(bytes, at)
                                     : static_cast<double>(integer(at));
}

OnnxTensor OnnxTensor::integers(OnnxType type, std::vector<std::int64_t> dims,
                                const std::vector<std::int64_t>& values) {
  OnnxTensor tensor;
  tensor.type = type;
  tensor.dims = std::move(dims);
  const std::size_t width = bytes_of(type);
  tensor.bytes.resize(values.size() * width);
  for (std::size_t i = 0; i < values.size(); ++i)
    std::memcpy(tensor.bytes.data() + i * width, &values[i], width);
  return tensor;
}

OnnxTensor OnnxTensor::reals(std::vector<std::int64_t> dims, const std::vector<float>& values) {
  OnnxTensor tensor;
  tensor.type = OnnxType::float32;
  tensor.dims = std::move(dims);
  tensor.bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return tensor;
}

OnnxModel read_onnx(const std::string& bytes, const std::string& origin) {
  return Reader(origin).model(bytes);
}

} // namespace deltatwin
