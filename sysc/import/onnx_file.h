#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace deltatwin {

/// Types of elements, with the numbers that ONNX gives them; other numbers are types that nothing here reads.
enum class OnnxType {
  none = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  boolean = 9,
  float64 = 11,
  uint32 = 12
};
[[nodiscard]] std::string to_string(OnnxType type);
/// Of an element; 0: a type that nothing here reads.
[[nodiscard]] std::size_t bytes_of(OnnxType type);

/// A constant: its elements one behind another, the last dimension's fastest.
struct OnnxTensor {
  std::string name;
  OnnxType type = OnnxType::none;
  std::vector<std::int64_t> dims; ///< none: a scalar
  std::string bytes;              ///< of the elements, little-endian; empty also where the type is not read

  [[nodiscard]] std::size_t elements() const;
  [[nodiscard]] bool is_integer() const { return type != OnnxType::float32 && type != OnnxType::float64; }
  [[nodiscard]] std::int64_t integer(std::size_t at) const;
  [[nodiscard]] double real(std::size_t at) const;

  [[nodiscard]] static OnnxTensor integers(OnnxType type, std::vector<std::int64_t> dims,
                                           const std::vector<std::int64_t>& values);
  [[nodiscard]] static OnnxTensor reals(std::vector<std::int64_t> dims, const std::vector<float>& values);
};

struct OnnxAttribute {
  enum class Kind { other = 0, real = 1, integer = 2, text = 3, tensor = 4, reals = 6, integers = 7 };
  Kind kind = Kind::other;
  float real = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
  OnnxTensor tensor;
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs; ///< empty: left out
  std::map<std::string, OnnxAttribute> attributes;
};

/// What the graph takes or gives.
struct OnnxValue {
  std::string name;
  OnnxType type = OnnxType::none; ///< none: not told
  bool has_shape = false;
  std::vector<std::int64_t> dims; ///< 0: not fixed
};

struct OnnxModel {
  std::string producer;
  std::map<std::string, std::int64_t> opsets; ///< of each domain
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxTensor> initializers;
  std::map<std::string, std::string> datatypes; ///< of values, where FINN tells: "UINT8", "BIPOLAR"
  std::vector<OnnxValue> inputs, outputs;       ///< inputs: without those that have an initializer
};

/// Reads an ONNX file: a protocol buffer, by its wire format alone. Throws InputError that names `origin`
/// where the bytes are none, are cut off, or hold more than any network for these devices has; memory stays
/// within a few times the file's size.
[[nodiscard]] OnnxModel read_onnx(const std::string& bytes, const std::string& origin);

} // namespace deltatwin
