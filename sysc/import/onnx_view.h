#pragma once
#include <cstddef>
#include <optional>
#include <vector>

namespace deltatwin {

/// Where the elements of an ONNX tensor lie in memory. ONNX has channels before rows and columns, the maps of
/// a Graph have them last: a transposition or a reshaping moves nothing, it only changes the view.
///
///   View map = View::of_map({1, 16, 8, 8});           // 8 rows of 8 columns of 16 channels
///   map.transposed({0, 2, 3, 1})->is_in_order({0, 1, 2, 3}); // true: that is how they lie
class View {
public:
  /// The part of a dimension whose elements lie at a fixed distance.
  struct Run {
    int size = 1, stride = 1;
  };

  View() = default;
  /// Elements in the order of the dimensions.
  explicit View(const std::vector<int>& dims);
  /// Dimensions {batch, channels, columns} or {batch, channels, rows, columns} that lie as {rows, columns,
  /// channels}.
  [[nodiscard]] static View of_map(const std::vector<int>& dims);

  [[nodiscard]] std::vector<int> dims() const;
  [[nodiscard]] int rank() const { return static_cast<int>(runs_.size()); }
  [[nodiscard]] int size(int dimension) const;
  [[nodiscard]] int elements() const;

  /// Dimension i of the result is `order[i]` of this.
  [[nodiscard]] View transposed(const std::vector<int>& order) const;
  /// None where a new dimension is no run of elements any more.
  [[nodiscard]] std::optional<View> reshaped(const std::vector<int>& dims) const;
  /// All elements lie one behind another when the dimensions named are walked, the last one's the fastest.
  [[nodiscard]] bool is_in_order(const std::vector<int>& dimensions) const;
  /// The place of each element of the dimensions named, the last one's fastest, the others at 0.
  [[nodiscard]] std::vector<int> places(const std::vector<int>& dimensions) const;
  /// Of each element its place, in the order of the dimensions.
  [[nodiscard]] std::vector<int> places() const;

  /// The view of the whole tensor `source` (in order) that lies so that this view of it is in order of the
  /// dimensions named.
  [[nodiscard]] View relaid(const View& source, const std::vector<int>& dimensions) const;

  friend bool operator==(const View& a, const View& b);

private:
  [[nodiscard]] std::vector<Run> listed(const std::vector<int>& dimensions) const;
  std::vector<std::vector<Run>> runs_; ///< of each dimension, the outermost first; none of size 1
};

} // namespace deltatwin
