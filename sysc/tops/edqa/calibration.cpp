#include "tops/edqa/calibration.h"
#include "base/huffman.h"
#include "blocks/edqa_dequantizer.h"
#include <algorithm>
#include <cstdlib>

namespace deltatwin {
namespace {

// A group's values through the quantizer, lane by lane.
struct Quantized {
  std::uint32_t maximum;
  bool direct;
  std::vector<int> values; ///< v
};

Quantized quantize(const EdqaConfig& config, const EdqaProgram& program,
                   const std::vector<std::uint32_t>& group, std::size_t index, std::size_t lane) {
  const EdqaSettings& settings = program.settings;
  const auto lanes = static_cast<std::size_t>(config.channels);
  const std::size_t entry = index % static_cast<std::size_t>(settings.count) << config.lane_bits() | lane;
  std::vector<EdqaMagnitude> magnitudes;
  for (std::size_t i = lane; i < group.size(); i += lanes)
    magnitudes.push_back(edqa_magnitude(config.format, settings.is_signed, group[i]));
  Quantized result{0, settings.mode != EdqaMode::whole && program.direct[entry], {}};
  if (settings.mode == EdqaMode::paper)
    for (const EdqaMagnitude& magnitude : magnitudes)
      result.maximum = std::max(result.maximum, magnitude.magnitude);
  else
    result.maximum = program.scales[entry];
  for (const EdqaMagnitude& magnitude : magnitudes)
    result.values.push_back(
        edqa_quantize(config.format, settings.scheme(), magnitude, result.maximum, result.direct));
  return result;
}

int coded_bits(const EdqaSettings& settings) {
  return settings.mode == EdqaMode::whole ? settings.total_bits() : settings.extra;
}
unsigned symbol_of(const EdqaSettings& settings, int v) {
  return static_cast<unsigned>(v) & ((1u << coded_bits(settings)) - 1);
}

// The book of a value, by the one above it.
unsigned book_of(const EdqaProgram& program, const std::vector<int>& values, std::size_t index) {
  const EdqaSettings& settings = program.settings;
  const auto row = static_cast<std::size_t>(settings.row);
  if (settings.mode != EdqaMode::whole || settings.books == 1 || index < row)
    return 0;
  return program.book_of[symbol_of(settings, values[index - row])];
}

} // namespace

EdqaProgram calibrate(const EdqaConfig& config, const EdqaSettings& settings, const EdqaChannels& channels) {
  EdqaProgram program;
  program.settings = settings;
  const auto lanes = static_cast<std::size_t>(config.channels);
  program.scales.assign(edqa_entries, 0);
  program.direct.assign(edqa_entries, false);
  for (std::size_t g = 0; g < channels.groups.size(); ++g)
    for (std::size_t i = 0; i < channels.groups[g].size(); ++i) {
      const std::size_t entry =
          g % static_cast<std::size_t>(settings.count) << config.lane_bits() | i % lanes;
      const EdqaMagnitude magnitude =
          edqa_magnitude(config.format, settings.is_signed, channels.groups[g][i]);
      program.scales[entry] = std::max(program.scales[entry], magnitude.magnitude);
    }
  if (settings.mode == EdqaMode::paper || coded_bits(settings) == 0)
    return program;

  const std::size_t symbols = std::size_t{1} << coded_bits(settings);
  const auto books = static_cast<std::size_t>(settings.mode == EdqaMode::whole ? settings.books : 1);
  program.book_of.assign(symbols, 0);
  for (std::size_t s = 0; books > 1 && s < symbols; ++s) {
    const bool below = settings.is_signed && s >= symbols / 2;
    program.book_of[s] = static_cast<unsigned>(std::min(below ? symbols - s : s, books - 1));
  }
  std::vector<std::vector<std::uint64_t>> histograms(books, std::vector<std::uint64_t>(symbols, 1));
  for (std::size_t g = 0; g < channels.groups.size(); ++g)
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Quantized quantized = quantize(config, program, channels.groups[g], g, lane);
      for (std::size_t i = 0; i < quantized.values.size(); ++i)
        histograms[book_of(program, quantized.values, i)][symbol_of(settings, quantized.values[i])] += 16;
    }
  for (const std::vector<std::uint64_t>& histogram : histograms)
    program.lengths.push_back(huffman_lengths(histogram));
  return program;
}

EdqaExpected edqa_function(const EdqaConfig& config, const EdqaProgram& program, const EdqaChannels& channels,
                           std::size_t first, std::size_t count) {
  const EdqaSettings& settings = program.settings;
  const EdqaScheme scheme = settings.scheme();
  const auto lanes = static_cast<std::size_t>(config.channels);
  EdqaExpected expected;
  for (std::size_t g = first; g < first + count; ++g) {
    const std::vector<std::uint32_t>& group = channels.groups[g];
    const std::size_t begin = expected.values.size();
    expected.values.resize(begin + group.size());
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Quantized quantized = quantize(config, program, group, g - first, lane);
      const bool coded = settings.mode == EdqaMode::whole || (settings.extra > 0 && !quantized.direct);
      std::vector<std::uint64_t> histogram(std::size_t{1} << coded_bits(settings));
      std::uint32_t bits = 0;
      for (std::size_t i = 0; i < quantized.values.size(); ++i) {
        const int v = quantized.values[i];
        if (coded && settings.mode != EdqaMode::paper)
          bits += static_cast<std::uint32_t>(
              program.lengths[book_of(program, quantized.values, i)][symbol_of(settings, v)]);
        ++histogram[symbol_of(settings, v)];
        expected.values[begin + i * lanes + lane] =
            edqa_dequantize(config.format, scheme, scheme.quantized(v), scheme.shifting_error(v),
                            quantized.maximum)
                .value;
      }
      if (coded && settings.mode == EdqaMode::paper)
        bits = static_cast<std::uint32_t>(
            deltatwin::coded_bits(histogram, huffman_lengths(histogram, config.builder_limit())));
      expected.sizes.push_back(bits);
    }
  }
  return expected;
}

} // namespace deltatwin
