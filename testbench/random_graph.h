#pragma once
#include "net/graph.h"
#include "random_work.h"
#include <vector>

namespace deltatwin {

/// What random_graph() may make of a graph.
struct RandomGraphLimits {
  int nodes = 6;          ///< at most; at least one
  int size = 12;          ///< rows and columns of the input, at most
  int channels = 20;      ///< of a map, at most
  int kernel = 7;         ///< of convolutions and pools, but for global ones
  int stride = 4;         ///< at most
  bool int8 = false;      ///< all tensors are 8 signed bits and weights int8; else 1 to 16 bits and -255..255
  bool pools = true;      ///< with pools
  bool groups = true;     ///< with grouped and depthwise convolutions
  bool depthwise = false; ///< more of the convolutions are depthwise
  bool reshapes = true;   ///< with reshapes and rescales
  bool dense = false;     ///< with dense nodes of deltas, at the end
  bool every_rule = true; ///< half_up, tflite and half_even; else half_up alone
  bool thresholds = false; ///< with thresholds, too
  bool precision = false;  ///< tensors of 1 to 8 bits, some of them -1 or 1, and weights of few bits;
                           ///< thresholds that are one step, or 2^n apart
  bool shifts = false;     ///< every scale is 1 / 2^n
  int most_bits = 8;       ///< with precision: of a tensor
  int weight_bits = 0;     ///< of weights, signed; 0: of any number
  bool maxima = true;      ///< among pools those of maxima
};

/// A valid graph of random layers, shapes, formats, weights and skips, whose results are seldom clamped and
/// often ties. Every tensor but the output is read.
[[nodiscard]] Graph random_graph(RandomWork& random, const RandomGraphLimits& limits = {});

/// `count` inputs one behind another: random, or at both ends.
[[nodiscard]] std::vector<int> random_inputs(RandomWork& random, const Graph& graph, int count);

} // namespace deltatwin
