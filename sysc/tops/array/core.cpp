#include "tops/array/core.h"
#include "base/archive.h"
#include "base/huffman.h"
#include "base/resources.h"
#include "blocks/axi_control.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

enum : std::size_t { port_in = 5, port_out, port_issue, port_result, port_skip, port_wide };
constexpr int chunk_bytes = 4; ///< of wide results, an interface

// Interfaces behind port_wide: sums, totals, chunks of results, chunks of skips; of a stage its issue and
// results, its sums, chunks of its results.
struct WidePorts {
  explicit WidePorts(const ArrayConfig& config)
      : sums(port_wide), totals(sums + static_cast<std::size_t>(config.pixels * config.outputs)),
        results(totals + static_cast<std::size_t>(config.reference_bits > 0 ? config.pixels : 0)),
        skips(results + static_cast<std::size_t>(config.pixels * config.channels / chunk_bytes)),
        skip_chunks(static_cast<std::size_t>(ceil_div(config.pixels * config.outputs, chunk_bytes))),
        stage_issue(skips + skip_chunks), stage_result(stage_issue + 1), stage_sums(stage_result + 1),
        stage_results(stage_sums + static_cast<std::size_t>(config.channels)) {}
  std::size_t sums, totals, results, skips, skip_chunks, stage_issue, stage_result, stage_sums, stage_results;
};

// In the third piece of an output's parameters.
int reference_of(const ArrayConfig& config, std::uint32_t piece) {
  return config.reference_bits ? sign_extended(static_cast<std::int32_t>(piece >> 8), config.reference_bits)
                               : 0;
}

Cycle after(Cycle cycle) { return cycle == never ? never : cycle + 1; }

std::uint64_t low_bits(std::int64_t value, int bits) {
  return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

// Bytes as a word, the first one lowest.
std::uint64_t word_of(const std::int8_t* bytes, int count) {
  std::uint64_t word = 0;
  for (int i = 0; i < count; ++i)
    word |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  return word;
}

} // namespace

ArrayCore::ArrayCore(const ArrayConfig& config)
    : config_((validate(config), config)), stage_config_(config.stage()), sink_(take_at_once),
      memories_(config),
      stage_memories_(stage_config_), engines_{Engine(write_latency(array)), Engine(write_latency(stage))},
      sweeps_(config_.sweep_timing()) {}

std::vector<Interface> ArrayCore::interfaces(const ArrayConfig& config) {
  const Field clean("interior_rst_n");
  std::vector<Interface> all = axi_lite_interfaces("host", "array_control");
  all.insert(all.end(), {{"host",
                          "values in",
                          {"s_axis_tvalid_i", "s_axis_tready_o"},
                          {{"s_axis_tdata_i", 8}, "s_axis_tlast_i"}},
                         {"array",
                          "values out",
                          {"m_axis_tvalid_o", "m_axis_tready_i"},
                          {{"m_axis_tdata_o", 8}, "m_axis_tlast_o"}},
                         {"array_scheduler",
                          "issue",
                          {"issue_valid", clean},
                          {{"issue_weight", 16},
                           {"issue_bank", 3},
                           "issue_first",
                           "issue_last",
                           {"issue_address", 16},
                           {"issue_column_bank", 2}}},
                         {"array_results",
                          "results",
                          {"result_valid", clean},
                          {{"result_bank", 3},
                           {"result_address", 16},
                           {"result_parts", config.pieces()},
                           "result_to_map",
                           "result_to_stage",
                           {"result_columns", config.pixels}}},
                         {"array_results", "skips", {"skip_valid", clean}, {{"skip_address", 16}}}});
  const auto sums = [&](const char* block, const std::string& name, const std::string& strobe,
                        const std::string& signal, int count, int bits) {
    for (int p = 0; p < count; ++p)
      all.push_back({block, name + std::to_string(p), {strobe, clean}, {{signal, bits, p * bits}}});
  };
  const auto wide = [&](const char* block, const char* name, const char* strobe, const char* signal,
                        int bytes) {
    for (int at = 0; at < bytes; at += chunk_bytes)
      all.push_back({block,
                     name + std::to_string(at),
                     {strobe, clean},
                     {{signal, 8 * std::min(chunk_bytes, bytes - at), 8 * at}}});
  };
  sums(config.has_bytes() ? "dot_array" : "plane_array", "sums of output ", "sums_valid", "sums",
       config.pixels * config.outputs, config.accumulator_bits());
  if (config.reference_bits > 0)
    sums("plane_array", "total of pixel ", "sums_valid", "totals", config.pixels, config.accumulator_bits());
  wide("array_results", "result bytes from ", "result_valid", "result_word", config.pixels * config.channels);
  wide("array_results", "skip bytes from ", "skip_valid", "skip_data", config.pixels * config.outputs);
  if (!config.has_stage())
    return all;
  all.insert(
      all.end(),
      {{"depthwise_stage",
        "stage issue",
        {"stage_issue_valid", clean},
        {{"stage_issue_weight", 16},
         {"stage_issue_bank", 3},
         "stage_issue_first",
         "stage_issue_last",
         {"stage_issue_address", 16},
         {"stage_issue_column_bank", 2}}},
       {"depthwise_stage",
        "stage results",
        {"stage_result_valid", clean},
        {{"stage_result_bank", 3}, {"stage_result_address", 16}, {"stage_result_columns", config.pixels}}}});
  sums("depthwise_array", "stage sums of channel ", "stage_sums_valid", "stage_sums", config.channels,
       array_sum_bits);
  wide("depthwise_stage", "stage result bytes from ", "stage_result_valid", "stage_result_word",
       config.channels);
  return all;
}

void ArrayCore::add(std::size_t interface, Cycle cycle, std::uint64_t payload) {
  if (trace_ && cycle != never)
    trace_->add(interface, {cycle, payload, {}, cycle});
}

// Registers.

std::size_t ArrayCore::Epoch::left_before(Cycle cycle) const {
  return static_cast<std::size_t>(
      std::partition_point(images.begin(), images.end(), [=](const Image& i) { return i.last < cycle; }) -
      images.begin());
}

TopStatus ArrayCore::Epoch::status(Cycle cycle) const {
  if (error_at < cycle)
    return TopStatus::error;
  const std::size_t left = left_before(cycle);
  return left < images.size() && images[left].first < cycle ? TopStatus::running : TopStatus::idle;
}

std::uint32_t ArrayCore::Epoch::cycles(Cycle cycle) const {
  const Cycle until = std::min(after(error_at), cycle);
  const std::size_t left = left_before(until);
  Cycle busy = cycles_before;
  if (left > 0) {
    const Image& image = images[left - 1];
    const Cycle before = left > 1 ? images[left - 2].last : 0;
    busy += image.busy + image.last - std::max(image.first, before);
  }
  if (left < images.size()) {
    const Cycle from = std::max(images[left].first, left ? images[left - 1].last : 0);
    busy += until > from + 1 ? until - 1 - from : 0;
  }
  return static_cast<std::uint32_t>(busy);
}

// Neither inside an image, nor in the cycle of its first value, nor in error, nor in a reset.
bool ArrayCore::is_free_to_write(Cycle cycle) const {
  const Epoch& seen = epoch(cycle);
  if (cycle == now_.begin && !now_.started && cycle > 0) // the reset's cycle
    return false;
  if (seen.status(cycle) != TopStatus::idle || (seen.error == ArrayError::input && seen.error_at == cycle))
    return false;
  const std::size_t left = seen.left_before(cycle);
  return left >= seen.images.size() || seen.images[left].first != cycle;
}

bool ArrayCore::set(std::uint32_t address, std::uint32_t data) {
  if (address >= array_reg::input && address < array_reg::input + 4 * input_words && address % 4 == 0)
    registers_.input[(address - array_reg::input) / 4] = data;
  else if (address == array_reg::steps)
    registers_.steps = data;
  else if (address == array_reg::load_address)
    registers_.load_address = data;
  else if (address == array_reg::load_data && has_space(config_, registers_.load_address >> 28))
    load(data);
  else
    return false;
  return true;
}

void ArrayCore::load(std::uint32_t data) {
  const auto space = static_cast<ArraySpace>(registers_.load_address >> 28);
  const std::uint32_t word = registers_.load_address >> 12 & 0xffff, piece = registers_.load_address & 0xfff;
  const auto pieces = static_cast<std::uint32_t>(load_pieces(config_, space));
  // Tables' words are of one piece, whatever its number is.
  if (has_word(config_, space, word) && (piece < pieces || space == ArraySpace::tables ||
                                         space == ArraySpace::books || space == ArraySpace::marks))
    load_piece(space, word, piece, data);
  leave_whole();
  forget_prepared();
  const std::uint32_t space_bits = registers_.load_address & 0xf0000000;
  registers_.load_address = piece == pieces - 1 ? space_bits | ((word + 1) & 0xffff) << 12
                                                : space_bits | word << 12 | ((piece + 1) & 0xfff);
}

void ArrayCore::load_piece(ArraySpace space, std::size_t word, std::size_t piece, std::uint32_t data) {
  const auto byte = [&](std::size_t b) {
    return static_cast<std::int8_t>((b < 4 ? held_.low : data) >> (8 * (b % 4)));
  };
  const auto channels = static_cast<std::size_t>(config_.channels);
  const auto window = static_cast<std::size_t>(config_.window());
  switch (space) {
  case ArraySpace::weights:
  case ArraySpace::stage_weights:
    if (config_.has_sweeps() && piece == 1) {
      constexpr std::uint32_t high_bits = 0xf;
      memories_.stream_words[word] = std::uint64_t{data & high_bits} << 32 | held_.low;
      break;
    }
    if (piece % 2 == 0) {
      held_.low = data;
      break;
    }
    for (std::size_t b = 0, at = (piece - 1) * 4; b < 8; ++b, ++at)
      if (space == ArraySpace::weights)
        memories_.weights[word * static_cast<std::size_t>(config_.weight_bytes()) + at] = byte(b);
      else // channel at % channels is this output's only one
        stage_memories_.weights[(word * channels + at % channels) * window + at] = byte(b);
    break;
  case ArraySpace::parameters:
  case ArraySpace::stage_parameters:
    if (piece % 3 == 0) {
      held_.bias = static_cast<std::int32_t>(data);
    } else if (piece % 3 == 1) {
      held_.multiplier = static_cast<std::int32_t>(low_bits(data, config_.scale_bits));
    } else {
      const Side side = space == ArraySpace::parameters ? array : stage;
      memories(side).parameters[word * static_cast<std::size_t>(config(side).results) + piece / 3] = {
          config_.has_sweeps() ? sign_extended(held_.bias, config_.sum_bits) : held_.bias, held_.multiplier,
          static_cast<int>(data & 63), reference_of(config(side), data)};
    }
    break;
  case ArraySpace::layers:
  case ArraySpace::stage_layers:
    // Nothing keeps what only planes have, or thresholds.
    if (piece == array_precision_word && (space != ArraySpace::layers || !config_.has_planes())) {
      constexpr std::uint32_t of_results = 7u << 11;
      data &= space == ArraySpace::layers && (config_.has_thresholds() || config_.wide_sums) ? of_results : 0;
    }
    memories(space == ArraySpace::layers ? array : stage).layers[word][piece] = data;
    break;
  case ArraySpace::steps:
  case ArraySpace::stage_steps:
    memories(space == ArraySpace::steps ? array : stage).steps[word][piece] = data;
    break;
  case ArraySpace::tables:
    memories_.tables[word] = config_.lookup
                                 ? sign_extended(static_cast<std::int32_t>(data), config_.skip_bits())
                                 : static_cast<std::int32_t>(data);
    break;
  case ArraySpace::thresholds:
    memories_.thresholds[word * static_cast<std::size_t>(config_.results) + piece] =
        sign_extended(static_cast<std::int32_t>(data), config_.sum_bits);
    break;
  case ArraySpace::marks: {
    constexpr std::uint32_t mark_bits = mark_zero | mark_last;
    memories_.marks[word] = static_cast<std::uint8_t>(data & mark_bits);
    break;
  }
  case ArraySpace::books: {
    constexpr std::uint32_t length_bits = 0xf;
    memories_.code_lengths[word] = static_cast<int>(data & length_bits);
    break;
  }
  }
}

bool ArrayCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) {
  constexpr unsigned all = 0xf;
  if (strobes != all)
    return strobes == 0;
  if (address == array_reg::control) {
    if (data & array_reset) {
      take_back(cycle + 1);
      begin_epoch(cycle + 1);
      if (trace_)
        trace_->reset_after(cycle, port_in);
    } else if (data & array_start) {
      if (!is_free_to_write(cycle))
        return false;
      const int most_of_stage = config_.has_stage() ? config_.stage_steps : 0;
      if (steps(array) > 0 && steps(array) <= static_cast<std::uint32_t>(config_.steps) &&
          steps(stage) <= static_cast<std::uint32_t>(most_of_stage))
        start(cycle);
      else
        fail(ArrayError::program, cycle);
    }
    return true;
  }
  if (!is_free_to_write(cycle))
    return false;
  const Registers old = registers_;
  if (!set(address, data))
    return false;
  registers_before_ = old;
  registers_set_ = cycle;
  return true;
}

TopModel::ReadResult ArrayCore::read(std::uint32_t address, Cycle cycle) const {
  const Epoch& seen = epoch(cycle);
  const Registers& registers = cycle > registers_set_ ? registers_ : registers_before_;
  switch (address) {
  case array_reg::id:
    return {array_id, true};
  case array_reg::status: {
    const TopStatus status = seen.status(cycle);
    const auto error = status == TopStatus::error ? static_cast<std::uint32_t>(seen.error) : std::uint32_t{0};
    return {static_cast<std::uint32_t>(status) | error << 8, true};
  }
  case array_reg::images:
    return {seen.images_before + static_cast<std::uint32_t>(seen.left_before(cycle)), true};
  case array_reg::steps:
    return {registers.steps, true};
  case array_reg::load_address:
    return {registers.load_address, true};
  case array_reg::cycles:
    return {seen.cycles(cycle), true};
  default:
    break;
  }
  if (address % 4 == 0 && address >= array_reg::input && address < array_reg::input + 4 * input_words)
    return {registers.input[(address - array_reg::input) / 4], true};
  if (address % 4 == 0 && address >= array_reg::design && address < array_reg::design + 4 * array_designs)
    return {design_register(config_, (address - array_reg::design) / 4), true};
  return {0, false};
}

// From `cycle` on nothing is inside.
void ArrayCore::begin_epoch(Cycle cycle) {
  leave_whole();
  Epoch clean;
  clean.begin = cycle;
  before_ = std::exchange(now_, std::move(clean));
  input_free_ = cycle + 1;
  row_.clear();
  row_beats_.clear();
  rows_in_ = 0;
  rows_there_.clear();
  first_there_ = 0;
  credits_.clear();
  for (const Side side : {array, stage})
    engine(side) = Engine(write_latency(side));
  sweeps_ = SweepStarts(config_.sweep_timing());
  pops_.clear();
  first_pop_ = entries_ = 0;
  output_free_ = 0;
}

void ArrayCore::start(Cycle cycle) {
  const std::uint32_t images = now_.images_before + static_cast<std::uint32_t>(now_.images.size());
  const std::uint32_t cycles = now_.cycles(cycle + 1);
  begin_epoch(cycle);
  now_.started = true;
  now_.images_before = images;
  now_.cycles_before = cycles;
  const PixelInput in = input();
  credits_.assign(static_cast<std::size_t>(config_.has_sweeps() ? in.held : in.rows), 0);
  for (const Side side : {array, stage})
    engine(side).starts.start(cycle);
  sweeps_.start(cycle);
  for (int book = 0; book < config_.books && config_.has_sweeps() && !engine(array).stuck; ++book)
    if (check_book(memories_.book_lengths(config_, book)) != BookFault::none) {
      fail(ArrayError::program, cycle + config_.sweep_timing().fault_of(book));
      engine(array).stuck = true;
    }
  advance();
}

// The first error stays.
void ArrayCore::fail(ArrayError error, Cycle cycle) {
  const bool wins = error == ArrayError::input && cycle == now_.error_at;
  if (now_.error != ArrayError::none && cycle >= now_.error_at && !wins)
    return;
  now_.error = error;
  now_.error_at = cycle;
}

// What is written in a reset's first cycle still is; of a row that is not whole, too.
void ArrayCore::take_back(Cycle cycle) {
  undo_.take_back(cycle);
  const PixelInput in = input();
  if (!trace_ || row_.empty() || row_beats_.size() != row_.size())
    return;
  const auto there = std::lower_bound(row_beats_.begin(), row_beats_.end(), cycle) - row_beats_.begin();
  row_.resize(static_cast<std::size_t>(in.row_values()));
  memories_.write_input(config_, in, static_cast<int>(rows_in_ % static_cast<std::uint64_t>(in.rows)),
                        row_.data(), static_cast<int>(there), [](int, std::size_t) {});
}

void ArrayCore::hard_reset(Cycle cycle) {
  take_back(cycle);
  begin_epoch(cycle);
  registers_ = registers_before_ = {};
  if (trace_ && cycle)
    trace_->drop_cycles_after(cycle - 1, port_in);
}

// Values in.

void ArrayCore::set_sink(std::size_t, OutputSink sink) { sink_ = std::move(sink); }

PixelInput ArrayCore::input() const {
  PixelInput input = PixelInput::unpack(registers_.input);
  if (!config_.has_sweeps())
    input.held = 0;
  return input;
}

// How many beats of a burst, of the `most` from `first` on that are in this row, are as they should be.
std::size_t ArrayCore::good_beats(const StreamBurst& burst, std::size_t first, std::size_t most) const {
  const PixelInput in = input();
  const std::size_t left = static_cast<std::size_t>(in.row_values()) - row_.size();
  const bool last_row =
      rows_in_ % static_cast<std::uint64_t>(in.rows) + 1 == static_cast<std::uint64_t>(in.rows);
  for (std::size_t k = 0; k < most; ++k)
    if (burst.last(first + k) != (last_row && k + 1 == left))
      return k;
  return most;
}

std::size_t ArrayCore::offer(std::size_t, const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken) {
  const PixelInput in = input();
  const auto width = static_cast<std::size_t>(in.row_values());
  Cycle offered = from;
  for (std::size_t i = 0; i < burst.beats;) {
    if (!now_.started || width == 0 || in.rows == 0 || now_.closed)
      return i;
    if (burst.gaps)
      offered += burst.gaps(i);
    if (row_.empty() && credits_.empty())
      return i;
    const Cycle beat = std::max({offered, input_free_, row_.empty() ? credits_.front() : 0});
    if (beat == never)
      return i;
    const std::size_t most = burst.gaps ? 1 : std::min(width - row_.size(), burst.beats - i);
    const std::size_t good = good_beats(burst, i, most), count = std::max<std::size_t>(good, 1);
    for (std::size_t k = 0; k < count && (trace_ || taken); ++k) {
      add(port_in, beat + k, burst.data[i + k] | std::uint64_t{burst.last(i + k)} << 8);
      if (taken)
        taken->push_back(beat + k);
    }
    from = offered = input_free_ = beat + count;
    if (!good) {
      now_.closed = true;
      fail(ArrayError::input, beat);
      return i + 1;
    }
    if (row_.empty()) {
      credits_.pop_front();
      if (rows_in_ % static_cast<std::uint64_t>(in.rows) == 0) {
        Image image{beat, never, 0};
        now_.images.push_back(image);
      }
    }
    row_.insert(row_.end(), burst.data + i, burst.data + i + good);
    for (std::size_t k = 0; k < good && trace_; ++k)
      row_beats_.push_back(beat + k);
    i += good;
    if (row_.size() == width)
      end_row(in, input_free_ - 1);
  }
  return burst.beats;
}

void ArrayCore::end_row(const PixelInput& input, Cycle last) {
  const int y = static_cast<int>(rows_in_ % static_cast<std::uint64_t>(input.rows));
  if (y == 0)
    begin_image();
  if (whole_)
    whole_->put_row(row_);
  else
    memories_.write_input(config_, input, y, row_.data(), input.row_values() + input.row_padding(),
                          [&](int value, std::size_t at) {
                            const auto v = static_cast<std::size_t>(value), beats = row_beats_.size();
                            if (trace_ && beats == row_.size())
                              undo_.keep(memories_.input, at, config_.channels,
                                         v < beats ? row_beats_[v] + 1 : last + 2 + v - beats);
                          });
  row_.clear();
  row_beats_.clear();
  ++rows_in_;
  const Cycle done = last + static_cast<Cycle>(input.row_padding());
  rows_there_.push_back(done);
  input_free_ = done + 1;
  advance();
}

// Steps.

void ArrayCore::prepare() {
  for (const Side side : {array, stage})
    if (prepared_[side].empty())
      for (const ArrayLayer::Words& words : memories(side).layers) {
        ArrayLayer layer = ArrayLayer::unpack(words);
        if (!config_.has_stage())
          layer.from_stage = layer.to_stage = 0;
        if (config_.has_sweeps())
          layer = layer.of_sweeps();
        prepared_[side].push_back({side == array ? layer : layer.of_stage(), nullptr, std::nullopt, {}});
      }
}

// An image is computed as a whole unless its beats are recorded, one before it is unfinished, or its program
// is not what a compiler makes.
void ArrayCore::begin_image() {
  if (whole_ || trace_ || engine(array).step != 0 || checked_)
    return;
  checked_ = true;
  prepare();
  if (is_legal(array) && is_legal(stage))
    whole_ = WholeLayers::of({config_, memories_, steps(array)},
                             {stage_config_, stage_memories_, steps(stage)}, input());
}

bool ArrayCore::is_legal(Side side) {
  const ArrayBounds limits = bounds(side);
  for (std::uint32_t s = 0; s < steps(side); ++s) {
    ArrayStep step = ArrayStep::unpack(memories(side).steps[s]);
    if (!config_.has_sweeps())
      step.rows = 1;
    const auto number = static_cast<std::size_t>(step.layer);
    const ArrayLayer layer = number < prepared_[side].size() ? prepared_[side][number].layer : ArrayLayer();
    if (!limits.allows(step, layer) ||
        limits.good_windows(step, layer) != layer.row_tiles() * step.rows * layer.steps())
      return false;
  }
  return true;
}

void ArrayCore::settle() const {
  if (whole_)
    whole_->write_back(memories_, stage_memories_);
}

void ArrayCore::leave_whole() {
  settle();
  whole_.reset();
  checked_ = false;
}

void ArrayCore::record(BeatTrace* trace) {
  leave_whole();
  undo_.forget();
  trace_ = trace;
}

void ArrayCore::forget_prepared() {
  prepared_[array].clear();
  prepared_[stage].clear();
}

ArrayBounds ArrayCore::bounds(Side side) const {
  ArrayBounds bounds;
  bounds.layers = config_.layers;
  bounds.banks = config_.rows;
  bounds.beats = config(side).beats();
  bounds.drain_beats = side == array ? config_.drain_beats() : config_.stage_beats();
  bounds.other_steps = static_cast<int>(steps(side == array ? stage : array));
  bounds.weight_depth = config(side).weight_depth;
  bounds.param_depth = config(side).param_depth;
  if (side == array) {
    bounds.widths = config_.widths;
    bounds.writable = 0;
    for (int code = 0; code < width_codes; ++code)
      bounds.writable |= config_.writes_width(code) << code;
    bounds.rows = input().rows;
    bounds.output_depth = config_.output_depth;
    bounds.sweep = config_.sweep;
    bounds.books = config_.books;
    bounds.marks = config_.zero_depth;
    bounds.skip_depth = config_.pages > 0 ? config_.skip_depth : 0;
  }
  return bounds;
}

// All steps whose rows are there. Those that could change what others read wait for them by their needs.
void ArrayCore::advance() {
  prepare();
  if (config_.has_sweeps()) {
    advance_sweeps();
    return;
  }
  while (advance(array) | advance(stage)) {
  }
}

bool ArrayCore::advance(Side side) {
  Engine& walker = engine(side);
  const auto rows = static_cast<std::uint64_t>(input().rows);
  const ArrayBounds limits = bounds(side);
  bool moved = false;
  while (!walker.stuck && steps(side) > 0) {
    ArrayStep step = ArrayStep::unpack(memories(side).steps[walker.step]);
    step.rows = 1;
    const ArrayLayer& layer =
        prepared_[side][static_cast<std::size_t>(step.layer) % prepared_[side].size()].layer;
    if (!limits.allows(step, layer)) {
      fail(ArrayError::program, walker.starts.refused());
      walker.stuck = true;
      break;
    }
    if (walker.image * rows >= rows_in_)
      break;
    const std::optional<Cycle> begins = begin(side, step, layer);
    if (!begins)
      break;
    walker.stuck = *begins == never;
    if (walker.stuck)
      break;
    moved = true;
    const int windows = limits.good_windows(step, layer), each = layer.steps();
    const Doing doing{side, layer, step, *begins, windows, windows / each};
    walker.starts.begin(layer, *begins);
    run_step(doing);
    if (doing.tiles < layer.row_tiles()) {
      fail(ArrayError::program,
           *begins + static_cast<Cycle>(doing.tiles * layer.tile_cycles() + layer.pause + windows % each));
      walker.stuck = true;
      break;
    }
    end_step(side, step);
  }
  return moved;
}

// When the step begins, if that can be known yet.
std::optional<Cycle> ArrayCore::begin(Side side, const ArrayStep& step, const ArrayLayer& layer) {
  const Engine &walker = engine(side), &other = engine(side == array ? stage : array);
  Cycle there = 0, room = 0;
  if (step.need > 0) {
    const std::uint64_t row =
        walker.image * static_cast<std::uint64_t>(input().rows) + static_cast<std::uint64_t>(step.need) - 1;
    if (row >= rows_in_)
      return std::nullopt;
    there = rows_there_[row - first_there_] + ArrayStarts::row_there;
  }
  if (step.other_need > 0) {
    const std::uint64_t index =
        walker.image * steps(side == array ? stage : array) + static_cast<std::uint64_t>(step.other_need) - 1;
    if (index >= other.first_done + other.done.size())
      return std::nullopt;
    there = std::max(there, other.done[index - other.first_done] + ArrayStarts::step_there);
  }
  const auto depth = static_cast<std::uint64_t>(config_.output_depth);
  const std::uint64_t entries = entries_ + static_cast<std::uint64_t>(layer.entries);
  if (layer.to_output && entries > depth) {
    const std::uint64_t pop = entries - depth - 1;
    room = pop < entries_ ? pops_[pop - first_pop_] : never;
    room = room == never ? never : room + ArrayStarts::room_there;
  }
  return config_.has_sweeps() ? sweeps_.next(step, there, room) : walker.starts.next(step, there, room);
}

// A layer's bad code, if its stream has one.
void ArrayCore::prepare_sweeps(Prepared& prepared) {
  const DecodedTiles tiles = memories_.decoded(config_, prepared.layer);
  const auto before = [](const TileFault& a, const TileFault& b) {
    return a.tile < b.tile || (a.tile == b.tile && a.take < b.take);
  };
  for (const std::optional<TileFault>& fault : tiles.faults)
    if (fault && (!prepared.fault || before(*fault, *prepared.fault)))
      prepared.fault = fault;
  prepared.results = std::make_shared<LayerResults>(config_, memories_, prepared.layer);
  prepared.sweeps = memories_.sweeps_of(prepared.layer);
}

// The same of steps of sweeps. A bad code's step goes on to its end; none begins behind it.
void ArrayCore::advance_sweeps() {
  Engine& walker = engine(array);
  const auto rows = static_cast<std::uint64_t>(input().rows);
  const ArrayBounds limits = bounds(array);
  while (!walker.stuck && steps(array) > 0) {
    const ArrayStep step = ArrayStep::unpack(memories_.steps[walker.step]);
    Prepared& prepared = prepared_[array][static_cast<std::size_t>(step.layer) % prepared_[array].size()];
    const ArrayLayer& layer = prepared.layer;
    if (!limits.allows(step, layer)) {
      fail(ArrayError::program, sweeps_.refused());
      walker.stuck = true;
      break;
    }
    if (walker.image * rows >= rows_in_)
      break;
    const std::optional<Cycle> begins = begin(array, step, layer);
    if (!begins)
      break;
    if (!prepared.results)
      prepare_sweeps(prepared);
    const SweepStarts::Stream stream = sweeps_.stream(layer);
    const auto fault_at = [&](Cycle first_take) {
      return first_take + static_cast<Cycle>(prepared.fault->take) + 1;
    };
    const auto stop = [&](Cycle cycle) {
      fail(ArrayError::weights, cycle);
      walker.stop = std::min(walker.stop, cycle);
    };
    if (prepared.fault && prepared.fault->tile == 0 && stream.first_take != never)
      stop(fault_at(stream.first_take));
    const int pixels = layer.columns * step.rows;
    walker.stuck = *begins == never || stream.begin == never || after(walker.stop) < *begins ||
                   !sweeps_.begin(prepared.sweeps, pixels, *begins);
    if (walker.stuck)
      break;
    if (prepared.fault && prepared.fault->tile > 0 &&
        static_cast<std::size_t>(prepared.fault->tile) <= sweeps_.takes().size())
      stop(fault_at(sweeps_.takes()[static_cast<std::size_t>(prepared.fault->tile) - 1]));
    run_step({array, layer, step, *begins, pixels * static_cast<int>(prepared.sweeps.size()),
              pixels * layer.tiles});
    end_step(array, step);
  }
}

void ArrayCore::end_step(Side side, const ArrayStep& step) {
  Engine &walker = engine(side), &other = engine(side == array ? stage : array);
  const bool sweeps = config_.has_sweeps();
  walker.done.push_back(sweeps ? sweeps_.done() : walker.starts.done());
  for (int row = 0; row < step.frees && side == array; ++row)
    credits_.push_back((sweeps ? sweeps_.last() : walker.starts.last()) + 1);
  if (++walker.step < steps(side))
    return;
  walker.step = 0;
  ++walker.image;
  const auto forget = [](std::deque<Cycle>& cycles, std::uint64_t& first, std::uint64_t until) {
    const std::uint64_t over = std::min<std::uint64_t>(until - first, cycles.size());
    cycles.erase(cycles.begin(), cycles.begin() + static_cast<std::ptrdiff_t>(over));
    first += over;
  };
  if (side == array)
    forget(rows_there_, first_there_, walker.image * static_cast<std::uint64_t>(input().rows));
  forget(other.done, other.first_done, walker.image * steps(side == array ? stage : array));
}

void ArrayCore::run_step(const Doing& doing) {
  const ArrayLayer& layer = doing.layer;
  if (whole_) {
    whole_->make(doing.side);
    if (layer.to_output)
      whole_->results(results_);
  } else {
    compute(doing);
  }
  if (trace_)
    config_.has_sweeps() ? record_sweeps(doing) : record_step(doing);
  if (layer.to_output)
    send(doing);
}

void ArrayCore::compute(const Doing& doing) {
  const ArrayLayer& layer = doing.layer;
  const auto number = static_cast<std::size_t>(doing.step.layer);
  ArrayMemories& own = memories(doing.side);
  std::shared_ptr<LayerResults>& results = prepared_[doing.side][number].results;
  if (!results)
    results = std::make_shared<LayerResults>(config(doing.side), own, layer);
  results->row(own, doing.step, results_, trace_ ? &sums_ : nullptr);
  const Cycle written = doing.begin + static_cast<Cycle>(layer.tile_cycles()) - 1 +
                        static_cast<Cycle>(write_latency(doing.side));
  const ArraySweeps sweeps = sweep_writes();
  write_results({config(doing.side), layer, doing.step, results_, doing.tiles, trace_ ? &undo_ : nullptr,
                 written, config_.has_sweeps() ? &sweeps : nullptr},
                doing.side, memories_, stage_memories_);
}

ArraySweeps ArrayCore::sweep_writes() const {
  return {sweeps_.tags(), config_.beats(), config_.write_latency()};
}

std::size_t ArrayCore::first_output(const Doing& doing, int n, int pixel) const {
  const int tiles = doing.layer.tiles, column = n / tiles * doing.layer.tile_pixels(config_.pixels) + pixel;
  return static_cast<std::size_t>(column * tiles + n % tiles) *
         static_cast<std::size_t>(config(doing.side).outputs);
}

// Results into the output queue, an entry a tile, of pixel 0, and from there to the sink.
void ArrayCore::send(const Doing& doing) {
  const ArrayLayer& layer = doing.layer;
  const std::uint64_t image_number = engine(array).image;
  const bool last_step = engine(array).step + 1 == steps(array);
  const int pixels = doing.tiles / layer.tiles;
  const bool whole = config_.has_sweeps() || doing.tiles == layer.row_tiles(); // else windows are missing
  for (int i = 0; i < doing.tiles; ++i) {
    // With sweeps tile by tile.
    const int n = config_.has_sweeps() ? i % pixels * layer.tiles + i / pixels : i;
    const std::int8_t* const result = results_.data() + first_output(doing, n, 0);
    const Cycle pushed = config_.has_sweeps()
                             ? sweep_writes().written(n / layer.tiles, n % layer.tiles)
                             : doing.begin +
                                   static_cast<Cycle>(n + 1) * static_cast<Cycle>(layer.tile_cycles()) - 1 +
                                   static_cast<Cycle>(config_.write_latency());
    const bool last = last_step && whole && i + 1 == doing.tiles;
    const int values = (n + 1) % layer.tiles == 0 ? layer.outputs_of_last() : config_.outputs;
    entry_.assign(result, result + values);
    out_.clear();
    if (output_free_ == never)
      out_.assign(entry_.size(), never);
    else
      sink_({entry_.data(), values, last, std::max(pushed + 1, output_free_)}, out_);
    for (std::size_t k = 0; k < entry_.size(); ++k)
      add(port_out, out_[k], entry_[k] | std::uint64_t{last && k + 1 == entry_.size()} << 8);
    output_free_ = after(out_.back());
    pops_.push_back(out_.back());
    ++entries_;
    if (last && image_number < now_.images.size()) {
      Image& image = now_.images[image_number];
      image.last = out_.back();
      if (image_number > 0) {
        const Image& before = now_.images[image_number - 1];
        const Cycle from = std::max(before.first, image_number > 1 ? now_.images[image_number - 2].last : 0);
        image.busy = before.last == never ? never : before.busy + before.last - from;
      }
    }
  }
  const std::uint64_t kept = static_cast<std::uint64_t>(config_.output_depth);
  while (pops_.size() > kept) {
    pops_.pop_front();
    ++first_pop_;
  }
}

void ArrayCore::record_step(const Doing& doing) {
  const ArrayConfig& config = this->config(doing.side);
  const ArrayLayer& layer = doing.layer;
  const ArrayWalk walk(layer, doing.step, config.rows, config.channels, config.outputs, config.pixels);
  const std::size_t issue = doing.side == array ? port_issue : WidePorts(config_).stage_issue;
  const int steps = layer.steps();
  for (int i = 0; i < doing.windows; ++i) {
    const int n = i / steps, k = i % steps, x = n / layer.tiles, tile = n % layer.tiles;
    const Cycle cycle = doing.begin + static_cast<Cycle>(n * layer.tile_cycles() + layer.pause + k);
    const ArrayWindow window = walk.window(x, tile, k);
    add(issue, cycle,
        std::uint64_t{walk.weight(tile, k)} | static_cast<std::uint64_t>(walk.bank(window, 0)) << 16 |
            std::uint64_t{k == 0} << 19 | std::uint64_t{k + 1 == steps} << 20 |
            std::uint64_t{walk.address(window, 0)} << 21 |
            static_cast<std::uint64_t>(window.column_bank) << 37);
    if (k + 1 == steps)
      record_tile(doing, walk, n, cycle);
  }
}

// Sweep by sweep, then drain by drain: an interface's beats are in the order of cycles.
void ArrayCore::record_sweeps(const Doing& doing) {
  const ArrayLayer& layer = doing.layer;
  const ArrayWalk walk(layer, doing.step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const int pixels = layer.columns * doing.step.rows;
  const std::vector<Sweep>& sweeps = prepared_[array][static_cast<std::size_t>(doing.step.layer)].sweeps;
  for (std::size_t s = 0; s < sweeps.size(); ++s) {
    const Sweep& sweep = sweeps[s];
    for (int pixel = 0; pixel < pixels; ++pixel)
      add(port_issue, sweeps_.sweeps()[s] + static_cast<Cycle>(pixel),
          low_bits(sweep.load, 16) | std::uint64_t{sweep.first} << 19 | std::uint64_t{sweep.last} << 20 |
              std::uint64_t{walk.address(walk.window(pixel, sweep.tile, sweep.k), 0)} << 21);
  }
  for (int tile = 0; tile < layer.tiles; ++tile)
    for (int pixel = 0; pixel < pixels; ++pixel)
      record_tile(doing, walk, pixel * layer.tiles + tile,
                  sweeps_.tags()[static_cast<std::size_t>(tile)] +
                      static_cast<Cycle>(pixel * config_.beats()));
}

// What becomes of a tile; `last`: its last window.
void ArrayCore::record_tile(const Doing& doing, const ArrayWalk& walk, int tile, Cycle last) {
  const ArrayConfig& config = this->config(doing.side);
  const ArrayLayer& layer = doing.layer;
  const WidePorts wide(config_);
  const bool in_stage = doing.side == stage;
  const int latency = in_stage ? config_.stage_dot_latency() : config_.dot_latency();
  const auto outputs = static_cast<std::size_t>(config.outputs);
  const std::size_t pixels = in_stage ? 1 : static_cast<std::size_t>(config.pixels);
  const auto taken = static_cast<std::size_t>(walk.tile_pixels());
  const Cycle summed = last + array_window_latency + static_cast<Cycle>(latency);
  for (std::size_t i = 0; i < pixels * outputs && !layer.max_pool; ++i) {
    const std::size_t pixel = i / outputs, at = first_output(doing, tile, static_cast<int>(pixel));
    add((in_stage ? wide.stage_sums : wide.sums) + i, summed,
        pixel < taken ? low_bits(sums_.outputs[at + i % outputs], config.accumulator_bits()) : 0);
  }
  for (std::size_t pixel = 0; pixel < pixels && !layer.max_pool && config.reference_bits > 0; ++pixel)
    add(wide.totals + pixel, summed,
        pixel < taken ? low_bits(sums_.totals[first_output(doing, tile, static_cast<int>(pixel)) / outputs],
                                 config.accumulator_bits())
                      : 0);
  const Cycle written = last + static_cast<Cycle>(write_latency(doing.side));
  record_result(doing, walk, tile, written);
  if (!layer.to_skip || layer.max_pool)
    return;
  add(port_skip, written, low_bits(doing.step.skip_write + tile, 16));
  std::vector<std::int8_t> skips(wide.skip_chunks * chunk_bytes);
  for (std::size_t pixel = 0; pixel < taken; ++pixel)
    std::copy_n(results_.data() + first_output(doing, tile, static_cast<int>(pixel)), outputs,
                skips.data() + pixel * outputs);
  for (std::size_t c = 0; c < wide.skip_chunks; ++c)
    add(wide.skips + c, written, word_of(skips.data() + c * chunk_bytes, chunk_bytes));
}

void ArrayCore::record_result(const Doing& doing, const ArrayWalk& walk, int tile, Cycle written) {
  const ArrayConfig& config = this->config(doing.side);
  const ArrayLayer& layer = doing.layer;
  const WidePorts wide(config_);
  const bool to_stage = layer.to_stage && config_.has_stage(), in_stage = doing.side == stage;
  if (!layer.to_map && !to_stage)
    return;
  const int x = tile / layer.tiles, parts = config.pieces();
  // Pieces of the tile's part.
  const int each = config.outputs * width_bits(layer.write_code) / config.piece_bits();
  const auto ones = [](int count) { return (std::uint64_t{1} << count) - 1; };
  const std::uint64_t which =
      layer.max_pool ? ones(parts) : ones(each) << walk.result_part(tile % layer.tiles) * each;
  const std::uint64_t where = static_cast<std::uint64_t>(walk.result_bank(tile % layer.tiles)) |
                              std::uint64_t{walk.result_address(x, tile % layer.tiles)} << 3;
  std::uint64_t columns = 0;
  for (int pixel = 0; pixel < walk.tile_pixels(); ++pixel)
    columns |= std::uint64_t{1} << walk.result_column_bank(x, pixel);
  if (in_stage)
    add(wide.stage_result, written, where | columns << 19);
  else
    add(port_result, written,
        where | which << 19 | std::uint64_t{layer.to_map != 0} << (19 + parts) |
            std::uint64_t{to_stage} << (20 + parts) | columns << (21 + parts));
  const ArrayRowOfResults row{config, layer, doing.step, results_, doing.tiles};
  std::vector<std::int8_t> word(static_cast<std::size_t>(config.channels));
  for (int at = 0; at < (in_stage ? 1 : config.pixels) * config.channels; at += chunk_bytes) {
    if (at % config.channels == 0)
      row.word_of(tile, layer.wide ? at / config.channels : 0, word.data());
    add((in_stage ? wide.stage_results : wide.results) + static_cast<std::size_t>(at / chunk_bytes), written,
        word_of(word.data() + at % config.channels, chunk_bytes));
  }
}

Cycle ArrayCore::stop_cycle() const {
  if (now_.error == ArrayError::none && !now_.images.empty() && now_.images.back().last == never)
    return never;
  return std::max({after(now_.begin), after(now_.error_at == never ? 0 : now_.error_at), output_free_});
}

std::vector<MemoryImage> ArrayCore::memories() const {
  std::vector<MemoryImage> images = memories_.images(config_, false);
  if (config_.has_stage())
    for (MemoryImage& image : stage_memories_.images(stage_config_, true))
      images.push_back(std::move(image));
  return images;
}

std::string ArrayCore::save() const {
  settle();
  return save_state(*this, state_owner("array", config_.parameters()));
}

void ArrayCore::restore(const std::string& state) {
  leave_whole();
  undo_.forget();
  row_beats_.clear();
  restore_state(*this, state, state_owner("array", config_.parameters()));
}

} // namespace deltatwin
