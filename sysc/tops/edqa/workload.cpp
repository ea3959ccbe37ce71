#include "tops/edqa/workload.h"
#include "base/error.h"
#include "base/text.h"
#include "blocks/huffman_code_book.h"
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace deltatwin {
namespace {

std::uint32_t float_bits(double value) {
  const auto number = static_cast<float>(value);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

float float_of(std::uint32_t bits) {
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

std::uint32_t bits_of(const EdqaConfig& config, double value) {
  if (config.format == EdqaFormat::float32)
    return float_bits(value);
  const double full = config.format == EdqaFormat::int16 ? 4096 : 268435456;
  const double limit = std::ldexp(1.0, edqa_value_bits(config.format) - 1) - 1;
  const auto whole = static_cast<std::int64_t>(std::clamp(std::round(value * full), -limit, limit));
  const std::uint32_t mask = config.format == EdqaFormat::int16 ? 0xffff : 0xffffffff;
  return static_cast<std::uint32_t>(whole) & mask;
}

// In the input's units, of one that came in, and of one that goes out.
double input_of(const EdqaConfig& config, const EdqaSettings& settings, std::uint32_t bits) {
  const EdqaMagnitude magnitude = edqa_magnitude(config.format, settings.is_signed, bits);
  const double size = config.format == EdqaFormat::float32
                          ? static_cast<double>(float_of(magnitude.magnitude))
                          : static_cast<double>(magnitude.magnitude);
  return magnitude.negative ? -size : size;
}
double output_of(const EdqaConfig& config, const EdqaSettings& settings, std::int64_t value) {
  return config.format == EdqaFormat::float32
             ? float_of(static_cast<std::uint32_t>(value))
             : std::ldexp(static_cast<double>(value), -settings.scheme().scale_bits());
}

} // namespace

void load_edqa_program(Session& session, const EdqaConfig& config, const EdqaProgram& program) {
  const EdqaSettings& settings = program.settings;
  session.write(edqa_reg::config, settings.config());
  session.write(edqa_reg::count, static_cast<std::uint32_t>(settings.count));
  session.write(edqa_reg::row, settings.row_register());
  const auto at = [](std::uint32_t table, std::size_t index) {
    return table + 4 * static_cast<std::uint32_t>(index);
  };
  for (std::size_t i = 0; i < program.scales.size(); ++i) {
    const std::size_t lane = i & ((1u << config.lane_bits()) - 1);
    if (lane >= static_cast<std::size_t>(config.channels) ||
        i >> config.lane_bits() >= static_cast<std::size_t>(settings.count))
      continue;
    session.write(at(edqa_reg::scales, i), program.scales[i]);
    session.write(at(edqa_reg::direct, i), program.direct[i]);
  }
  for (std::size_t v = 0; config.books > 1 && v < program.book_of.size(); ++v)
    session.write(at(edqa_reg::book_of, v), program.book_of[v]);
  for (std::size_t b = 0; b < program.lengths.size(); ++b)
    for (std::size_t s = 0; s < program.lengths[b].size(); ++s)
      session.write(at(edqa_reg::lengths, edqa_entries * b + s),
                    static_cast<std::uint32_t>(program.lengths[b][s]));
}

void add_edqa_channels(HostAction& stream, const EdqaConfig& config, const EdqaChannels& channels,
                       std::size_t first, std::size_t count) {
  const int bytes = edqa_value_bits(config.format) / 8;
  for (std::size_t g = first; g < first + count; ++g) {
    for (const std::uint32_t value : channels.groups[g])
      for (int byte = 0; byte < bytes; ++byte)
        stream.values.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
    stream.tlast.resize(stream.tlast.size() +
                        channels.groups[g].size() / static_cast<std::size_t>(config.channels));
    stream.tlast.back() = 1;
  }
}

EdqaChannels made_up_channels(const EdqaConfig& config, const EdqaSettings& settings, int groups,
                              std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  EdqaChannels channels;
  const auto lanes = static_cast<std::size_t>(config.channels),
             row = static_cast<std::size_t>(settings.row) * lanes;
  for (int g = 0; g < groups; ++g) {
    const auto depth = static_cast<std::size_t>(config.depth);
    const std::size_t count = lanes * (g == 0 ? depth : 1 + random() % depth);
    std::vector<double> values(count);
    std::vector<std::uint32_t>& group = channels.groups.emplace_back();
    for (std::size_t i = 0; i < count; ++i) {
      const double noise = (unit() - 0.5) * -std::log(unit() + 1e-9);
      values[i] = noise + (i >= row ? 0.6 * values[i - row] : 0);
      group.push_back(bits_of(config, settings.is_signed ? values[i] : std::max(values[i], 0.0)));
    }
  }
  return channels;
}

EdqaChannels read_channels(const EdqaConfig& config, const std::string& text, const std::string& file,
                           int most) {
  EdqaChannels channels;
  const auto lanes = static_cast<std::size_t>(config.channels);
  std::vector<std::vector<std::uint32_t>> lines;
  std::size_t number = 0, at = 0;
  const auto refuse = [&](const std::string& what) {
    throw InputError(file + ":" + std::to_string(number) + ": " + what);
  };
  const double low = config.format == EdqaFormat::float32
                         ? -std::numeric_limits<float>::max()
                         : -std::ldexp(1.0, edqa_value_bits(config.format) - 1);
  while (at < text.size()) {
    ++number;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty())
      continue;
    std::vector<std::uint32_t>& values = lines.emplace_back();
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t comma = std::min(line.find(',', begin), line.size());
      const std::string word = line.substr(begin, comma - begin);
      begin = comma + 1;
      char* rest = nullptr;
      const double value = std::strtod(word.c_str(), &rest);
      if (word.empty() || std::isspace(static_cast<unsigned char>(word[0])) || *rest != 0)
        refuse("\"" + printable(word).substr(0, 40) + "\" is no number");
      if (config.format != EdqaFormat::float32 &&
          (value != std::floor(value) || value < low || value > -low - 1))
        refuse(word + " is no " + (config.format == EdqaFormat::int16 ? "int16" : "int32"));
      values.push_back(config.format == EdqaFormat::float32
                           ? float_bits(value)
                           : static_cast<std::uint32_t>(static_cast<std::int64_t>(value)) &
                                 (config.format == EdqaFormat::int16 ? 0xffffu : 0xffffffffu));
      if (values.size() > static_cast<std::size_t>(config.depth))
        refuse("more than " + std::to_string(config.depth) + " values, the depth of the design");
    }
    if (lines.size() % lanes != 1 % lanes && values.size() != lines[lines.size() - 2].size())
      refuse(std::to_string(values.size()) + " values, the channel beside it has " +
             std::to_string(lines[lines.size() - 2].size()));
  }
  if (lines.empty() || lines.size() % lanes)
    throw InputError(file + ": " + std::to_string(lines.size()) + " channels, expected a multiple of " +
                     std::to_string(lanes) + ", the lanes");
  for (std::size_t l = 0; l < lines.size(); l += lanes) {
    if (most && channels.groups.size() == static_cast<std::size_t>(most))
      break;
    std::vector<std::uint32_t>& group = channels.groups.emplace_back();
    for (std::size_t i = 0; i < lines[l].size(); ++i)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        group.push_back(lines[l + lane][i]);
  }
  return channels;
}

EdqaWorkload::EdqaWorkload(const EdqaConfig& config, const EdqaSettings& settings, EdqaChannels channels)
    : config_(config), channels_(std::move(channels)), program_(calibrate(config, settings, channels_)) {}

void EdqaWorkload::load(Session& session) const { load_edqa_program(session, config_, program_); }

void EdqaWorkload::run(Session& session, int first, int count) const {
  session.write(edqa_reg::control, edqa_control_start);
  for (const std::vector<int>& book : program_.lengths) // each is built
    session.add(HostAction::wait).cycles = CodeBookTiming{book.size()}.build() + 1;
  session.read(edqa_reg::cycles);
  add_edqa_channels(session.add(HostAction::stream), config_, channels_, static_cast<std::size_t>(first),
                    static_cast<std::size_t>(count));
  session.add(HostAction::wait_stop);
  session.read(edqa_reg::status);
  session.read(edqa_reg::groups);
  session.read(edqa_reg::cycles);
}

Cycle EdqaWorkload::cycles(const RunRecord& record) const {
  const std::vector<std::uint32_t>& reads = record.reads;
  return reads.size() < 4 ? 0 : static_cast<std::uint32_t>(reads.back() - reads[reads.size() - 4]);
}

double EdqaWorkload::operations(int count) const {
  double values = 0;
  for (int i = 0; i < count; ++i)
    values += static_cast<double>(channels_.groups[static_cast<std::size_t>(i)].size());
  return values;
}

std::vector<std::uint8_t> EdqaWorkload::expected(int first, int count) const {
  std::vector<std::uint8_t> bytes;
  const EdqaExpected expected = edqa_function(config_, program_, channels_, static_cast<std::size_t>(first),
                                              static_cast<std::size_t>(count));
  for (const std::int64_t value : expected.values)
    for (int byte = 0; byte < edqa_result_bits(config_.format) / 8; ++byte)
      bytes.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
  return bytes;
}

// Books are told as the paper stores them: a length of at most 8 bits for each symbol.
std::vector<Workload::Fact> EdqaWorkload::facts(const std::vector<std::uint8_t>&) const {
  const EdqaSettings& settings = program_.settings;
  const EdqaExpected expected = edqa_function(config_, program_, channels_, 0, channels_.groups.size());
  double coded = 0, signal = 0, noise = 0;
  for (const std::uint32_t size : expected.sizes)
    coded += size;
  std::size_t at = 0;
  for (const std::vector<std::uint32_t>& group : channels_.groups)
    for (const std::uint32_t bits : group) {
      const double in = input_of(config_, settings, bits);
      const double lost = in - output_of(config_, settings, expected.values[at++]);
      signal += in * in;
      noise += lost * lost;
    }
  const auto values = static_cast<double>(expected.values.size());
  const double plain = settings.mode == EdqaMode::whole ? 0 : settings.bits;
  std::vector<Fact> facts = {{"bits per value", "", plain + coded / values, 3},
                             {"of them coded", "", coded / values, 3}};
  if (settings.mode == EdqaMode::paper && settings.extra > 0) {
    constexpr int length_bits = 4;
    const auto books = static_cast<double>(expected.sizes.size()) * length_bits * (1 << settings.extra);
    facts.push_back({"with books of channels", "bits per value", plain + (coded + books) / values, 3});
  }
  if (noise > 0)
    facts.push_back({"signal to noise", "dB", 10 * std::log10(signal / noise), 1});
  return facts;
}

std::optional<std::string> EdqaWorkload::csv(const std::vector<std::uint8_t>& bytes) const {
  const auto size = static_cast<std::size_t>(edqa_result_bits(config_.format) / 8);
  const auto lanes = static_cast<std::size_t>(config_.channels);
  std::string text;
  std::size_t first = 0;
  for (const std::vector<std::uint32_t>& group : channels_.groups) {
    for (std::size_t lane = 0; lane < lanes; ++lane)
      for (std::size_t i = lane; i < group.size(); i += lanes) {
        std::uint64_t value = 0;
        for (std::size_t byte = size; byte-- > 0;)
          value = value << 8 | bytes[(first + i) * size + byte];
        if (size == 4)
          value = static_cast<std::uint64_t>(static_cast<std::int32_t>(value));
        char number[64];
        std::snprintf(number, sizeof number, config_.format == EdqaFormat::float32 ? "%.9g" : "%.17g",
                      output_of(config_, program_.settings, static_cast<std::int64_t>(value)));
        text += number;
        text += i + lanes < group.size() ? ',' : '\n';
      }
    first += group.size();
  }
  return text;
}

} // namespace deltatwin
