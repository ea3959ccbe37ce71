#pragma once
// Writes TensorFlow Lite models for the tests, as FlatBuffers: tables in front of what they refer to.
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// A value of a FlatBuffers file.
class FlatItem {
public:
  using Fields = std::map<int, FlatItem>;

  template <class Number> static FlatItem scalar(Number value) {
    FlatItem item(Kind::scalar);
    item.append(&value, sizeof value);
    return item;
  }
  template <class Number> static FlatItem numbers(const std::vector<Number>& values) {
    FlatItem item(Kind::vector);
    item.count_ = values.size();
    item.append(values.data(), sizeof(Number) * values.size());
    return item;
  }
  static FlatItem text(const std::string& text) {
    FlatItem item(Kind::vector);
    item.count_ = text.size();
    item.bytes_ = text;
    item.bytes_ += '\0';
    return item;
  }
  static FlatItem table(Fields fields) {
    FlatItem item(Kind::table);
    for (auto& [field, value] : fields)
      item.children_.emplace_back(field, std::move(value));
    return item;
  }
  static FlatItem tables(std::vector<FlatItem> items) {
    FlatItem item(Kind::tables);
    for (FlatItem& each : items)
      item.children_.emplace_back(0, std::move(each));
    return item;
  }

  /// The file whose root this table is.
  [[nodiscard]] std::string file(const std::string& identifier) const {
    std::string out(4, '\0');
    out += identifier;
    patch(out, 0, write(out));
    return out;
  }

private:
  enum class Kind { scalar, vector, table, tables };
  explicit FlatItem(Kind kind) : kind_(kind) {}

  void append(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  static void put(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i)
      out += i < sizeof value ? static_cast<char>(value >> (8 * i)) : '\0';
  }
  static void patch(std::string& out, std::size_t at, std::size_t target) {
    for (std::size_t i = 0; i < 4; ++i)
      out[at + i] = static_cast<char>((target - at) >> (8 * i));
  }
  static void align(std::string& out) { out.resize((out.size() + 7) / 8 * 8, '\0'); }

  // Appends it and returns its place.
  std::size_t write(std::string& out) const {
    align(out);
    if (kind_ == Kind::vector) {
      const std::size_t at = out.size();
      put(out, count_, 4);
      out += bytes_;
      return at;
    }
    return kind_ == Kind::tables ? write_tables(out) : write_table(out);
  }
  std::size_t write_tables(std::string& out) const {
    const std::size_t at = out.size();
    put(out, children_.size(), 4);
    put(out, 0, 4 * children_.size());
    for (std::size_t i = 0; i < children_.size(); ++i)
      patch(out, at + 4 + 4 * i, children_[i].second.write(out));
    return at;
  }
  std::size_t write_table(std::string& out) const {
    const std::size_t fields = children_.empty() ? 0 : static_cast<std::size_t>(children_.back().first) + 1;
    const std::size_t vtable = out.size();
    std::vector<std::size_t> offsets(fields);
    std::size_t size = 4;
    for (const auto& [field, item] : children_) {
      offsets[static_cast<std::size_t>(field)] = size;
      size += item.kind_ == Kind::scalar ? item.bytes_.size() : 4;
    }
    put(out, 4 + 2 * fields, 2);
    put(out, size, 2);
    for (const std::size_t offset : offsets)
      put(out, offset, 2);
    align(out);
    const std::size_t at = out.size();
    put(out, at - vtable, 4);
    for (const auto& [field, item] : children_) {
      if (item.kind_ == Kind::scalar)
        out += item.bytes_;
      else
        put(out, 0, 4);
    }
    for (const auto& [field, item] : children_)
      if (item.kind_ != Kind::scalar) {
        const std::size_t place = at + offsets[static_cast<std::size_t>(field)];
        patch(out, place, item.write(out));
      }
    return at;
  }

  Kind kind_;
  std::size_t count_ = 0;
  std::string bytes_;
  std::vector<std::pair<int, FlatItem>> children_;
};

/// A model of one graph.
class TfliteWriter {
public:
  struct Tensor {
    std::string name;
    std::vector<std::int32_t> shape;
    int type = 9; ///< of the schema: 0 float32, 2 int32, 3 uint8, 9 int8
    std::vector<float> scales;
    std::vector<std::int64_t> zero_points;
    std::string data;
    int dimension = 0; ///< that has a scale each
  };

  /// Index of the new tensor.
  int add(const Tensor& tensor) {
    std::uint32_t buffer = 0;
    if (!tensor.data.empty()) {
      buffer = static_cast<std::uint32_t>(buffers_.size());
      buffers_.push_back(FlatItem::table({{0, FlatItem::numbers(bytes(tensor.data))}}));
    }
    FlatItem::Fields quantization;
    if (!tensor.scales.empty())
      quantization = {{2, FlatItem::numbers(tensor.scales)},
                      {3, FlatItem::numbers(tensor.zero_points)},
                      {6, FlatItem::scalar(std::int32_t{tensor.dimension})}};
    tensors_.push_back(FlatItem::table({{0, FlatItem::numbers(tensor.shape)},
                                        {1, FlatItem::scalar(static_cast<std::int8_t>(tensor.type))},
                                        {2, FlatItem::scalar(buffer)},
                                        {3, FlatItem::text(tensor.name)},
                                        {4, FlatItem::table(std::move(quantization))}}));
    return static_cast<int>(tensors_.size()) - 1;
  }
  void node(int code, const std::vector<std::int32_t>& inputs, const std::vector<std::int32_t>& outputs,
            FlatItem::Fields options) {
    const auto opcode = static_cast<std::uint32_t>(codes_.size());
    codes_.push_back(
        FlatItem::table({{0, FlatItem::scalar(static_cast<std::int8_t>(code < 127 ? code : 127))},
                         {1, FlatItem::text(custom)},
                         {3, FlatItem::scalar(std::int32_t{code})}}));
    nodes_.push_back(FlatItem::table({{0, FlatItem::scalar(opcode)},
                                      {1, FlatItem::numbers(inputs)},
                                      {2, FlatItem::numbers(outputs)},
                                      {4, FlatItem::table(std::move(options))}}));
  }
  [[nodiscard]] std::string file(const std::vector<std::int32_t>& inputs,
                                 const std::vector<std::int32_t>& outputs) {
    const FlatItem graph = FlatItem::table({{0, FlatItem::tables(tensors_)},
                                            {1, FlatItem::numbers(inputs)},
                                            {2, FlatItem::numbers(outputs)},
                                            {3, FlatItem::tables(nodes_)}});
    return FlatItem::table({{0, FlatItem::scalar(version)},
                            {1, FlatItem::tables(codes_)},
                            {2, FlatItem::tables(std::vector<FlatItem>(graphs, graph))},
                            {4, FlatItem::tables(buffers_)}})
        .file("TFL3");
  }

  std::uint32_t version = 3;
  std::size_t graphs = 1;
  std::string custom;

private:
  static std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

  std::vector<FlatItem> buffers_{FlatItem::table({})}, tensors_, codes_, nodes_;
};

} // namespace deltatwin
