#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Which RTL to build: a block's top, its parameters, and how.
struct RtlSource {
  std::string top;                                     ///< module = file stem in the RTL directory
  std::vector<std::pair<std::string, int>> parameters; ///< Verilator's -G
  bool trace = false;                                  ///< with VCD
  std::string directory;                               ///< empty: the project's rtl/
  bool fast = false;    ///< for speed whatever DELTATWIN_RTL_CHECKED says: for the benchmark
  bool savable = false; ///< with save() and restore()
  /// What has no reset, ports too, begins at random, by this seed; 0: as zeros.
  std::uint64_t reset_seed = 0;
};

/// A signal of a Verilated model: a port, or a net that Verilator keeps, by its path from the top.
struct RtlSignal {
  int width = 0;
  void* data = nullptr;
  [[nodiscard]] std::uint64_t get(int lsb, int bits) const; ///< up to 64 bits
  void set(std::uint64_t value) const;                      ///< signals of up to 64 bits
  void set_bits(int lsb, int bits, std::uint64_t value) const;
};

/// An array of a Verilated model.
struct RtlMemory {
  int width = 0; ///< bits of a word
  std::size_t depth = 0, stride = 0;
  void* data = nullptr;
  /// Up to 64 bits of a word.
  [[nodiscard]] std::uint64_t get(std::size_t word, int lsb, int bits) const;
};

/// How RTL ended the simulation: $finish, $stop, $error, $fatal, an assertion that failed, or logic that
/// does not settle. It is a finding; nothing else happens.
struct RtlEnding {
  std::string kind;       ///< "$finish", "$stop" or "error"
  std::string place;      ///< file:line
  std::string message;    ///< what it printed
  std::uint64_t edge = 0; ///< it was after so many clock edges
};

/// A Verilated model, built on demand and cached under a hash of all that Verilator reads, parameters
/// and tool version, and loaded as a shared library. It is compiled with -O3, or with -O0, for tests
/// that build more than they run, where the environment variable DELTATWIN_RTL_CHECKED is 1. What the
/// RTL prints goes to stderr.
///
///     RtlModel rtl({"requantizer", {{"TagBits", 4}}});
///     rtl.signal("valid_i").set(1);
///     rtl.settle();            // outputs of this cycle
///     rtl.edge();              // the rising edge that ends it
class RtlModel {
public:
  /// `progress` is told before a build that takes seconds.
  explicit RtlModel(const RtlSource& source, const std::function<void(const std::string&)>& progress = {});
  ~RtlModel();
  RtlModel(const RtlModel&) = delete;
  RtlModel& operator=(const RtlModel&) = delete;

  /// Throws ToolError when the model has no such signal or memory.
  [[nodiscard]] const RtlSignal& signal(const std::string& path) const;
  [[nodiscard]] const RtlMemory& memory(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> memories() const; ///< their paths, sorted

  void settle();
  void edge();
  [[nodiscard]] std::uint64_t edges() const { return *edges_; }
  [[nodiscard]] bool has_ended() const { return *ended_; }
  [[nodiscard]] RtlEnding ending() const; ///< once it has ended

  /// From here on waves go to a VCD; needs RtlSource::trace. A cycle takes `period` time units of 1 ps.
  void open_trace(const std::string& path, std::uint64_t first_cycle, std::uint64_t period);
  /// Throws ToolError when not all could be written.
  void close_trace();

  /// The whole state, and back into a model of the same RTL and parameters; needs RtlSource::savable.
  [[nodiscard]] std::string save();
  void restore(const std::string& state);

private:
  struct Library;
  std::unique_ptr<Library> library_;
  const bool* ended_ = nullptr;
  const std::uint64_t* edges_ = nullptr;
  std::string trace_;
};

/// Builds the model if the cache does not hold it; returns the shared library's path.
std::string build_rtl(const RtlSource& source, const std::function<void(const std::string&)>& progress = {});

} // namespace deltatwin
