#pragma once
#include "base/cycle.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Bits of an RTL signal (a port, or a public net of the top).
struct Field {
  Field(std::string name, int bits = 1, int low = 0) : signal(std::move(name)), width(bits), lsb(low) {}
  Field(const char* name, int bits = 1, int low = 0) : signal(name), width(bits), lsb(low) {}

  std::string signal;
  int width;
  int lsb; ///< where in the signal
};

/// An interface of a block: a beat happens in a cycle in which all strobes are high (valid, and
/// ready where there is one); its payload is the fields, the first one in the lowest bits.
struct Interface {
  std::string block; ///< whose outputs (or, of a port of the top, whose side) its beats are
  std::string name;
  std::vector<Field> strobes; ///< one bit each
  std::vector<Field> fields;  ///< at most 64 bits together
};

/// Where in the work a beat belongs, for reports; -1 where it has no meaning.
struct BeatContext {
  int image = -1, layer = -1, tile = -1, element = -1;
};

struct Beat {
  Cycle cycle = 0;
  std::uint64_t payload = 0;
  BeatContext context;
  Cycle origin = 0; ///< the scheduler's slot that caused it
};

/// The beats of a block's interfaces, produced on demand by the same functions that compute the
/// model's results and timing. Indexed like the block's list of interfaces.
struct BeatTrace {
  std::vector<std::vector<Beat>> beats;

  /// Cycles of resets from within: outputs that were offered and not taken may be gone in the next.
  std::vector<Cycle> resets;

  explicit BeatTrace(std::size_t interfaces) : beats(interfaces) {}
  void add(std::size_t interface, const Beat& beat) { beats[interface].push_back(beat); }
  /// Forgets, from interface `first` on, what was computed ahead of an event that prevents it.
  void drop_cycles_after(Cycle cycle, std::size_t first);
  /// Takes away what is from `cycle` on.
  [[nodiscard]] BeatTrace split_off(Cycle cycle);
  /// drop_cycles_after(), of a reset from within.
  void reset_after(Cycle cycle, std::size_t first);
  void drop_origins_after(Cycle cycle, std::size_t first);
};

/// What is known of the work in a cycle, as a signal for people beside the beats in waves: a name, or a
/// number. It keeps its value until the next change.
struct WaveNote {
  struct Change {
    Cycle cycle;
    std::uint64_t number;
    std::string text;
  };
  std::string signal;
  int width = 0;               ///< of numbers, in bits; 0: it is a text
  std::vector<Change> changes; ///< by cycle
};

} // namespace deltatwin
