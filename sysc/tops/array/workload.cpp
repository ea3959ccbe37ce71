#include "tops/array/workload.h"
#include "net/graph_inference.h"
#include "tops/array/core.h"
#include "tops/array/layer_table.h"
#include "tops/array/timing.h"
#include <algorithm>

namespace deltatwin {
ArrayWorkload::ArrayWorkload(Graph graph, const ArrayConfig& config,
                             std::shared_ptr<const ArrayProgram> program, InputSet inputs)
    : graph_(std::move(graph)), config_(config), program_(std::move(program)), inputs_(std::move(inputs)) {}

int ArrayWorkload::items() const { return inputs_.count; }

void ArrayWorkload::load(Session& session) const { load_array_program(session, config_, *program_); }

void ArrayWorkload::run(Session& session, int first, int count) const {
  session.read(array_reg::cycles);
  session.write(array_reg::control, array_start);
  HostAction& stream = session.add(HostAction::stream);
  const std::size_t size = program_->input_values;
  const auto begin =
      inputs_.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * size);
  std::transform(begin, begin + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(count) * size),
                 std::back_inserter(stream.values), [this](std::int32_t value) {
                   return static_cast<std::uint8_t>(program_->input_format.held(value));
                 });
  stream.tlast.resize(stream.values.size());
  for (std::size_t last = size; last <= stream.tlast.size(); last += size)
    stream.tlast[last - 1] = 1;
  session.add(HostAction::wait_stop);
  for (const std::uint32_t address : {array_reg::status, array_reg::images, array_reg::cycles})
    session.read(address);
}

Cycle ArrayWorkload::cycles(const RunRecord& record) const {
  return record.reads.size() < 2 ? 0 : static_cast<std::uint32_t>(record.reads.back() - record.reads.front());
}

double ArrayWorkload::operations(int count) const {
  return static_cast<double>(graph_.macs()) * static_cast<double>(count);
}

std::vector<std::uint8_t> ArrayWorkload::expected(int first, int count) const {
  GraphInference inference(graph_);
  std::vector<std::int32_t> results(static_cast<std::size_t>(count) * inference.outputs());
  inference.run(inputs_.values.data() + static_cast<std::size_t>(first) * inference.inputs(), count,
                results.data());
  std::vector<std::uint8_t> bytes;
  for (const std::int32_t result : results)
    for (int byte = 0; byte < program_->output_bytes; ++byte)
      bytes.push_back(static_cast<std::uint8_t>(program_->output_byte(result, byte)));
  return bytes;
}

std::vector<Workload::Fact> ArrayWorkload::facts(const std::vector<std::uint8_t>& outputs) const {
  constexpr int enough = 9; // for what is steady
  const ArrayRun run = array_run(config_, *program_, enough);
  double ideal = 0;
  const double all = static_cast<double>(config_.pixels * config_.outputs);
  for (const ArrayLayerRow& row : array_layer_table(graph_, config_, *program_))
    ideal += row.on_stage ? row.ideal / all : row.ideal;
  std::vector<Fact> facts = {{"cycles an image", "in steady state", run.period(), 0},
                             {"latency", "cycles of a lone image", static_cast<double>(run.latency()), 0},
                             {"images per second", "", config_.clock_mhz * 1e6 / run.period(), 0},
                             {"MAC utilization", "%", 100 * ideal / run.period(), 1},
                             {"map memory", "words a bank", static_cast<double>(program_->map_words), 0},
                             {"weight memory", "words", static_cast<double>(program_->weight_words), 0}};
  if (config_.has_marks()) {
    const auto zeros = std::count(program_->marks.begin(), program_->marks.end(), mark_zero);
    facts.push_back({"tiles of zeros", "% of tiles of weights",
                     100 * static_cast<double>(zeros) / static_cast<double>(program_->marks.size()), 1});
  }
  if (!inputs_.labels.empty())
    facts.push_back(
        {"accuracy", "%",
         100 * accuracy(integers(outputs),
                        program_->output_values / static_cast<std::size_t>(program_->output_bytes),
                        inputs_.labels),
         2});
  return facts;
}

std::vector<WaveNote> ArrayWorkload::notes(const BeatTrace& beats) const {
  std::vector<WaveNote> notes = notes_of(*program_, config_, beats, "issue", "");
  if (!program_->stage.steps.empty())
    for (WaveNote& note : notes_of(program_->stage, config_.stage(), beats, "stage issue", "stage_"))
      notes.push_back(std::move(note));
  return notes;
}

// Of an engine: its tiles' windows come one behind the other, step by step.
std::vector<WaveNote> ArrayWorkload::notes_of(const ArrayTables& tables, const ArrayConfig& config,
                                              const BeatTrace& beats, const std::string& issue,
                                              const std::string& prefix) const {
  constexpr int width = 16;
  std::vector<WaveNote> notes;
  for (const char* of : {"issue", "result"}) {
    notes.push_back({prefix + of + "_layer", 0, {}});
    for (const char* what : {"_row", "_column", "_channel"})
      notes.push_back({prefix + of + what, width, {}});
  }
  const auto tell = [&](std::size_t first, Cycle cycle, std::size_t step, int tile) {
    const auto l = static_cast<std::size_t>(tables.steps[step].layer);
    const ArrayLayer& layer = tables.layers[l];
    const int channels = layer.max_pool ? config.word_channels(layer.write_code) : config.outputs;
    notes[first].changes.push_back({cycle, 0, tables.nodes[l]});
    const int numbers[] = {tables.rows[step], tile / layer.tiles * layer.tile_pixels(config.pixels),
                           tile % layer.tiles * channels};
    for (std::size_t n = 0; n < 3; ++n)
      notes[first + 1 + n].changes.push_back({cycle, static_cast<std::uint64_t>(numbers[n]), ""});
  };
  const std::vector<Interface> interfaces = ArrayCore::interfaces(config_);
  const auto windows = std::find_if(interfaces.begin(), interfaces.end(),
                                    [&](const Interface& interface) { return interface.name == issue; });
  const auto written =
      static_cast<Cycle>(prefix.empty() ? config_.write_latency() : config_.stage_write_latency());
  std::vector<std::vector<Sweep>> sweeps_of; // by layer
  if (config_.has_sweeps())
    sweeps_of = tables.sweeps_of_layers();
  std::size_t step = 0;
  int tile = 0, window = 0;
  for (const Beat& beat : beats.beats[static_cast<std::size_t>(windows - interfaces.begin())]) {
    const ArrayLayer& layer = tables.layers[static_cast<std::size_t>(tables.steps[step].layer)];
    if (config_.has_sweeps()) { // of each sweep its first pixel
      const int pixels = layer.columns * tables.steps[step].rows;
      const std::vector<Sweep>& sweeps = sweeps_of[static_cast<std::size_t>(tables.steps[step].layer)];
      if (window % pixels == 0)
        tell(0, beat.cycle, step, sweeps[static_cast<std::size_t>(window / pixels)].tile);
      if (++window < pixels * static_cast<int>(sweeps.size()))
        continue;
      window = 0;
      step = (step + 1) % tables.steps.size();
      continue;
    }
    if (window == 0)
      tell(0, beat.cycle, step, tile);
    if (++window < layer.steps())
      continue;
    tell(4, beat.cycle + written, step, tile);
    window = 0;
    if (++tile < layer.entries)
      continue;
    tile = 0;
    step = (step + 1) % tables.steps.size();
  }
  return notes;
}

std::vector<std::int32_t> ArrayWorkload::integers(const std::vector<std::uint8_t>& outputs) const {
  return program_->results_of(outputs);
}

} // namespace deltatwin
