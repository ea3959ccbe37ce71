#include "tops/noisyquant/config.h"
#include "base/error.h"
#include "blocks/noisy_search.h"

namespace deltatwin {

std::vector<std::pair<std::string, int>> NoisyQuantConfig::parameters() const {
  return {{"MaxWidth", max_width}, {"Multipliers", multipliers}, {"Bits", bits}, {"DataBits", data_bits}};
}

std::string complaint(const NoisyQuantConfig& config) {
  std::string what;
  const auto range = [&what](const char* name, int value, int low, int high) {
    if (what.empty() && (value < low || value > high))
      what = std::string(name) + " is " + std::to_string(value) + ", possible are " + std::to_string(low) +
             ".." + std::to_string(high);
  };
  range("largest width", config.max_width, 2, 64);
  range("multipliers", config.multipliers, 1, config.max_width);
  range("bits of a code", config.bits, 2, 5);
  range("bits of a value", config.data_bits, 8, 16);
  if (what.empty() && !(config.clock_mhz >= 0.001 && config.clock_mhz <= 10000))
    what = "clock is " + std::to_string(config.clock_mhz) + " MHz, possible are 0.001 to 10000";
  return what;
}

void validate(const NoisyQuantConfig& config) {
  if (const std::string text = complaint(config); !text.empty())
    throw InputError(text);
}

std::vector<Register> noisyquant_registers() {
  using namespace noisyquant_reg;
  std::vector<Register> registers = {
      {id, "ID", Register::read_only},
      {control, "CONTROL", Register::write_only, {{"start", 1, 0}, {"reset", 1, 1}}},
      {status,
       "STATUS",
       Register::read_only,
       {{"status", 2, 0, {"idle", "running", "done", "error"}},
        {"error", 5, 8, {"none", "early TLAST", "missing TLAST"}}}},
      {channels, "CHANNELS", Register::read_write},
      {width, "WIDTH", Register::read_write},
      {mode, "MODE", Register::read_write, {{"mode", 1, 0, {"online", "offline"}}}},
      {step, "STEP", Register::read_write},
      {offset, "OFFSET", Register::read_write},
      {cycles, "CYCLES", Register::read_only},
      {done, "DONE", Register::read_only},
      {config,
       "CONFIG",
       Register::read_only,
       {{"largest width", 8, 0}, {"multipliers", 8, 8}, {"bits", 4, 16}, {"data bits", 5, 20}}}};
  for (std::uint32_t i = 0; i < noisyquant_found; ++i)
    registers.push_back({found + 4 * i,
                         "FOUND[" + std::to_string(i) + "]",
                         Register::read_only,
                         {{"i", 4, 0}, {"j", 4, 4}, {"M", 16, 16}}});
  return registers;
}

Cycle NoisyQuantTiming::search() const {
  return first_slot + 2 * (noisy_trials * trial() - 1 + verdict() + next_slot);
}

Cycle steady_cycles(const NoisyQuantConfig& config, int width, NoisyQuantMode mode) {
  const NoisyQuantTiming timing{config, width};
  // The last value takes its place when the one there is read.
  return mode == NoisyQuantMode::offline ? timing.values() : timing.search() + timing.values();
}

Cycle lone_cycles(const NoisyQuantConfig& config, int width, NoisyQuantMode mode) {
  const NoisyQuantTiming timing{config, width};
  if (mode == NoisyQuantMode::offline)
    return timing.values() + timing.error();
  return 2 * timing.values() - 1 + timing.search() + timing.error() + 1;
}

} // namespace deltatwin
