#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include "base/resources.h"
#include "base/trace.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// The accelerator's 32-bit registers, by byte address. Reads and writes not named answer
/// SLVERR, and so do writes to all but CONTROL while a run is under way or in error.
namespace reg {
inline constexpr std::uint32_t id = 0x00;           ///< RO "DTW1"
inline constexpr std::uint32_t control = 0x04;      ///< WO bit 0 start, bit 1 soft reset
inline constexpr std::uint32_t status = 0x08;       ///< RO [1:0] Status, [15:8] ErrorCode, [23:16] layer
inline constexpr std::uint32_t images = 0x0c;       ///< RW inferences of a run
inline constexpr std::uint32_t cycles_lo = 0x10;    ///< RO running cycles since START
inline constexpr std::uint32_t cycles_hi = 0x14;    ///< RO
inline constexpr std::uint32_t inferences = 0x18;   ///< RO inferences whose last output was taken
inline constexpr std::uint32_t layers = 0x1c;       ///< RW [7:0] layers of the program
inline constexpr std::uint32_t load_address = 0x20; ///< RW [31:28] Memory, [27:20] bank, [19:0] word
inline constexpr std::uint32_t load_high = 0x24;    ///< RW [3:0] bits 35:32 of the words to load
inline constexpr std::uint32_t load_data = 0x28;    ///< WO loads a word, then the word address += 1
inline constexpr std::uint32_t config =
    0x2c; ///< RO [7:0] lanes [11:8] D [15:12] multiplier [16] consecutive [22:17] lanes a bank [23] huffman
          ///< [24] pairs of deltas as symbols
inline constexpr std::uint32_t bank_depth = 0x30;   ///< RO
inline constexpr std::uint32_t buffer_depth = 0x34; ///< RO [15:0] input, [31:16] activations
inline constexpr std::uint32_t table_depth = 0x38;  ///< RO [15:0] parameters, [31:16] references
} // namespace reg

inline constexpr std::uint32_t control_start = 1, control_reset = 2;
enum class Status { idle, running, done, error };
/// With decoders only: code_books holds a code length a word, at layer * 2^D + symbol, or of pairs at
/// layer * 4^D + symbol; streams holds
/// the first and the last word address of a lane's stream in its bank, at 2 * lane and 2 * lane + 1.
enum class Memory { weights, references, parameters, program, code_books, streams };

/// The parameters of the RTL `axi_control`.
struct AxiControlConfig {
  int lanes = 16, lanes_per_bank = 8, delta_bits = 4, multiplier = 0;
  bool consecutive = true, huffman = false;
  int symbol_deltas = 1;
  int bank_depth = 4096, in_depth = 1024, act_depth = 512, ref_depth = 512, param_depth = 512;
  int max_layers = 16; ///< layer descriptors, a power of two

  [[nodiscard]] int banks() const { return (lanes + lanes_per_bank - 1) / lanes_per_bank; }
};

/// What registers read of the run.
struct RunProgress {
  Status status = Status::idle;
  int error = 0, error_layer = 0; ///< shown in status `error`
  Cycle cycles = 0;
  std::uint32_t inferences = 0;
};

/// The registers and the load port, an access at a time.
class AxiControlCore {
public:
  explicit AxiControlCore(const AxiControlConfig& config) : config_(config) {}

  /// What a write does beside the registers.
  enum class Effect { none, start, soft_reset, load };
  struct Write {
    bool okay = true; ///< false: SLVERR, and no effect
    Effect effect = Effect::none;
    Memory memory = Memory::weights; ///< of a load: the word `word` goes to `address` of a bank
    std::uint32_t bank = 0, address = 0;
    std::uint64_t word = 0;
  };
  Write write(std::uint32_t address, std::uint32_t data, unsigned strobes, Status status);

  struct Read {
    std::uint32_t data = 0;
    bool okay = true;
  };
  [[nodiscard]] Read read(std::uint32_t address, const RunProgress& run) const;

  [[nodiscard]] std::uint32_t images() const { return images_; }
  [[nodiscard]] std::uint32_t layers() const { return layers_; }
  void reset() { images_ = layers_ = load_address_ = load_high_ = 0; }

private:
  [[nodiscard]] bool loads(Memory memory, std::uint32_t bank, std::uint32_t address) const;

  AxiControlConfig config_;
  std::uint32_t images_ = 0, layers_ = 0, load_address_ = 0, load_high_ = 0;
};

/// The five channels of AXI4-Lite pins "s_axil_...", AW, W, B, AR, R; beats are outputs of `host` or of
/// `slave`.
[[nodiscard]] std::vector<Interface> axi_lite_interfaces(const std::string& host, const std::string& slave);

/// When the beats of an AXI4-Lite slave are transferred that takes AW and W in any order, one of
/// each ahead of its response, and answers one cycle after the access. Calls come in the order of
/// cycles, of writes and of reads.
class AxiLiteTiming {
public:
  struct Write {
    Cycle aw, w;  ///< the beats
    Cycle access; ///< the cycle in which it happens; B is offered in the next
  };
  /// A write whose beats are offered from these cycles on; then responded() with its B beat.
  Write write(Cycle aw_offered, Cycle w_offered);
  void write_responded(Cycle b) { write_free_ = b + 1; }
  /// The AR beat, and the access, of a read that is offered from this cycle on.
  [[nodiscard]] Cycle read(Cycle offered) const { return offered > read_free_ ? offered : read_free_; }
  void read_responded(Cycle r) { read_free_ = r + 1; }
  /// Clean in cycle `first`: what was not answered is gone.
  void reset(Cycle first) { held_free_ = write_free_ = read_free_ = first; }

private:
  Cycle held_free_ = 0, write_free_ = 0, read_free_ = 0;
};

/// The registers with their names and fields; `errors`: what STATUS's error codes are called.
[[nodiscard]] std::vector<Register> axi_control_registers(std::vector<std::string> errors);

/// What the registers and the load port take.
[[nodiscard]] constexpr Resources axi_control_resources(const AxiControlConfig& config) {
  return {config.huffman ? 260 : 249, 162 - address_bits(config.max_layers)};
}

} // namespace deltatwin
