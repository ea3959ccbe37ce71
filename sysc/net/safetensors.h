#pragma once
#include "base/json.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Float values with their sizes, the last dimension running fastest.
struct FloatTensor {
  std::vector<int> shape;
  std::vector<float> values;
};

/// A file of named tensors in the safetensors layout: eight bytes that are the little-endian length of a
/// JSON header, the header ({"name": {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}, ...,
/// "__metadata__": {"key": "text"}}), then the data, little-endian. Tensors of other types than F32 may be
/// in the file, but are not read.
class Safetensors {
public:
  /// Throws InputError that names `origin` where the text is no such file.
  Safetensors(std::string text, std::string origin);
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;

  [[nodiscard]] bool has(const std::string& name) const { return header().has(name); }
  /// A tensor of this name and so many dimensions; throws InputError where there is none, where its data are
  /// not all there, and where a value is not finite.
  [[nodiscard]] FloatTensor tensor(const std::string& name, std::size_t dimensions) const;
  /// The text of this key in __metadata__; throws InputError where there is none.
  [[nodiscard]] std::string metadata(const std::string& key) const;
  [[noreturn]] void fail(const std::string& what) const;

private:
  [[nodiscard]] JsonField header() const { return header_.root(); }

  std::string text_, origin_;
  std::size_t data_; ///< where the data begin
  JsonDocument header_;
};

/// The text of such a file, all tensors F32.
[[nodiscard]] std::string safetensors_text(const std::vector<std::pair<std::string, FloatTensor>>& tensors,
                                           const std::vector<std::pair<std::string, std::string>>& metadata);

} // namespace deltatwin
