#pragma once
#include "base/resources.h"
#include "blocks/delta_mac.h"

namespace deltatwin {

/// The parameters of the RTL `scheduler`.
struct SchedulerConfig {
  int lanes = 16;
  DeltaMacTiming mac;      ///< what it issues to
  bool consecutive = true; ///< the lanes can take consecutive deltas
  bool huffman = false;    ///< the weight banks hold Huffman-coded streams
  int symbol_bits = 4;     ///< with Huffman: of the code books whose builds it waits for
  int symbol_depth = 0;    ///< with Huffman: symbols that all layers' books may have together; 0: any number
  int bank_depth = 4096;   ///< words of a weight bank
  int in_depth = 1024;     ///< elements in a half of the input buffer, a power of two
  int act_depth = 512;     ///< elements in a half of the activation buffer, a power of two
  int ref_depth = 512;     ///< references
  int param_depth = 512;   ///< requantizer parameters
  int max_layers = 16;     ///< layer descriptors, a power of two up to 16
  int out_depth = 32;      ///< words of the output FIFO
};

/// What the scheduler takes.
[[nodiscard]] Resources scheduler_resources(const SchedulerConfig& config);

} // namespace deltatwin
