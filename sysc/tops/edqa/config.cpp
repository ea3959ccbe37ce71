#include "tops/edqa/config.h"
#include "base/error.h"
#include "base/resources.h"
#include <algorithm>
#include <iterator>

namespace deltatwin {
namespace {

int power_of_two(int least) { return 1 << address_bits(least); }

std::string range(const char* name, int value, int low, int high) {
  if (value >= low && value <= high)
    return "";
  return std::string(name) + " is " + std::to_string(value) + ", possible are " + std::to_string(low) + ".." +
         std::to_string(high);
}

bool is_book_count(int books) { return books == 1 || books == 2 || books == 4 || books == 8; }

} // namespace

int EdqaConfig::symbol_bits() const { return whole ? max_bits() : std::max(extra, 1); }
int EdqaConfig::book_slots() const { return std::max(dynamic ? 4 : 1, books); }
int EdqaConfig::builder_symbols() const { return 1 << std::max(extra, 1); }
int EdqaConfig::builder_limit() const { return std::min(8, builder_symbols() - 1); }
int EdqaConfig::value_depth() const { return power_of_two(std::max(depth, 2)); }
int EdqaConfig::symbol_depth() const { return power_of_two(2 * std::max(depth, 32)); }
int EdqaConfig::quantized_depth() const { return dynamic ? 2 * symbol_depth() : symbol_depth(); }
int EdqaConfig::store_words() const { return power_of_two(2 * ceil_div(8 * depth, 36) + 32); }
int EdqaConfig::lane_bits() const { return address_bits(channels); }

std::vector<std::pair<std::string, int>> EdqaConfig::parameters() const {
  return {{"Format", static_cast<int>(format)},
          {"Bits", bits},
          {"Extra", extra},
          {"Depth", depth},
          {"Dynamic", dynamic},
          {"Whole", whole},
          {"Books", books},
          {"Channels", channels}};
}

std::string complaint(const EdqaConfig& config) {
  for (const std::string& what :
       {range("bits", config.bits, 2, 8), range("extra bits", config.extra, 0, 4),
        range("depth", config.depth, 1, 4096), range("channels", config.channels, 1, 16)})
    if (!what.empty())
      return what;
  if (!is_book_count(config.books) || (config.books > 1 && !config.whole))
    return std::to_string(config.books) + " books, possible are " +
           (config.whole ? "1, 2, 4, 8" : "1 but in mode whole");
  if (config.whole && config.max_bits() > 6)
    return "mode whole codes values of " + std::to_string(config.max_bits()) + " bits, possible are 2..6";
  if (!(config.clock_mhz >= 0.001 && config.clock_mhz <= 10000))
    return "clock is " + std::to_string(config.clock_mhz) + " MHz, possible are 0.001 to 10000";
  return "";
}

void validate(const EdqaConfig& config) {
  if (const std::string text = complaint(config); !text.empty())
    throw InputError(text);
}

std::uint32_t EdqaSettings::config() const {
  return static_cast<std::uint32_t>(bits | extra << 4 | static_cast<int>(mode) << 8 | is_signed << 12 |
                                    half_down << 13 | raw << 14);
}
std::uint32_t EdqaSettings::row_register() const { return static_cast<std::uint32_t>(row | books << 16); }

EdqaSettings EdqaSettings::of(std::uint32_t config, std::uint32_t count, std::uint32_t row) {
  const auto field = [](std::uint32_t word, int low, int width) {
    return static_cast<int>(word >> low & ((1u << width) - 1));
  };
  EdqaSettings settings;
  settings.bits = field(config, 0, 4);
  settings.extra = field(config, 4, 3);
  settings.mode = static_cast<EdqaMode>(field(config, 8, 2));
  settings.is_signed = field(config, 12, 1);
  settings.half_down = field(config, 13, 1);
  settings.raw = field(config, 14, 1);
  settings.count = field(count, 0, 7);
  settings.row = field(row, 0, 7);
  settings.books = field(row, 16, 4);
  return settings;
}

EdqaSettings EdqaSettings::initial(const EdqaConfig& config) {
  EdqaSettings settings;
  settings.bits = config.bits;
  settings.extra = config.extra;
  settings.mode = config.dynamic ? EdqaMode::paper : EdqaMode::fixed;
  return settings;
}

std::string complaint(const EdqaConfig& config, const EdqaSettings& settings) {
  for (const std::string& what :
       {range("bits", settings.bits, 2, config.bits), range("extra bits", settings.extra, 0, config.extra),
        range("count", settings.count, 1, config.rows())})
    if (!what.empty())
      return what;
  const int mode = static_cast<int>(settings.mode);
  if (mode > 2 || (settings.mode == EdqaMode::paper && !config.dynamic) ||
      (settings.mode == EdqaMode::whole && !config.whole))
    return "the design has no mode " + std::to_string(mode);
  if (settings.mode != EdqaMode::whole)
    return "";
  if (!is_book_count(settings.books) || settings.books > config.books)
    return std::to_string(settings.books) + " books in use, the design has " + std::to_string(config.books);
  return settings.books == 1 ? "" : range("row", settings.row, 4, 64);
}

std::vector<Register> edqa_registers(const EdqaConfig& config) {
  std::vector<Register> registers = {
      {edqa_reg::id, "ID", Register::read_only},
      {edqa_reg::control, "CONTROL", Register::write_only, {{"start", 1, 0}, {"reset", 1, 1}}},
      {edqa_reg::status,
       "STATUS",
       Register::read_only,
       {{"status", 2, 0, {"idle", "running", "2", "error"}},
        {"ready", 1, 4},
        {"error", 5, 8, {"none", "length", "code", "stream", "configuration", "book"}},
        {"fault", 2, 14, {"none", "bad code", "too short", "left over"}},
        {"nan", 1, 16},
        {"infinity", 1, 17},
        {"denormal", 1, 18},
        {"underflow", 1, 19},
        {"overflow", 1, 20}}},
      {edqa_reg::groups, "GROUPS", Register::read_only},
      {edqa_reg::config,
       "CONFIG",
       Register::read_write,
       {{"N", 4, 0},
        {"m", 3, 4},
        {"mode", 2, 8, {"paper", "static", "whole", "3"}},
        {"signed", 1, 12},
        {"half_down", 1, 13},
        {"raw", 1, 14}}},
      {edqa_reg::count, "COUNT", Register::read_write},
      {edqa_reg::row, "ROW", Register::read_write, {{"row", 7, 0}, {"books", 4, 16}}},
      {edqa_reg::cycles, "CYCLES", Register::read_only},
      {edqa_reg::design,
       "DESIGN",
       Register::read_only,
       {{"format", 2, 0, {"int16", "int32", "float32", "3"}},
        {"bits", 4, 4},
        {"extra", 3, 8},
        {"dynamic", 1, 12},
        {"whole", 1, 13},
        {"books", 4, 16},
        {"channels", 5, 20}}},
      {edqa_reg::depth, "DEPTH", Register::read_only},
      {edqa_reg::inject, "INJECT", Register::write_only, {{"bit", 6, 0}, {"word", 12, 16}}}};
  const auto table = [&](std::uint32_t address, const char* name, Register::Access access) {
    for (int i = 0; i < edqa_entries; ++i)
      if (i % (1 << config.lane_bits()) < config.channels)
        registers.push_back({address + 4 * static_cast<std::uint32_t>(i),
                             std::string(name) + "[" + std::to_string(i) + "]", access});
  };
  table(edqa_reg::sizes, "SIZE", Register::read_only);
  table(edqa_reg::scales, "SCALE", Register::write_only);
  table(edqa_reg::direct, "DIRECT", Register::write_only);
  for (int i = 0; config.books > 1 && i < edqa_entries; ++i)
    registers.push_back({edqa_reg::book_of + 4 * static_cast<std::uint32_t>(i),
                         "BOOK_OF[" + std::to_string(i) + "]", Register::write_only});
  for (int b = 0; b < config.books; ++b)
    for (int s = 0; s < 1 << config.symbol_bits(); ++s)
      registers.push_back({edqa_reg::lengths + 4 * static_cast<std::uint32_t>(edqa_entries * b + s),
                           "LENGTH[" + std::to_string(b) + "][" + std::to_string(s) + "]",
                           Register::write_only});
  return registers;
}

} // namespace deltatwin
