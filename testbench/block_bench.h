#pragma once
#include "cosim/lockstep.h"
#include "cosim/waves.h"
#include "random_work.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace deltatwin {

/// RTL whose state begins at random, by the test's seed and in each of its models anew.
inline RtlSource seeded(RtlSource source) {
  static std::uint64_t models = 0;
  source.reset_seed = base_seed() * 1000 + ++models;
  return source;
}

/// The pins of one block's RTL, for a test that looks at its outputs in each cycle.
///
///     PinBench pins("write_back", {{"ActDepth", 4}}, {"sum_valid_i", "layer_odd_i"});
///     pins.set("sum_valid_i", 1);
///     pins.settle();
///     CHECK(pins.get("act_addr_o") == 3);
///     pins.edge();
class PinBench {
public:
  /// After an edge with all `inputs` low, and `high` high.
  PinBench(const std::string& block, const std::vector<std::pair<std::string, int>>& parameters,
           const std::vector<const char*>& inputs, const char* high = nullptr)
      : rtl_(seeded({block, parameters, false, ""})) {
    for (const char* pin : inputs)
      set(pin, 0);
    if (high)
      set(high, 1);
    settle();
    edge();
    if (high)
      set(high, 0);
  }
  void set(const char* pin, std::uint64_t value) { rtl_.signal(pin).set(value); }
  [[nodiscard]] std::uint64_t get(const char* pin) const {
    const RtlSignal& signal = rtl_.signal(pin);
    return signal.get(0, signal.width);
  }
  /// The lowest bits of a wider one.
  [[nodiscard]] std::uint64_t get(const char* pin, int bits) const { return rtl_.signal(pin).get(0, bits); }
  /// All bytes of one.
  [[nodiscard]] std::vector<std::uint8_t> bytes(const char* pin) const {
    const RtlSignal& signal = rtl_.signal(pin);
    std::vector<std::uint8_t> bytes;
    for (int lsb = 0; lsb < signal.width; lsb += 8)
      bytes.push_back(static_cast<std::uint8_t>(signal.get(lsb, 8)));
    return bytes;
  }
  [[nodiscard]] RtlModel& rtl() { return rtl_; }
  void settle() { rtl_.settle(); }
  void edge() {
    rtl_.edge();
    if (rtl_.has_ended())
      FAIL(rtl_.ending().place + ": " + rtl_.ending().message);
  }

private:
  RtlModel rtl_;
};

/// One block's RTL, driven pin by pin, in lockstep with a model's beats. With the environment variable
/// DELTATWIN_WAVES=directory both twins' waves of the latest run go to <block>_<parameters>.fst there,
/// scopes `model` and `rtl` (.vcd without vcd2fst).
class BlockBench {
public:
  BlockBench(RtlSource source, std::vector<Interface> interfaces)
      : interfaces_(std::move(interfaces)), waves_(waves_path(source)), rtl_(traced(source)) {
    for (Interface& interface : interfaces_)
      interface.block = source.top;
  }

  [[nodiscard]] RtlModel& rtl() { return rtl_; }
  [[nodiscard]] BeatTrace trace() const { return BeatTrace(interfaces_.size()); }
  void set(const std::string& port, std::uint64_t value) { rtl_.signal(port).set(value); }

  void reset() {
    set("rst_ni", 0);
    rtl_.settle();
    rtl_.edge();
    set("rst_ni", 1);
  }

  /// Runs `cycles` cycles; `drive(cycle)` sets the inputs of each. Beats are compared from cycle
  /// `first` on.
  void run(const BeatTrace& model, Cycle cycles, const std::function<void(Cycle)>& drive, Cycle first = 0) {
    Lockstep lockstep(interfaces_, model, rtl_);
    if (!waves_.empty())
      rtl_.open_trace(waves_ + ".rtl", 0, WaveWindow{}.period_ps);
    Cycle cycle = 0;
    for (; cycle < cycles; ++cycle) {
      drive(cycle);
      rtl_.settle();
      if (cycle >= first && !lockstep.check(cycle))
        break;
      rtl_.edge();
    }
    if (!waves_.empty())
      write_waves(model, cycle);
    lockstep.finish();
    if (lockstep.divergence())
      FAIL(lockstep.divergence()->report());
    CHECK(lockstep.beats() > 0);
  }

private:
  static std::string waves_path(const RtlSource& source) {
    const char* directory = std::getenv("DELTATWIN_WAVES");
    std::string path = directory ? directory + ("/" + source.top) : "";
    for (const auto& [name, value] : source.parameters)
      path += directory ? "_" + std::to_string(value) : "";
    return path;
  }
  static RtlSource traced(RtlSource source) {
    source.trace = !waves_path(source).empty();
    return seeded(std::move(source));
  }
  void write_waves(const BeatTrace& model, Cycle last) {
    rtl_.close_trace();
    write_beats_vcd(waves_ + ".model", interfaces_[0].block, interfaces_, model, {0, last});
    merge_vcds(waves_ + ".model", waves_ + ".rtl", waves_ + ".vcd");
    std::remove((waves_ + ".model").c_str());
    std::remove((waves_ + ".rtl").c_str());
    if (convert_to_fst(waves_ + ".vcd", waves_ + ".fst"))
      std::remove((waves_ + ".vcd").c_str());
  }

  std::vector<Interface> interfaces_;
  std::string waves_; ///< empty: none
  RtlModel rtl_;
};

} // namespace deltatwin
