#pragma once
#include "import/import.h"
#include "import/onnx_values.h"
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// A node as messages name it, with access to its attributes.
class OnnxContext {
public:
  OnnxContext(const OnnxNode& node, std::size_t index, const std::string& origin)
      : node_(&node), index_(index), origin_(&origin) {}

  [[nodiscard]] const OnnxNode& node() const { return *node_; }
  [[nodiscard]] std::size_t index() const { return index_; } ///< in the file's order
  [[nodiscard]] std::string name() const;
  [[noreturn]] void fail(const std::string& what) const;

  [[nodiscard]] bool has(const std::string& attribute) const {
    return node_->attributes.count(attribute) > 0;
  }
  [[nodiscard]] std::int64_t integer(const std::string& attribute, std::int64_t otherwise) const;
  [[nodiscard]] float real(const std::string& attribute, float otherwise) const;
  [[nodiscard]] std::string text(const std::string& attribute, const std::string& otherwise) const;
  /// Within `low`..`high` each, as many as `count`; `otherwise` each where it is left out.
  [[nodiscard]] std::vector<int> integers(const std::string& attribute, std::size_t count, int otherwise,
                                          int low, int high) const;
  [[nodiscard]] std::vector<std::int64_t> list(const std::string& attribute) const;

private:
  const OnnxNode* node_;
  std::size_t index_;
  const std::string* origin_;
};

/// Thrown where the input would have to lie in another order: that of these dimensions of this view.
struct OnnxRelayout {
  View view;
  std::vector<int> dimensions;
};

/// Thrown where the input has a batch of more than one.
struct OnnxBatched {};

/// The graph under construction.
class OnnxBuilder {
public:
  explicit OnnxBuilder(std::string origin) : origin_(std::move(origin)), builder_("ONNX") {}

  std::size_t add_tensor(const std::string& name, std::vector<int> shape, const Format& format, float scale);
  /// A tensor whose zero point is that of another one, whatever that will be.
  std::size_t add_alike(const std::string& name, std::vector<int> shape, std::size_t other);
  void add_node(const std::string& name, std::vector<std::size_t> inputs, std::size_t output,
                decltype(Node::op) op, NodeReport report);

  /// An integer input's zero point is known when its first reader tells it.
  void leave_open(std::size_t tensor) { zero_points_[cells_[tensor]].reset(); }
  void settle(const OnnxContext& context, std::size_t tensor, int zero_point);

  /// The same elements with this shape: the tensor itself, or a Reshape of it.
  std::size_t shaped(std::size_t tensor, const std::vector<int>& shape);
  /// The tensor of a map whose dimensions {batch, channels, (rows,) columns} lie as {rows, columns,
  /// channels}.
  std::size_t map(const OnnxContext& context, const OnnxOperand& operand);
  /// Throws OnnxRelayout, or InputError, unless the dimensions lie in that order.
  void require_order(const OnnxContext& context, const OnnxOperand& operand,
                     const std::vector<int>& dimensions);

  /// The tensor of sums that are quantized so.
  std::size_t quantize(const OnnxContext& context, const OnnxSums& sums, float scale, int zero_point,
                       OnnxType type);
  std::size_t quantize(const OnnxContext& context, const OnnxSums& sums, const OnnxTarget& target);
  /// The tensor of sums that nothing quantizes, 16 bits wide: integers, or reals of one scale, whose steps
  /// are left to the host.
  std::size_t sixteen_bits(const OnnxContext& context, const OnnxSums& sums);
  /// The tensor of reals that are but clamped, with the scale and zero point that they had.
  std::size_t clamp(const OnnxContext& context, const OnnxSums& sums, float scale, int zero_point);
  /// Clamps a tensor's integers further where they are made, if it is the last node that makes them by a
  /// scale; false: it is not.
  bool narrow(std::size_t tensor, int low, int high);
  std::size_t max_pool(const std::string& name, const std::string& source, std::size_t tensor,
                       const Window& window);

  /// The input, which nothing reads yet, as integers with another zero point.
  void refold_input(int zero_point, float scale);
  [[nodiscard]] bool is_read(std::size_t tensor) const;
  /// How the host makes integers of the input, where a scale and a zero point do not tell it.
  void set_input_note(const std::string& text) { input_note_ = text; }
  [[nodiscard]] const std::string& input_note() const { return input_note_; }

  /// No other integers are in the tensor.
  void limit(std::size_t tensor, int low, int high) { reach_[tensor] = {low, high}; }
  [[nodiscard]] std::pair<int, int> reach(std::size_t tensor) const { return reach_[tensor]; }
  [[nodiscard]] const Tensor& tensor(std::size_t index) const { return builder_.tensor(index); }
  [[nodiscard]] Graph& graph() { return builder_.graph(); }
  [[nodiscard]] const std::string& origin() const { return origin_; }
  void note(const std::string& text) { builder_.note(text); }

  /// With all zero points; checked.
  Import finish();

private:
  struct Quantized; // what `quantize` shares with its parts
  std::size_t emit(const OnnxContext& context, const OnnxSums& sums, std::size_t output,
                   Requantization requantization);
  std::size_t quantize(const Quantized& to, const OnnxSums& sums);
  void fit(const Quantized& to, const OnnxSums& sums, Requantization& requantization, OnnxSums& biased);
  bool scale(const Quantized& to, const OnnxSums& sums, Requantization& requantization, OnnxSums& biased);
  void count(const Quantized& to, const OnnxSums& sums, Requantization& requantization);
  void fit(const Quantized& to, const OnnxSums& sums, Add& add);
  bool fit_whole(const Quantized& to, const OnnxSums& sums, Add& add);
  void widen(const Quantized& to, OnnxSums& sums);
  std::pair<std::int64_t, std::int64_t> addend(const OnnxSums& sums, std::size_t input) const;

  std::string origin_, input_note_;
  std::uint64_t weights_ = 0; ///< of all nodes
  GraphBuilder builder_;
  std::vector<std::size_t> cells_;              ///< of each tensor, in ...
  std::vector<std::optional<int>> zero_points_; ///< ... which those with equal zero points share one
  std::vector<std::pair<int, int>> reach_;      ///< of each tensor's integers
  std::set<std::size_t> like_input_ = {0};      ///< tensors whose elements lie as the input's
  std::map<std::pair<std::size_t, std::vector<int>>, std::size_t> shaped_;
  NodeReport report_; ///< of the node that is next
};

[[nodiscard]] bool is_signed_byte(OnnxType type);
/// View::of_map of a result; throws where it has more elements than a tensor may.
[[nodiscard]] View result_map(const OnnxContext& context, const std::vector<int>& dims);
/// Throws unless it is int8 or uint8.
void require_bytes(const OnnxContext& context, OnnxType type, const char* what);

} // namespace deltatwin
