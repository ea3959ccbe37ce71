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
  bool fast = false; ///< for speed whatever DELTATWIN_RTL_CHECKED says: for the benchmark
};

/// A signal of a Verilated model: a port, or a net of the top that Verilator keeps.
struct RtlSignal {
  int width = 0;
  void* data = nullptr;
  [[nodiscard]] std::uint64_t get(int lsb, int bits) const; ///< up to 64 bits
  void set(std::uint64_t value) const;                      ///< signals of up to 64 bits
  void set_bits(int lsb, int bits, std::uint64_t value) const;
};

/// A Verilated model, built on demand, cached under a hash of RTL, parameters and tool version, and
/// loaded as a shared library. It is compiled with -O3, or with -O1, for tests that build more than
/// they run, where the environment variable DELTATWIN_RTL_CHECKED is 1.
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

  /// Throws std::out_of_range when the model has no such signal.
  [[nodiscard]] const RtlSignal& signal(const std::string& name) const;
  void settle();
  void edge();
  /// From here on waves go to a VCD; needs RtlSource::trace. A cycle takes `period` time units of 1 ps.
  void open_trace(const std::string& path, std::uint64_t first_cycle, std::uint64_t period);
  void close_trace();

private:
  struct Library;
  std::unique_ptr<Library> library_;
};

/// Builds the model if the cache does not hold it; returns the shared library's path.
std::string build_rtl(const RtlSource& source, const std::function<void(const std::string&)>& progress = {});

} // namespace deltatwin
