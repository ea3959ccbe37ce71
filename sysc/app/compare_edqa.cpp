// The paper's tables of its FPGA evaluation (eDQA, section 4.4: Tables 3 and 4) beside what the tops here
// take.
#include "app/compare.h"
#include "app/options.h"
#include "cosim/synthesis.h"
#include "tops/edqa/timing.h"
#include "tops/edqa/top.h"
#include "tops/noisyquant/top.h"
#include <algorithm>
#include <array>
#include <cstdio>

namespace deltatwin {
namespace {

constexpr double clock_mhz = 200; // the paper's
constexpr std::array<int, 4> widths = {7, 14, 28, 56};
using PerSize = std::array<double, widths.size()>;

// Quantize (with all that is searched and coded) and dequantize; where they overlap, together.
struct Latency {
  std::string name;
  PerSize quantize, dequantize; ///< us
  [[nodiscard]] double total(std::size_t size) const { return quantize[size] + dequantize[size]; }
};
const Latency paper_edqa = {"eDQA, the paper", {24, 85, 329, 1303}, {4, 14, 52, 205}},
              paper_noisy = {"NoisyQuant, the paper", {1488, 9231, 63395, 465593}, {7, 28, 114, 455}};

struct Area {
  std::string name;
  double lut, ff;
  int dsp, bram18;
};
const Area paper_areas[] = {{"eDQA, the paper", 16800, 14600, 12, 42},
                            {"NoisyQuant, the paper", 24700, 21600, 40, 71}};

EdqaConfig edqa_config(EdqaMode mode) {
  EdqaConfig config; // N = 3, m = 3, channels of up to 4,096 values
  config.dynamic = mode == EdqaMode::paper;
  config.whole = mode == EdqaMode::whole;
  if (config.whole) { // at N = 3 the whole value has 3 bits
    config.extra = 0;
    config.books = 4;
  }
  return config;
}

Latency edqa_latency(const std::string& name, EdqaMode mode) {
  const EdqaConfig config = edqa_config(mode);
  EdqaSettings settings = EdqaSettings::initial(config);
  settings.mode = mode;
  Latency latency{name, {}, {}};
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const EdqaLatency cycles = lone_latency(config, settings, widths[i] * widths[i]);
    latency.quantize[i] = static_cast<double>(cycles.encode) / clock_mhz;
    latency.dequantize[i] = static_cast<double>(cycles.decode) / clock_mhz;
  }
  return latency;
}

NoisyQuantConfig noisy_config(int multipliers) {
  NoisyQuantConfig config;
  config.multipliers = multipliers;
  config.clock_mhz = clock_mhz;
  return config;
}

Latency noisy_latency(const std::string& name, bool parallel, NoisyQuantMode mode) {
  Latency latency{name, {}, {}};
  for (std::size_t i = 0; i < widths.size(); ++i)
    latency.quantize[i] =
        static_cast<double>(lone_cycles(noisy_config(parallel ? widths[i] : 1), widths[i], mode)) / clock_mhz;
  return latency;
}

Area area_of(const std::string& name, const Top& top, bool by_synthesis, Progress& progress) {
  Resources used = total_area(top.parts());
  if (by_synthesis)
    used = synthesize(top, [&](double done) { progress.update(done, 1, name); });
  return {name, static_cast<double>(used.lut), static_cast<double>(used.ff), used.dsp,
          used.ramb18 + 2 * used.ramb36};
}

std::string time_of(double us) {
  return us < 10 ? fixed(us, 2) : us < 100 ? fixed(us, 1) : grouped(static_cast<std::uint64_t>(us + 0.5));
}
std::string ratio_of(double ratio) { return ratio < 10 ? fixed(ratio, 1) : fixed(ratio, 0); }

// A row a name, a column a size.
template <class Row> void print_sizes(const char* head, const std::vector<Row>& rows) {
  TextTable table;
  table.add_column(head, TextTable::left, 10);
  for (const int width : widths)
    table.add_column(grouped(static_cast<std::uint64_t>(width * width)) + " values", TextTable::right, 9);
  for (const auto& [name, cells] : rows) {
    std::vector<std::string> row = {name};
    row.insert(row.end(), cells.begin(), cells.end());
    table.add_row(row);
  }
  std::printf("%s\n", table.text().c_str());
}

using Cells = std::array<std::string, widths.size()>;
using Rows = std::vector<std::pair<std::string, Cells>>;

void print_latencies(const std::vector<Latency>& latencies) {
  Rows times, cycles;
  for (const Latency& row : latencies) {
    Cells time, cycle;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      time[i] = time_of(row.quantize[i]) + (row.dequantize[i] > 0 ? " + " + time_of(row.dequantize[i]) : "");
      cycle[i] = grouped(static_cast<std::uint64_t>(row.total(i) * clock_mhz + 0.5));
    }
    times.emplace_back(row.name, time);
    cycles.emplace_back(row.name, cycle);
  }
  print_sizes("us: quantize + dequantize", times);
  print_sizes("cycles of both", cycles);
}

void print_speedups(const std::vector<std::pair<std::string, PerSize>>& speedups) {
  Rows rows;
  for (const auto& [name, ratios] : speedups) {
    Cells cells;
    std::transform(ratios.begin(), ratios.end(), cells.begin(), ratio_of);
    rows.emplace_back(name, cells);
  }
  print_sizes("how many times as fast", rows);
}

void print_areas(const std::vector<Area>& areas, bool by_synthesis) {
  TextTable table;
  table.add_column(by_synthesis ? "on the XC7Z020, by Yosys" : "on the XC7Z020, by the model of area",
                   TextTable::left, 10);
  for (const char* head : {"LUT", "FF", "DSP48E1", "RAMB18"})
    table.add_column(head, TextTable::right, 9);
  for (const Area& area : areas)
    table.add_row({area.name, grouped(static_cast<std::uint64_t>(area.lut)),
                   grouped(static_cast<std::uint64_t>(area.ff)), std::to_string(area.dsp),
                   std::to_string(area.bram18)});
  std::printf("%s\n", table.text().c_str());
}

PerSize speedup(const Latency& of, const Latency& over) {
  PerSize ratios{};
  for (std::size_t i = 0; i < widths.size(); ++i)
    ratios[i] = over.total(i) / of.total(i);
  return ratios;
}

} // namespace

void compare_edqa(bool by_synthesis, const std::string& json_path) {
  prepare_json(json_path);
  const Latency edqa = edqa_latency("eDQA as in the paper", EdqaMode::paper),
                fixed_scale = edqa_latency("eDQA, scale and book static", EdqaMode::fixed),
                whole = edqa_latency("3 bits, whole value coded", EdqaMode::whole),
                one = noisy_latency("NoisyQuant, 1 multiplier", false, NoisyQuantMode::online),
                many = noisy_latency("NoisyQuant, W multipliers", true, NoisyQuantMode::online),
                offline = noisy_latency("NoisyQuant, searched once", true, NoisyQuantMode::offline);
  const std::vector<std::pair<std::string, PerSize>> ratios = {
      {"the paper: eDQA over NoisyQuant", speedup(paper_edqa, paper_noisy)},
      {"eDQA here over the paper's eDQA", speedup(edqa, paper_edqa)},
      {"W multipliers over the paper's NoisyQuant", speedup(many, paper_noisy)},
      {"eDQA over NoisyQuant, 1 multiplier", speedup(edqa, one)},
      {"eDQA over NoisyQuant, W multipliers", speedup(edqa, many)},
      {"eDQA over NoisyQuant, searched once", speedup(edqa, offline)},
      {"3 bits, whole value coded, over eDQA", speedup(whole, edqa)}};
  Progress progress("synthesizing");
  std::vector<Area> areas(std::begin(paper_areas), std::end(paper_areas));
  areas.push_back(area_of(edqa.name, EdqaTop(edqa_config(EdqaMode::paper)), by_synthesis, progress));
  areas.push_back(area_of(fixed_scale.name, EdqaTop(edqa_config(EdqaMode::fixed)), by_synthesis, progress));
  areas.push_back(
      area_of(whole.name + ", 4 books", EdqaTop(edqa_config(EdqaMode::whole)), by_synthesis, progress));
  areas.push_back(area_of(one.name, NoisyQuantTop(noisy_config(1)), by_synthesis, progress));
  areas.push_back(area_of("NoisyQuant, 56 multipliers", NoisyQuantTop(noisy_config(widths.back())),
                          by_synthesis, progress));
  progress.clear();

  const std::vector<Latency> latencies = {paper_edqa,  edqa, fixed_scale, whole,
                                          paper_noisy, one,  many,        offline};
  std::printf("One channel of an activation at a time, N = 3, m = 3, %s MHz; the paper's Tables 3 and 4\n\n",
              shortest(clock_mhz).c_str());
  print_latencies(latencies);
  print_speedups(ratios);
  print_areas(areas, by_synthesis);
  const std::size_t largest = widths.size() - 1;
  std::printf(
      "The paper's %s times is online search against none: searched once on calibration data, as\n"
      "NoisyQuant's own authors do, it takes one add and a quantization, and eDQA %s times as long.\n"
      "Each latency is its model's, equal to its RTL in every cycle: `deltatwin cosim --top edqa`.%s\n",
      ratio_of(ratios[0].second[largest]).c_str(), ratio_of(1 / ratios[5].second[largest]).c_str(),
      by_synthesis ? "" : " --synth counts\nthe area by Yosys.");

  boost::json::object json = {{"clock_mhz", clock_mhz}};
  boost::json::array rows, speedups, area;
  for (const Latency& row : latencies)
    for (std::size_t i = 0; i < widths.size(); ++i)
      rows.push_back({{"name", row.name},
                      {"values", widths[i] * widths[i]},
                      {"quantize_us", row.quantize[i]},
                      {"dequantize_us", row.dequantize[i]}});
  for (const auto& [name, ratio] : ratios)
    for (std::size_t i = 0; i < widths.size(); ++i)
      speedups.push_back({{"name", name}, {"values", widths[i] * widths[i]}, {"speedup", ratio[i]}});
  for (const Area& row : areas)
    area.push_back(
        {{"name", row.name}, {"lut", row.lut}, {"ff", row.ff}, {"dsp", row.dsp}, {"ramb18", row.bram18}});
  json["latencies"] = std::move(rows);
  json["speedups"] = std::move(speedups);
  json["areas"] = std::move(area);
  json["areas_by"] = by_synthesis ? "synthesis" : "model";
  write_json(json_path, "compare", json);
}

} // namespace deltatwin
