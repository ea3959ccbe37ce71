#pragma once
#include "base/trace.h"
#include "blocks/huffman_bank.h"
#include "blocks/issue_walker.h"
#include "tops/accelerator/decoded_program.h"
#include "tops/accelerator/design.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Positions in AcceleratorTop::interfaces(); weight bank b is at bank0 + b, and behind the banks,
/// with decoders, the words that lane l's decoder takes are at bank0 + banks + l.
namespace port {
enum : std::size_t { aw, w, b, ar, r, s_axis, m_axis, slot, mac, ref, sum, act, bank0 };
}

/// Records the beats of a run's streams and interior, if somebody wants them.
class Recorder {
public:
  explicit Recorder(const Design& design);

  /// Where beats go; null: nowhere.
  void record(BeatTrace* trace) { trace_ = trace; }
  [[nodiscard]] bool records() const { return trace_; }

  /// A run begins, with these words of each lane's coded stream; the decoders are clean in `cycle`.
  void start(std::vector<std::vector<std::uint64_t>> lane_words, Cycle clean);
  void input(Cycle cycle, std::uint8_t value, bool last, std::uint32_t image, std::size_t element);
  /// The blocks that follow are of this inference.
  void begin_image(const DecodedProgram& program, std::uint32_t image,
                   const std::vector<std::int8_t>& inputs);
  void block(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block,
             Cycle stop);
  void output(Cycle cycle, std::int16_t value, bool last, int layer, int element, Cycle origin);
  /// The words that decoders take, as far as all is known that can prevent it.
  void fetches(Cycle stop);

  /// A run that errs in `cycle` has nothing of what later slots cause, and fetches nothing more.
  void error(Cycle cycle);
  /// Nothing is left of what comes after a soft reset in `cycle`.
  void reset(Cycle cycle);

  template <class Archive> void archive(Archive& bytes) { bytes(decoders_, image_); }

private:
  void issue(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block);
  void decode(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block,
              Cycle stop);
  void drain(const DecodedProgram& program, const WriteBackTiming& timing, const IssuedBlock& block);
  [[nodiscard]] BeatContext context(const IssuedBlock& block, int element) const {
    return {static_cast<int>(image_), block.layer, block.tile, element};
  }

  Design design_;
  BeatTrace* trace_ = nullptr;
  BankDecoders decoders_;
  std::uint32_t image_ = 0;
  std::vector<std::vector<std::int8_t>> activations_; ///< of the inference: of each layer, and the results
  std::vector<std::vector<std::int32_t>> sums_;       ///< of each layer
};

} // namespace deltatwin
