#include "tops/array/program.h"
#include "base/error.h"
#include "base/resources.h"
#include "blocks/scaler.h"
#include "blocks/sweep_starts.h"
#include "blocks/threshold_search.h"
#include "tops/array/lowering.h"
#include "tops/array/memories.h"
#include "tops/array/row_order.h"
#include "tops/array/weight_streams.h"
#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace deltatwin {
namespace {

constexpr int nobody = -1;

constexpr int ArrayConfig::*open_sizes[] = {&ArrayConfig::map_depth,
                                            &ArrayConfig::input_depth,
                                            &ArrayConfig::weight_depth,
                                            &ArrayConfig::param_depth,
                                            &ArrayConfig::skip_depth,
                                            &ArrayConfig::output_depth,
                                            &ArrayConfig::layers,
                                            &ArrayConfig::steps,
                                            &ArrayConfig::pages,
                                            &ArrayConfig::stage_map_depth,
                                            &ArrayConfig::stage_row_depth,
                                            &ArrayConfig::stage_weight_depth,
                                            &ArrayConfig::stage_param_depth,
                                            &ArrayConfig::stage_steps};

int floor_division(int a, int b) { return a / b - (a % b < 0); }

// Places for blocks that live from one step to another.
class Memory {
public:
  struct Block {
    int base, size, from, to;
    std::size_t map;
  };
  // The least address from `base` on.
  [[nodiscard]] int free_from(int base, int size, int from, int to) const {
    for (bool moved = true; moved;) {
      moved = false;
      for (const Block& block : blocks_)
        if (block.to >= from && block.from <= to && base < block.base + block.size &&
            block.base < base + size) {
          base = block.base + block.size;
          moved = true;
        }
    }
    return base;
  }
  void put(const Block& block) {
    blocks_.push_back(block);
    size_ = std::max(size_, block.base + block.size);
  }
  // First fit.
  int place(int size, int from, int to) {
    const int base = free_from(0, size, from, to);
    put({base, size, from, to, 0});
    return base;
  }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }

private:
  std::vector<Block> blocks_;
  int size_ = 0;
};

// Where a map lies.
struct Place {
  bool in_map = false, in_skip = false;                 ///< read by the array
  bool in_stage_map = false, in_stage_rows = false;     ///< read, made by the stage
  int made = nobody, read_last = nobody;                ///< layers
  int from = nobody, to_map = nobody, to_skip = nobody; ///< steps: the first that writes it, the last ones
                                                        ///< before which nothing else may
  int base = 0, slots = 0, columns = 0, groups = 0, pitch = 0;
  int skip_base = 0, skip_rows = 0;
  std::vector<int> read_by_other; ///< of each row: steps of the engine that does not write it, up to the last
                                  ///< that reads it
  std::vector<int> made_by;       ///< of each row: steps of its engine, up to the one that makes it
};

// Of sweeps, by layer: most rows of a block, and of the ring that they are kept in; 0: any number. And how
// many of them a block takes; none: one for each tile of weights.
struct RowLimits {
  std::vector<int> block, ring, sweeps;
  int input_words = 0; ///< of the ring of the input, if it can be so short; 0: any number
  int input_times = 1; ///< and has so many times the rows that a step can need
};
// What comes of them.
struct RowSizes {
  bool possible = true;
  int map_words = 0, skip_words = 0, input_words = 0, steps = 0;
  Cycle cycles = 0; ///< about
  std::vector<int> block, ring;
};

class Layout {
public:
  /// `contents`: with weights and parameters.
  Layout(const ArrayGraph& graph, const ArrayConfig& config, ArrayOrder order, bool contents,
         RowLimits limits = {})
      : graph_(graph), config_(config), places_(graph_.maps.size()),
        read_last_by_(graph_.maps.size(), {nobody, nobody}), order_by_(order), contents_(contents),
        limits_(std::move(limits)) {
    limits_.block.resize(graph_.works.size());
    limits_.ring.resize(graph_.works.size());
  }

  // Of a block, by layer.
  std::vector<int> sweep_counts() {
    find_places();
    lay_out_input();
    find_wide();
    find_blocks();
    std::vector<int> counts;
    for (int l = 0; l < layers(); ++l) {
      add_layer(l);
      counts.push_back(static_cast<int>(program_.sweeps_of(layer(l)).size()));
    }
    return counts;
  }

  RowSizes row_sizes() {
    find_places();
    lay_out_input();
    find_wide();
    find_blocks();
    sizes_alone_ = true;
    for (int l = 0; l < layers(); ++l)
      add_layer(l);
    order_rows();
    RowSizes sizes;
    sizes.possible = !rows_.empty();
    if (!sizes.possible)
      return sizes;
    place_maps();
    sizes.map_words = program_.map_words;
    sizes.skip_words = program_.skip_words;
    sizes.input_words = program_.input_words;
    sizes.steps = static_cast<int>(rows_.size());
    for (const RowStep& row : rows_)
      sizes.cycles = std::max(sizes.cycles, row.written);
    sizes.block = blocks_;
    for (int l = 0; l < layers(); ++l)
      sizes.ring.push_back(places_[work(l).to].in_map ? places_[work(l).to].slots : 0);
    return sizes;
  }

  ArrayProgram lay_out() {
    find_places();
    lay_out_input();
    find_wide();
    find_blocks();
    for (int l = 0; l < layers(); ++l)
      add_layer(l);
    if (config_.has_sweeps())
      code_weights();
    order_rows();
    place_maps();
    if (!program_.stage.layers.empty())
      find_needs();
    for (std::size_t s = 0; s < rows_.size(); ++s)
      add_step(s);
    set_frees();
    if (config_.has_sweeps())
      shorten_input();
    config_.has_sweeps() ? set_waits_of_sweeps() : set_waits();
    if (!program_.stage.steps.empty())
      program_.steps.back().other_need = static_cast<int>(program_.stage.steps.size());
    check_records();
    const ArrayMap &in = graph_.maps[graph_.input], &out = graph_.maps[graph_.output];
    program_.input_values = values_of(in);
    program_.output_values = values_of(out);
    program_.input_format = in.format;
    program_.output_format = out.format;
    program_.output_bytes = graph_.works.back().sum_bytes ? 2 : 1;
    return std::move(program_);
  }

private:
  static std::size_t values_of(const ArrayMap& map) {
    return static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns) *
           static_cast<std::size_t>(map.channels);
  }
  [[nodiscard]] int layers() const { return static_cast<int>(graph_.works.size()); }
  [[nodiscard]] const ArrayWork& work(int l) const { return graph_.works[static_cast<std::size_t>(l)]; }
  [[nodiscard]] const ArrayMap& from(int l) const { return graph_.maps[work(l).from]; }
  [[nodiscard]] const ArrayMap& to(int l) const { return graph_.maps[work(l).to]; }
  [[nodiscard]] bool reads_input(int l) const { return work(l).from == graph_.input; }
  [[nodiscard]] bool on_stage(int l) const { return on_stage_[static_cast<std::size_t>(l)]; }
  [[nodiscard]] int engine(int l) const { return on_stage(l) ? 1 : 0; }
  [[nodiscard]] ArrayTables& tables(int l) {
    if (on_stage(l))
      return program_.stage;
    return program_;
  }
  [[nodiscard]] ArrayLayer& layer(int l) { return tables(l).layers[index_[static_cast<std::size_t>(l)]]; }
  // Of the engine that the layer runs on.
  [[nodiscard]] int outputs(int l) const { return on_stage(l) ? config_.channels : config_.outputs; }
  [[nodiscard]] int beats(int l) const { return on_stage(l) ? config_.stage_beats() : config_.beats(); }
  [[nodiscard]] int drain_beats(int l) const {
    return on_stage(l) ? config_.stage_beats() : config_.drain_beats();
  }
  [[nodiscard]] Cycle write_latency(int l) const {
    return static_cast<Cycle>(on_stage(l) ? config_.stage_write_latency() : config_.write_latency());
  }
  [[nodiscard]] int code(std::size_t map) const { return graph_.maps[map].format.code; }
  [[nodiscard]] int word_channels(std::size_t map) const { return config_.word_channels(code(map)); }
  [[nodiscard]] int tiles(int l) const {
    return ceil_div(to(l).channels, work(l).max_pool ? word_channels(work(l).to) : outputs(l));
  }

  void find_places() {
    for (int l = 0; l < layers(); ++l) {
      places_[work(l).to].made = l;
      places_[work(l).from].read_last = l;
      if (work(l).add)
        places_[work(l).add->skip].in_skip = true;
    }
    for (int l = 0; l < layers(); ++l) {
      on_stage_.push_back(belongs_on_stage(l));
      (on_stage(l) ? places_[work(l).from].in_stage_map : places_[work(l).from].in_map) = true;
      places_[work(l).to].in_stage_rows = on_stage(l);
    }
    for (std::size_t m = 0; m < places_.size(); ++m) {
      Place& place = places_[m];
      place.groups = ceil_div(graph_.maps[m].channels, word_channels(m));
      place.slots = ceil_div(graph_.maps[m].rows, config_.rows);
      set_columns(place, graph_.maps[m].columns);
    }
  }

  // Column c lies in column bank c mod M.
  void set_columns(Place& place, int columns) const {
    place.columns = columns;
    place.pitch = ceil_div(columns, config_.pixels) * place.groups;
  }

  // Layers of the array whose windows go on by one column are of all pixels; but skips are of words that
  // writer and reader must count alike.
  void find_wide() {
    for (int l = 0; l < layers(); ++l)
      wide_.push_back(config_.pixels > 1 && !on_stage(l) && !work(l).max_pool && column_stride(l) == 1 &&
                      work(l).to != graph_.output && to(l).columns > 1);
    for (bool moved = true; moved;) {
      moved = false;
      for (int l = 0; l < layers(); ++l) {
        if (!work(l).add)
          continue;
        const auto reader = static_cast<std::size_t>(l),
                   writer = static_cast<std::size_t>(places_[work(l).add->skip].made);
        if (wide_[reader] != wide_[writer])
          moved = true;
        wide_[reader] = wide_[writer] = wide_[reader] && wide_[writer];
      }
    }
  }
  // Rows of a step: with sweeps as many as have no more pixels than one of them. One, where rows do not
  // follow one another as columns do. Those of the output come in the order in which they leave, in blocks of
  // one size.
  void find_blocks() {
    for (int l = 0; l < layers(); ++l) {
      blocks_.push_back(1);
      if (!config_.has_sweeps())
        continue;
      const ArrayWork& does = work(l);
      const std::string node = "node \"" + does.node + "\": ";
      const int columns = to(l).columns, rows = to(l).rows;
      const bool leaves = does.to == graph_.output;
      if (does.max_pool)
        throw InputError(node + "an array of sweeps makes no maxima");
      if (columns > config_.sweep)
        throw InputError(node + "a row of " + std::to_string(columns) + " results; a sweep has " +
                         std::to_string(config_.sweep) + " pixels");
      if (does.passes > 1)
        throw InputError(node + "its weights take " + std::to_string(does.passes) + " passes of " +
                         std::to_string(config_.planes) + " planes; sweeps have one");
      if (leaves && tiles(l) > 1 && columns * rows > 1)
        throw InputError(node + "its results are the network's, of " + std::to_string(columns * rows) +
                         " pixels and " + std::to_string(tiles(l)) +
                         " tiles, which leave tile by tile; possible is one of either");
      if (column_stride(l) != does.window.row_stride)
        continue;
      int& block = blocks_.back();
      block = std::min(rows, config_.sweep / columns);
      if (const int most = limits_.block[static_cast<std::size_t>(l)]; most > 0)
        block = std::min(block, most);
      while (leaves && rows % block != 0)
        --block;
      // A row on is around the ring once at most, which a map of fewer rows is not.
      if (does.window.row_stride > from(l).rows)
        block = 1;
    }
  }
  [[nodiscard]] int block(int l) const { return blocks_[static_cast<std::size_t>(l)]; }

  [[nodiscard]] int column_stride(int l) const { return is_packed(l) ? 1 : work(l).window.column_stride; }

  // Depthwise work on what the array makes, of which the array makes more; and channels are where the stage
  // has them.
  [[nodiscard]] bool belongs_on_stage(int l) const {
    const ArrayWork& does = work(l);
    if (!config_.has_stage() || !does.depthwise || does.add || !does.thresholds.empty() || does.sum_bytes ||
        reads_input(l) || on_stage(places_[does.from].made) || does.to == graph_.output ||
        places_[does.to].in_skip || code(does.from) != 0 || code(does.to) != 0)
      return false;
    return !is_top_aligned(does.from) || from(l).channels % config_.channels == 0;
  }

  // Visits what a layer's rows are made of: maps, and rows of them.
  template <class Visit> void reads_of(int l, Visit visit) const {
    const ArrayWork& does = work(l);
    visit(does.from, does.window.rows, does.window.row_stride, does.window.top, false);
    if (does.add)
      visit(does.add->skip, 1, 1, 0, true);
  }

  // Of a whole block: sweeps, loads of their weights, or drains.
  [[nodiscard]] Cycle block_cycles_of_sweeps(int l, const ArrayLayer& layer) const {
    const SweepTiming timing = config_.sweep_timing();
    const int sweep = SweepTiming::sweep_cycles(layer.block_pixels), load = timing.load_cycles();
    const int count =
        limits_.sweeps.empty() ? layer.tiles * layer.steps() : limits_.sweeps[static_cast<std::size_t>(l)];
    const int sweeps = count * (work(l).same_weights ? sweep : std::max(sweep, load));
    return static_cast<Cycle>(std::max(sweeps, layer.tiles * timing.drain_cycles(layer.block_pixels)));
  }

  // The rows that the output is made of, in order.
  void order_rows() {
    std::vector<RowLayer> of;
    for (int l = 0; l < layers(); ++l) {
      const ArrayLayer& layer = this->layer(l);
      RowLayer& each = of.emplace_back();
      each.rows = to(l).rows;
      each.engine = engine(l);
      each.block = block(l);
      each.most = limits_.ring[static_cast<std::size_t>(l)];
      each.cycles = config_.has_sweeps()
                        ? block_cycles_of_sweeps(l, layer)
                        : static_cast<Cycle>(layer.entries) * static_cast<Cycle>(layer.tile_cycles());
      reads_of(l, [&](std::size_t map, int kernel, int stride, int top, bool) {
        const int made = places_[map].made;
        each.reads.push_back(
            {made == nobody ? RowUse::input : static_cast<std::size_t>(made), kernel, stride, top});
      });
    }
    // The last tile is summed and drained behind its last sweep.
    const int drained =
        config_.has_sweeps() ? config_.sweep_timing().drained + config_.sweep * config_.beats() : 0;
    const std::array<Cycle, 2> written = {static_cast<Cycle>(config_.write_latency() + drained),
                                          static_cast<Cycle>(config_.stage_write_latency())};
    const RowOrder order =
        order_by_ == ArrayOrder::by_layers ? order_by_layers(of, written) : order_depth_first(of, written);
    if (order.steps.empty()) // their rings are too short
      return;
    std::vector<std::vector<bool>> needed;
    for (int l = 0; l < layers(); ++l)
      needed.emplace_back(static_cast<std::size_t>(to(l).rows), l + 1 == layers());
    for (int l = layers(); l-- > 0;)
      for (int y = 0; y < to(l).rows; ++y)
        if (needed[static_cast<std::size_t>(l)][static_cast<std::size_t>(y)])
          reads_of(l, [&](std::size_t map, int kernel, int stride, int top, bool) {
            const int made = places_[map].made;
            for (int row = std::max(0, y * stride - top);
                 made != nobody && row < std::min(graph_.maps[map].rows, y * stride - top + kernel); ++row)
              needed[static_cast<std::size_t>(made)][static_cast<std::size_t>(row)] = true;
          });
    for (const RowStep& step : order.steps) {
      bool any = false;
      for (int y = step.row; y < step.row + step.rows; ++y)
        any = any || needed[step.layer][static_cast<std::size_t>(y)];
      if (any)
        rows_.push_back(step);
    }
    for (int l = 0; l < layers(); ++l) {
      Place& place = places_[work(l).to];
      const int live = std::max(1, order.live[static_cast<std::size_t>(l)]);
      place.slots = std::min(place.slots, ceil_div(live - 1, config_.rows) + 1);
      place.skip_rows = live;
      if (config_.has_sweeps()) { // no block wraps inside
        const auto in_blocks = [&](int least, int rows) {
          return std::min(to(l).rows, ceil_div(least, rows) * rows);
        };
        place.slots = in_blocks(live, block(l));
        place.skip_rows = in_blocks(live, skip_block(l));
      }
    }
  }

  // Rows that a ring of skips has a multiple of: blocks of whom they are written and read by.
  [[nodiscard]] int skip_block(int l) const {
    int rows = block(l);
    for (int reader = 0; reader < layers(); ++reader)
      if (work(reader).add && work(reader).add->skip == work(l).to)
        rows = std::lcm(rows, block(reader));
    return rows;
  }

  // Of a step that reads what the other engine writes: the last step of that one that begins before the read
  // is done, so that it does not wait if it writes what comes there next.
  [[nodiscard]] int read_until(std::size_t s, int writer) const {
    int last = static_cast<int>(s);
    for (std::size_t later = s + 1; later < rows_.size(); ++later)
      if (engine(static_cast<int>(rows_[later].layer)) == writer && rows_[later].begin <= rows_[s].written)
        last = static_cast<int>(later);
    return last;
  }

  // By when they are in use, the largest maps first; skips as they come.
  void place_maps() {
    for (std::size_t s = 0; s < rows_.size(); ++s) {
      const int l = static_cast<int>(rows_[s].layer), at = static_cast<int>(s);
      Place& made = places_[work(l).to];
      if (made.from == nobody)
        made.from = at;
      reads_of(l, [&](std::size_t map, int, int, int, bool as_skip) {
        (as_skip ? places_[map].to_skip : places_[map].to_map) = at;
        if (!as_skip)
          read_last_by_[map][static_cast<std::size_t>(engine(l))] = at;
      });
    }
    std::vector<std::size_t> order;
    for (std::size_t m = 0; m < places_.size(); ++m)
      if (Place& place = places_[m]; (place.in_map || place.in_stage_map) && place.made != nobody) {
        order.push_back(m);
        const int writer = engine(place.made),
                  by_other = read_last_by_[m][static_cast<std::size_t>(1 - writer)];
        if (by_other != nobody)
          place.to_map = std::max(place.to_map, read_until(static_cast<std::size_t>(by_other), writer));
      }
    const auto size = [this](std::size_t m) { return places_[m].slots * places_[m].pitch; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
    for (const std::size_t m : order)
      place_map(m, size(m));
    Memory skips;
    for (int l = 0; l < layers(); ++l)
      if (Place& place = places_[work(l).to]; place.in_skip)
        place.skip_base = skips.place(place.skip_rows * layer(l).row_tiles(), place.from, place.to_skip);
    program_.map_words = maps_.size();
    program_.stage_map_words = stage_maps_.size();
    program_.stage_row_words = stage_rows_.size();
    program_.skip_words = skips.size();
    for (int l = 0; l < layers(); ++l) {
      const Place& target = places_[work(l).to];
      const int entries = layer(l).row_tiles();
      const bool kept = target.in_map || target.in_stage_map;
      tables(l).kept.push_back({kept || target.in_skip ? target.skip_rows : 0,
                                kept ? target.slots * target.pitch : 0,
                                target.in_skip ? target.skip_rows * entries : 0});
      const Place& source = places_[work(l).from];
      layer(l).base = source.base;
      layer(l).end = source.base + source.slots * source.pitch;
    }
  }

  // At the same address of all memories that it is in.
  void place_map(std::size_t m, int size) {
    Place& place = places_[m];
    std::vector<Memory*> in;
    if (place.in_stage_rows) {
      in.push_back(&stage_rows_);
    } else {
      if (place.in_map)
        in.push_back(&maps_);
      if (place.in_stage_map)
        in.push_back(&stage_maps_);
    }
    int base = 0;
    for (int before = nobody; base != before;) {
      before = base;
      for (const Memory* memory : in)
        base = memory->free_from(base, size, place.from, place.to_map);
    }
    place.base = base;
    for (Memory* memory : in)
      memory->put({base, size, place.from, place.to_map, m});
  }

  // Which steps of each engine make a row, and read one that the other makes.
  void find_needs() {
    std::array<int, 2> steps{};
    for (int l = 0; l < layers(); ++l) {
      places_[work(l).to].made_by.resize(static_cast<std::size_t>(to(l).rows));
      places_[work(l).to].read_by_other.resize(static_cast<std::size_t>(to(l).rows));
    }
    for (const RowStep& row : rows_) {
      const int l = static_cast<int>(row.layer);
      const int number = ++steps[static_cast<std::size_t>(engine(l))];
      places_[work(l).to].made_by[static_cast<std::size_t>(row.row)] = number;
      for_rows_read(l, row, [&](std::size_t map, int y) {
        if (engine(places_[map].made) != engine(l))
          places_[map].read_by_other[static_cast<std::size_t>(y)] = number;
      });
    }
  }

  // Rows of maps that layers make: visit(map, row).
  template <class Visit> void for_rows_read(int l, const RowStep& rows, Visit visit) const {
    reads_of(l, [&](std::size_t map, int kernel, int stride, int top, bool) {
      const int first = rows.row * stride - top,
                end = std::min(graph_.maps[map].rows, first + (rows.rows - 1) * stride + kernel);
      for (int row = std::max(0, first); places_[map].made != nobody && row < end; ++row)
        visit(map, row);
    });
  }

  // How many of the other engine's steps must be done: those that make what the step reads, and those that
  // read what was where it writes. They come before it in `rows_`: nothing can deadlock.
  [[nodiscard]] int other_need(std::size_t s) const {
    const int l = static_cast<int>(rows_[s].layer), y = rows_[s].row;
    int need = 0;
    for_rows_read(l, rows_[s], [&](std::size_t map, int row) {
      if (engine(places_[map].made) != engine(l))
        need = std::max(need, places_[map].made_by[static_cast<std::size_t>(row)]);
    });
    const Place& target = places_[work(l).to];
    if (const int over = y - target.slots * config_.rows; over >= 0)
      need = std::max(need, last_read(target, over));
    if (target.from == static_cast<int>(s) && (target.in_stage_rows || target.in_stage_map)) {
      const Memory& memory = target.in_stage_rows ? stage_rows_ : stage_maps_;
      const int base = target.base, end = base + target.slots * target.pitch;
      for (const Memory::Block& block : memory.blocks())
        if (block.from < target.from && block.base < end && base < block.base + block.size)
          need = std::max(need, last_read(places_[block.map], graph_.maps[block.map].rows - 1));
    }
    return need;
  }
  // Of rows up to this one.
  [[nodiscard]] static int last_read(const Place& place, int row) {
    return *std::max_element(place.read_by_other.begin(), place.read_by_other.begin() + row + 1);
  }

  // Kernel columns of the one layer that reads the input are packed, where a word holds them.
  void lay_out_input() {
    const ArrayMap& map = graph_.maps[graph_.input];
    Place& place = places_[graph_.input];
    PixelInput& input = program_.input;
    input.columns = map.columns;
    input.rows = map.rows;
    input.channels = map.channels;
    input.code = map.format.code;
    input.padding = byte_of_fields(map.format.zero.value_or(0), input.code);
    int readers = 0;
    for (int l = 0; l <= place.read_last; ++l)
      readers += reads_input(l);
    int columns = map.columns;
    if (readers == 1) {
      const ArrayWork& reader = work(place.read_last);
      const Window& window = reader.window;
      const int results = window.result_columns(map.columns);
      const int right =
          std::max(0, (results - 1) * window.column_stride - window.left + window.columns - map.columns);
      constexpr int most = 15;
      packed_ = !reader.max_pool && window.columns * map.channels <= word_channels(graph_.input) &&
                std::max({window.columns, window.left, window.column_stride, right}) <= most;
      if (packed_) {
        input.kernel_columns = window.columns;
        input.left = window.left;
        input.stride = window.column_stride;
        input.right = right;
        input.padding = byte_of_fields(reader.padding, input.code);
        columns = results;
      }
    }
    input.groups = place.groups;
    set_columns(place, columns);
    input.pitch = place.pitch;
    program_.input_words = place.slots * place.pitch;
    program_.input_bits = 8 * config_.channels; // of several words each of them but the last is full
    if (place.groups == 1)
      program_.input_bits = (packed_ ? input.kernel_columns : 1) * map.channels * width_bits(input.code);
    (void)input.pack(); // it may not fit
  }

  // What a field of a word of the map read holds: a channel, and if columns are packed which one.
  struct Byte {
    int channel = nobody, column = 0;
  };
  [[nodiscard]] Byte byte(int l, int group, int index) const {
    const int channels = from(l).channels, size = word_channels(work(l).from);
    const int of_group = std::min(size, channels - group * size);
    if (!is_top_aligned(work(l).from))
      return {index < of_group ? group * size + index : nobody, 0};
    const int values = is_packed(l) ? program_.input.kernel_columns * channels : of_group;
    const int at = index - (size - values);
    if (at < 0)
      return {};
    return is_packed(l) ? Byte{at % channels, at / channels} : Byte{group * size + at, 0};
  }
  [[nodiscard]] bool is_packed(int l) const { return reads_input(l) && packed_; }
  // The input, and maxima of it.
  [[nodiscard]] bool is_top_aligned(std::size_t map) const {
    while (map != graph_.input) {
      const ArrayWork& maker = work(places_[map].made);
      if (!maker.max_pool)
        return false;
      map = maker.from;
    }
    return true;
  }

  void add_layer(int l) {
    const ArrayWork& does = work(l);
    const Place &source = places_[does.from], &target = places_[does.to];
    const Window& window = does.window;
    ArrayTables& tables = this->tables(l);
    ArrayLayer layer;
    layer.max_pool = does.max_pool;
    layer.depthwise = does.depthwise;
    layer.group_mode = window.rows == 1 && !does.max_pool && !does.depthwise && !config_.has_sweeps();
    layer.from_input = reads_input(l);
    layer.to_map = target.in_map;
    layer.from_stage = source.in_stage_rows;
    layer.to_stage = target.in_stage_map;
    layer.shared = !config_.has_sweeps() && does.same_weights && outputs(l) == word_channels(does.from) &&
                   tiles(l) > 1 &&
                   (!is_top_aligned(does.from) || from(l).channels % word_channels(does.from) == 0);
    layer.to_skip = target.in_skip;
    layer.to_output = does.to == graph_.output;
    layer.padding = byte_of_fields(does.padding, code(does.from));
    layer.read_code = code(does.from);
    layer.write_code = config_.has_width(code(does.to)) ? code(does.to) : config_.narrowest();
    if (!on_stage(l)) {
      layer.passes = does.passes;
      layer.reference_shift = does.shift;
      layer.planes = does.planes;
    }
    layer.row_groups = ceil_div(window.rows, config_.rows);
    layer.kernel_columns = is_packed(l) ? 1 : window.columns;
    layer.wide = wide_[static_cast<std::size_t>(l)];
    layer.map_columns = source.columns;
    layer.map_rows = from(l).rows;
    layer.first_column = is_packed(l) ? 0 : -window.left;
    layer.column_stride = layer.wide ? config_.pixels : column_stride(l);
    layer.group_steps = does.max_pool || does.depthwise ? 1
                        : layer.group_mode              ? ceil_div(source.groups, config_.rows)
                                                        : source.groups;
    layer.pause = does.max_pool || config_.has_sweeps() ? 0 : std::max(0, drain_beats(l) - layer.steps());
    layer.pitch = source.pitch;
    layer.groups = source.groups;
    layer.columns = ceil_div(to(l).columns, layer.tile_pixels(config_.pixels));
    layer.tiles = tiles(l);
    constexpr int all_outputs = 64; // which a record holds as 0
    layer.last_outputs =
        (does.max_pool ? outputs(l) : to(l).channels - (layer.tiles - 1) * outputs(l)) % all_outputs;
    constexpr int most_rows = 63; // where they matter, more are refused
    layer.kernel_rows = does.max_pool ? window.rows : std::min(window.rows, most_rows);
    layer.weight_base = tables.weight_words;
    layer.param_base = tables.param_words;
    layer.result_groups = target.groups;
    layer.block_rows = block(l);
    layer.block_pixels = config_.has_sweeps() ? block(l) * layer.columns : 0;
    layer.entries = layer.columns * layer.tiles * block(l);
    layer.zero = does.zero;
    layer.low = does.low;
    layer.high = does.high;
    layer.rule = scaling_rule(does.scale.rounding);
    layer.counts = !does.thresholds.empty();
    layer.sum_bytes = does.sum_bytes;
    layer.direct = does.direct;
    layer.stride_words = layer.column_stride / config_.pixels * layer.groups;
    layer.first_words = floor_division(layer.first_column, config_.pixels) * layer.groups;
    if (does.add)
      set_add(layer, does);
    if (sizes_alone_) {
    } else if (config_.has_sweeps()) {
      add_tiles(l, layer);
      tables.param_words += layer.tiles * beats(l);
      if (contents_)
        add_parameters(l, layer);
    } else if (!does.max_pool) {
      tables.weight_words += (layer.shared ? 1 : layer.tiles) * layer.steps();
      tables.param_words += layer.tiles * beats(l);
      if (contents_) {
        on_stage(l) ? add_stage_weights(l, layer) : add_weights(l, layer);
        add_parameters(l, layer);
      }
    }
    program_.order.push_back({on_stage(l), tables.layers.size()});
    index_.push_back(tables.layers.size());
    tables.layers.push_back(layer);
    tables.nodes.push_back(does.node);
    if (layer.to_output)
      program_.output_entries = layer.entries;
  }

  void set_add(ArrayLayer& layer, const ArrayWork& does) {
    const ArrayAdd& add = *does.add;
    layer.add = 1;
    layer.add_zero = add.zero;
    layer.add_low = add.low;
    layer.add_high = add.high;
    layer.add_rule = scaling_rule(add.rounding);
    layer.add_shift = add.shift;
    layer.add_multiplier = add.multiplier;
    if (config_.lookup) {
      set_lookup(layer, does);
      return;
    }
    const auto known = std::find(program_.tables.begin(), program_.tables.end(), add.tables);
    layer.page = static_cast<int>(known - program_.tables.begin());
    if (known == program_.tables.end())
      program_.tables.push_back(add.tables);
  }

  void set_lookup(ArrayLayer& layer, const ArrayWork& does) {
    constexpr int bits = 4;
    const ArrayAdd& add = *does.add;
    const auto held = [](int index) { return sign_extended(index, bits); };
    ArrayProgram::Lookup lookup{};
    for (int index = 0; index < 256; ++index) {
      const auto entry = [&](std::size_t side, int value) -> std::int64_t {
        return add.tables[side][static_cast<std::size_t>(static_cast<std::uint8_t>(value))];
      };
      const std::int64_t sum = entry(0, held(index >> bits)) + entry(1, held(index));
      const Scaling scaling{add.multiplier, add.shift, add.rounding, add.zero, add.low, add.high};
      constexpr int add_bits = 32;
      lookup[static_cast<std::size_t>(index)] = static_cast<std::int8_t>(
          scaled({add_bits, config_.scale_multiply != 0}, scaling, saturated(sum, add_bits)));
    }
    if (!std::all_of(lookup.begin(), lookup.end(),
                     [&](std::int8_t value) { return value == sign_extended(value, config_.skip_bits()); }))
      throw InputError("node \"" + does.node + "\": sums that do not fit the " +
                       std::to_string(config_.skip_bits()) + " bits of additions that are looked up");
    const auto known = std::find(program_.lookups.begin(), program_.lookups.end(), lookup);
    layer.page = static_cast<int>(known - program_.lookups.begin());
    if (known == program_.lookups.end())
      program_.lookups.push_back(lookup);
    layer.add_zero = layer.add_low = layer.add_high = layer.add_rule = layer.add_shift = 0;
    layer.add_multiplier = 0;
  }

  // A layer's tiles of weights, which are coded when all layers are known.
  void add_tiles(int l, ArrayLayer& layer) {
    const ArrayWork& does = work(l);
    const int outputs = static_cast<int>(does.bias.size()), size = word_channels(does.from),
              channels = does.depthwise ? 1 : from(l).channels, steps = layer.steps();
    const auto each = static_cast<std::size_t>(config_.outputs * size);
    std::vector<std::uint8_t>& weights = tile_weights_.emplace_back();
    weights.resize(static_cast<std::size_t>(layer.tiles * steps) * each);
    std::uint8_t* tile_at = weights.data();
    for (int tile = 0; tile < layer.tiles; ++tile)
      for (int k = 0; k < steps; ++k, tile_at += each) {
        const int kg = k % layer.group_steps, column = k / layer.group_steps % layer.kernel_columns,
                  row = k / (layer.group_steps * layer.kernel_columns);
        const int group = does.depthwise ? tile * config_.outputs / size : kg;
        for (int p = 0; p < config_.outputs; ++p)
          for (int s = 0; s < size; ++s) {
            const int o = tile * config_.outputs + p;
            const Byte is = byte(l, group, s);
            if (o >= outputs || is.channel == nobody || (does.depthwise && is.channel != o))
              continue;
            const int tap =
                (o * does.window.rows + row) * does.window.columns + (is_packed(l) ? is.column : column);
            const int weight =
                does.weights[static_cast<std::size_t>(tap) * static_cast<std::size_t>(channels) +
                             static_cast<std::size_t>(does.depthwise ? 0 : is.channel)];
            tile_at[p * size + s] = static_cast<std::uint8_t>(weight & ((1 << config_.planes) - 1));
          }
      }
    // Of zeros alone one sweep is enough, where the others are left out.
    const bool leaves_out =
        config_.has_marks() &&
        std::all_of(weights.begin(), weights.end(), [](std::uint8_t weight) { return weight == 0; });
    layer.still = steps > 1 && !leaves_out;
    for (int tile = 0; tile < layer.tiles && layer.still; ++tile)
      for (int k = 1; k < steps && layer.still; ++k) {
        const auto first =
            weights.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(tile * steps) * each);
        layer.still = std::equal(first, first + static_cast<std::ptrdiff_t>(each),
                                 first + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(k) * each));
      }
    if (config_.has_marks())
      add_marks(layer, weights, each);
    const std::vector<Sweep> sweeps = program_.sweeps_of(layer);
    std::vector<std::uint8_t> stands;
    for (const Sweep& sweep : sweeps)
      if (sweep.loads) {
        const auto first =
            weights.begin() +
            static_cast<std::ptrdiff_t>(static_cast<std::size_t>(sweep.tile * steps + sweep.k) * each);
        stands.insert(stands.end(), first, first + static_cast<std::ptrdiff_t>(each));
      }
    weights = std::move(stands);
    layer.loads = sweeps.back().load + 1;
  }

  // Tiles of weights of zeros are not swept, but one of each tile of outputs, which makes its results.
  void add_marks(ArrayLayer& layer, const std::vector<std::uint8_t>& weights, std::size_t each) {
    const auto steps = static_cast<std::size_t>(layer.steps());
    std::vector<std::uint8_t>& marks = program_.marks;
    layer.marks = static_cast<int>(marks.size());
    for (std::size_t tile = 0; tile < static_cast<std::size_t>(layer.tiles); ++tile) {
      const std::size_t first_mark = marks.size();
      std::size_t last = 0;
      for (std::size_t k = 0; k < steps; ++k) {
        const auto first = weights.begin() + static_cast<std::ptrdiff_t>((tile * steps + k) * each);
        const bool is_zero = !layer.still && std::all_of(first, first + static_cast<std::ptrdiff_t>(each),
                                                         [](std::uint8_t weight) { return weight == 0; });
        marks.push_back(is_zero ? mark_zero : std::uint8_t{0});
        if (!is_zero)
          last = k;
      }
      marks[first_mark + last] = mark_last;
    }
  }

  void code_weights() {
    WeightStreams streams = code_streams(config_.huffman_tiles(), tile_weights_);
    for (std::size_t l = 0; l < tile_weights_.size(); ++l) {
      program_.layers[l].weight_base = streams.bases[l];
      program_.layers[l].book = streams.book_of[l];
    }
    program_.stream_words = std::move(streams.words);
    program_.books = std::move(streams.books);
    program_.weight_words = static_cast<int>(program_.stream_words.size());
  }

  // Weights by tile, pass, k-step, output, lane and field.
  void add_weights(int l, const ArrayLayer& layer) {
    const ArrayWork& does = work(l);
    const int outputs = static_cast<int>(does.bias.size()), banks = config_.rows,
              size = word_channels(does.from);
    const int channels = does.depthwise ? 1 : from(l).channels, steps = layer.pass_steps();
    const auto word_bytes = static_cast<std::size_t>(config_.weight_bytes());
    // Of a group's field, what it is: the same for all tiles and outputs.
    std::vector<Byte> fields;
    for (int group = 0; group < layer.groups; ++group)
      for (int s = 0; s < size; ++s)
        fields.push_back(byte(l, group, s));
    for (int tile = 0; tile < (layer.shared ? 1 : layer.tiles); ++tile) {
      const std::size_t first = program_.weights.size();
      program_.weights.resize(first + static_cast<std::size_t>(layer.steps()) * word_bytes);
      for (int k = 0; k < steps; ++k) {
        const int kg = k % layer.group_steps, column = k / layer.group_steps % layer.kernel_columns,
                  rows = k / (layer.group_steps * layer.kernel_columns);
        std::int8_t* const word = program_.weights.data() + first + static_cast<std::size_t>(k) * word_bytes;
        const auto pass_bytes = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(steps) * word_bytes);
        for (int p = 0; p < config_.outputs; ++p)
          for (int j = 0; j < banks; ++j) {
            const int o = tile * config_.outputs + p;
            const int row = layer.group_mode ? 0 : rows * banks + j;
            const int group = layer.depthwise    ? tile * config_.outputs / size
                              : layer.group_mode ? kg * banks + j
                                                 : kg;
            if (o >= outputs || row >= does.window.rows || group >= layer.groups)
              continue;
            for (int s = 0; s < size; ++s) {
              const Byte& is = fields[static_cast<std::size_t>(group * size + s)];
              if (is.channel == nobody || (does.depthwise && is.channel != o))
                continue;
              const int kernel_column = is_packed(l) ? is.column : column;
              const int tap = (o * does.window.rows + row) * does.window.columns + kernel_column;
              const int weight =
                  does.weights[static_cast<std::size_t>(tap) * static_cast<std::size_t>(channels) +
                               static_cast<std::size_t>(does.depthwise ? 0 : is.channel)];
              if (uses_planes(config_, layer))
                put_planes(does, layer, word, pass_bytes, {o, p, j * size + s, weight});
              else
                word[(p * banks + j) * size + s] = static_cast<std::int8_t>(weight);
            }
          }
      }
    }
  }

  // A weight that is planes: of output `p` of its tile, at a field of the window.
  struct PlacedWeight {
    int output, p, field, weight;
  };
  void put_planes(const ArrayWork& does, const ArrayLayer& layer, std::int8_t* word,
                  std::ptrdiff_t pass_bytes, const PlacedWeight& placed) const {
    // Of a plane the weight bits of a field lie as fields of bytes do.
    const int narrowest = config_.narrowest(), code = layer.read_code + width_codes - 1 - narrowest;
    const int bytes = config_.plane_bytes(), planes = config_.planes;
    const int reference =
        does.references.empty() ? 0 : does.references[static_cast<std::size_t>(placed.output)];
    const int delta = (placed.weight - reference) / (1 << does.shift);
    for (int bit = 0; bit < layer.passes * planes; ++bit) {
      const int pass = layer.passes - 1 - bit / planes, plane = bit % planes;
      std::int8_t* const of_plane = word + pass * pass_bytes + (placed.p * planes + plane) * bytes;
      set_field(of_plane, placed.field, code, -(delta >> bit & 1));
    }
    if (!does.references.empty())
      set_field(word + config_.outputs * planes * bytes, placed.field, code, -1);
  }

  // The same, of the one output that a lane's byte goes to.
  void add_stage_weights(int l, const ArrayLayer& layer) {
    const ArrayWork& does = work(l);
    const int banks = config_.rows, size = config_.channels, window = config_.window();
    std::vector<std::int8_t>& weights = program_.stage.weights;
    for (int tile = 0; tile < (layer.shared ? 1 : layer.tiles); ++tile)
      for (int k = 0; k < layer.steps(); ++k) {
        const std::size_t word = weights.size();
        weights.resize(word + static_cast<std::size_t>(window));
        for (int i = 0; i < window; ++i) {
          const int row = k / layer.kernel_columns * banks + i / size, channel = tile * size + i % size;
          if (row < does.window.rows && channel < from(l).channels)
            weights[word + static_cast<std::size_t>(i)] = does.weights[static_cast<std::size_t>(
                (channel * does.window.rows + row) * does.window.columns + k % layer.kernel_columns)];
        }
      }
  }

  // By tile and output.
  void add_parameters(int l, const ArrayLayer& layer) {
    const ArrayWork& does = work(l);
    for (int o = 0; o < layer.tiles * outputs(l); ++o) {
      ArrayTables::Parameter parameter;
      if (const auto at = static_cast<std::size_t>(o); at < does.bias.size()) {
        parameter = {does.bias[at], does.scale.multiplier(at), does.scale.shift(at),
                     does.references.empty() || on_stage(l) ? 0 : does.references[at]};
        shorten(does, parameter);
      }
      tables(l).parameters.push_back(parameter);
    }
    if (!does.thresholds.empty())
      add_thresholds(l, layer);
  }

  // What no sum is between its bits' ends for is there; of a tree that has more, and of outputs that are
  // none, the others are reached by no sum.
  void add_thresholds(int l, const ArrayLayer& layer) {
    const ArrayWork& does = work(l);
    const int nodes = config_.threshold_nodes(), results = config_.results;
    const std::int32_t most = static_cast<std::int32_t>((std::int64_t{1} << (config_.sum_bits - 1)) - 1);
    for (int beat = 0; beat < layer.tiles * beats(l); ++beat) {
      ArrayTables::Thresholds word{layer.param_base + beat, {}};
      for (int node = 1; node < nodes; ++node)
        for (int o = beat * results; o < (beat + 1) * results; ++o) {
          const auto output = static_cast<std::size_t>(o),
                     i = static_cast<std::size_t>(threshold_of_node(config_.threshold_bits, node));
          const bool is_one = output < does.bias.size() && i < does.steps();
          word.nodes.push_back(
              is_one ? std::clamp(does.thresholds[output * does.steps() + i], -most - 1, most) : most);
        }
      tables(l).thresholds.push_back(std::move(word));
    }
  }

  // To the bits of multipliers that there are, if that changes no result.
  void shorten(const ArrayWork& does, ArrayTables::Parameter& parameter) const {
    constexpr int one_rounding = 31; // shifts below, of all rules
    const std::int32_t whole = parameter.multiplier;
    const bool even = does.scale.rounding != Rounding::tflite || parameter.shift < one_rounding;
    while (config_.scale_multiply && parameter.multiplier >> config_.scale_bits && even &&
           parameter.multiplier % 2 == 0 && parameter.shift > 0) {
      parameter.multiplier /= 2;
      --parameter.shift;
    }
    if (config_.scale_multiply && parameter.multiplier >> config_.scale_bits)
      throw InputError("node \"" + does.node + "\": a multiplier of " + std::to_string(whole) +
                       "; the array keeps " + std::to_string(config_.scale_bits) + " bits");
  }

  void check_records() const {
    for (int l = 0; l < layers(); ++l)
      check_record(l, (on_stage(l) ? program_.stage : static_cast<const ArrayTables&>(program_))
                          .layers[index_[static_cast<std::size_t>(l)]]);
    std::array<std::size_t, 2> steps{};
    for (const RowStep& row : rows_) {
      const int l = static_cast<int>(row.layer);
      const ArrayTables& of = on_stage(l) ? program_.stage : program_;
      check_record(l, of.steps[steps[static_cast<std::size_t>(engine(l))]++]);
    }
  }

  template <class Record> void check_record(int l, const Record& record) const {
    try {
      (void)record.pack();
    } catch (const InputError& error) {
      throw InputError("node \"" + work(l).node + "\": " + error.what());
    }
  }

  void add_step(std::size_t s) {
    const int l = static_cast<int>(rows_[s].layer), y = rows_[s].row;
    const ArrayWork& does = work(l);
    const Place &source = places_[does.from], &target = places_[does.to];
    const int banks = config_.rows, entries = layer(l).row_tiles();
    ArrayStep step;
    step.rows = rows_[s].rows;
    step.layer = static_cast<int>(index_[static_cast<std::size_t>(l)]);
    step.first_row = y * does.window.row_stride - does.window.top;
    const int turn = floor_division(step.first_row, banks);
    step.bank = step.first_row - turn * banks;
    step.slot = slot_of(source, turn);
    step.result_bank = y % banks;
    step.result_slot = target.base + y / banks % target.slots * target.pitch;
    if (does.add) {
      const Place& skip = places_[does.add->skip];
      step.skip_read = skip.skip_base + y % skip.skip_rows * entries;
    }
    if (target.in_skip)
      step.skip_write = target.skip_base + y % target.skip_rows * entries;
    if (reads_input(l))
      step.need = std::min(from(l).rows,
                           step.first_row + (step.rows - 1) * does.window.row_stride + does.window.rows);
    if (!program_.stage.layers.empty())
      step.other_need = other_need(s);
    tables(l).steps.push_back(step);
    tables(l).rows.push_back(y);
  }

  // Rows of the input are free when no step behind reads them. The last one that reads it waits for all of
  // them, which the image's last step takes away.
  void set_frees() {
    const int rows = graph_.maps[graph_.input].rows;
    int first_read = rows;
    bool is_last_reader = true;
    std::vector<int> free(program_.steps.size());
    for (std::size_t s = program_.steps.size(); s-- > 0;) {
      ArrayStep& step = program_.steps[s];
      free[s] = first_read;
      if (!program_.layers[static_cast<std::size_t>(step.layer)].from_input)
        continue;
      if (std::exchange(is_last_reader, false))
        step.need = rows;
      first_read = std::min(first_read, std::max(0, step.first_row));
    }
    int before = 0;
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
      program_.steps[s].frees = free[s] - before;
      before = free[s];
    }
  }

  // The input becomes a ring of as many rows as its words hold, at least of those that a step can need before
  // the ones ahead of them are free.
  void shorten_input() {
    Place& place = places_[graph_.input];
    PixelInput& input = program_.input;
    input.held = input.rows;
    if (limits_.input_words == 0 || program_.input_words <= limits_.input_words)
      return;
    int least = 1, freed = 0;
    for (const ArrayStep& step : program_.steps) {
      least = std::max(least, step.need - freed);
      freed += step.frees;
    }
    int rows = limits_.input_words / place.pitch;
    while (rows > 0 && input.rows % rows != 0)
      --rows;
    if (rows < limits_.input_times * least)
      return;
    input.held = place.slots = rows;
    program_.input_words = place.slots * place.pitch;
    for (ArrayLayer& layer : program_.layers)
      if (layer.from_input)
        layer.end = place.slots * place.pitch;
    for (ArrayStep& step : program_.steps)
      if (program_.layers[static_cast<std::size_t>(step.layer)].from_input)
        step.slot = slot_of(place, step.first_row);
  }
  // Of one bank.
  [[nodiscard]] static int slot_of(const Place& place, int turn) {
    return place.base + (turn - floor_division(turn, place.slots) * place.slots) * place.pitch;
  }

  // A step waits where what it reads, of its own engine's rows, could still be on its way, if nothing holds
  // up the steps before.
  void set_waits() {
    constexpr std::int64_t shortest = 4;
    std::vector<std::vector<std::int64_t>> there; // when a layer's rows are
    for (int l = 0; l < layers(); ++l)
      there.emplace_back(static_cast<std::size_t>(to(l).rows));
    std::array<std::int64_t, 2> frees{}, lasts{};
    std::array<std::size_t, 2> steps{};
    for (const RowStep& row : rows_) {
      const int l = static_cast<int>(row.layer);
      const auto side = static_cast<std::size_t>(engine(l));
      std::int64_t &free = frees[side], &last = lasts[side];
      ArrayStep& step = tables(l).steps[steps[side]++];
      const ArrayLayer& layer = this->layer(l);
      const auto written = static_cast<std::int64_t>(write_latency(l));
      std::int64_t needed = 0;
      for_rows_read(l, row, [&](std::size_t map, int y) {
        const int made = places_[map].made;
        if (engine(made) == engine(l))
          needed = std::max(needed, there[static_cast<std::size_t>(made)][static_cast<std::size_t>(y)]);
      });
      step.wait = free + layer.pause < needed;
      const std::int64_t begin = step.wait ? std::max(free, last + written) : free;
      const std::int64_t length = std::int64_t{layer.entries} * layer.tile_cycles();
      last = begin + length - 1;
      there[row.layer][static_cast<std::size_t>(row.row)] = last + written;
      free = begin + std::max(length, shortest);
    }
  }

  // The same of sweeps, which may come later than others, for their weights. A tile's last sweep begins when
  // the tile before is drained: a pixel's results are written W - B cycles later.
  void set_waits_of_sweeps() {
    struct Sweeps {
      /// Cycles of its first tile's last sweep, and of all of that one's; of those of the tiles behind it.
      std::int64_t last, first_tile, others;
    };
    std::vector<Sweeps> all;
    std::vector<std::vector<Sweep>> sweeps_of; // a layer
    for (int l = 0; l < layers(); ++l)
      sweeps_of.push_back(program_.sweeps_of(layer(l)));
    std::vector<std::vector<std::size_t>> step_of; // which makes a layer's rows
    for (int l = 0; l < layers(); ++l)
      step_of.emplace_back(static_cast<std::size_t>(to(l).rows));
    const std::int64_t least = config_.write_latency() - config_.beats();
    for (std::size_t s = 0; s < rows_.size(); ++s) {
      const RowStep& row = rows_[s];
      const int l = static_cast<int>(row.layer);
      ArrayStep& step = program_.steps[s];
      bool waits = false;
      for_rows_read(l, row, [&](std::size_t map, int y) {
        const std::size_t made =
            step_of[static_cast<std::size_t>(places_[map].made)][static_cast<std::size_t>(y)];
        std::int64_t behind = 0;
        for (std::size_t other = made + 1; other < s && behind < least; ++other)
          behind += all[other].others + (other == made + 1 ? all[other].last : all[other].first_tile);
        waits = waits || behind < least;
      });
      step.wait = waits;
      const std::vector<Sweep>& sweeps = sweeps_of[row.layer];
      const auto of_first =
          std::count_if(sweeps.begin(), sweeps.end(), [](const Sweep& sweep) { return sweep.tile == 0; });
      const std::int64_t cycles = SweepTiming::sweep_cycles(layer(l).columns * row.rows);
      all.push_back(
          {cycles, cycles * of_first, cycles * (static_cast<std::int64_t>(sweeps.size()) - of_first)});
      for (int y = row.row; y < row.row + row.rows; ++y)
        step_of[row.layer][static_cast<std::size_t>(y)] = s;
    }
  }

  const ArrayGraph& graph_;
  const ArrayConfig& config_;
  std::vector<Place> places_;
  std::vector<int> blocks_;                             ///< of each layer
  std::vector<std::vector<std::uint8_t>> tile_weights_; ///< of each layer: [loads][P * C]
  std::vector<bool> on_stage_, wide_;                   ///< of each layer
  std::vector<std::size_t> index_;                      ///< of each layer, in its engine's table
  std::vector<std::array<int, 2>> read_last_by_;        ///< of each map: an engine's last step that does
  Memory maps_, stage_maps_, stage_rows_;
  ArrayOrder order_by_;
  bool contents_;
  RowLimits limits_;
  bool sizes_alone_ = false; ///< of maps: nothing of weights is needed
  bool packed_ = false;
  std::vector<RowStep> rows_;
  ArrayProgram program_;
};

void check_fit(const ArrayConfig& config, const ArrayProgram& program) {
  const auto fit = [](const char* what, int needs, int has) {
    if (needs > has)
      throw InputError("the network takes " + std::to_string(needs) + " " + what + ", there are " +
                       std::to_string(has));
  };
  fit("layers", static_cast<int>(program.layers.size()), config.layers);
  fit("steps", static_cast<int>(program.steps.size()), config.steps);
  fit("table pages for additions", program.pages(), config.pages);
  fit("words a bank of map memory", program.map_words, config.map_depth);
  fit("words a bank of input memory", program.input_words, config.input_depth);
  if (config.input_bits > 0)
    fit("bits a word of input memory", program.input_bits, config.input_bits);
  fit("words of weights", program.weight_words, config.weight_depth);
  fit("marks of tiles of weights", static_cast<int>(program.marks.size()), config.zero_depth);
  fit("words of parameters", program.param_words, config.param_depth);
  fit("words of skips", program.skip_words, config.skip_depth);
  fit("entries of the output FIFO", program.output_entries, config.output_depth);
  if (!config.has_stage())
    return;
  fit("layers of the stage", static_cast<int>(program.stage.layers.size()), config.layers);
  fit("steps of the stage", static_cast<int>(program.stage.steps.size()), config.stage_steps);
  fit("words a bank of the stage's map memory", program.stage_map_words, config.stage_map_depth);
  fit("words a bank of the stage's row memory", program.stage_row_words, config.stage_row_depth);
  fit("words of the stage's weights", program.stage.weight_words, config.stage_weight_depth);
  fit("words of the stage's parameters", program.stage.param_words, config.stage_param_depth);
}

// Of sweeps: has maps take no more than `goal` words, where that can be: halves blocks and shortens rings,
// next the one whose words take the fewest cycles. They are as they were where it cannot be, or takes more
// than `most_cycles` times the cycles.
RowLimits limits_to_fit(const ArrayGraph& graph, const ArrayConfig& config, ArrayOrder order,
                        const RowLimits& none, int goal, double most_cycles) {
  const auto sizes_of = [&](const RowLimits& limits) {
    return Layout(graph, config, order, false, limits).row_sizes();
  };
  const std::size_t layers = graph.works.size();
  RowLimits limits{std::vector<int>(layers), std::vector<int>(layers), none.sweeps};
  const RowSizes first = sizes_of(limits);
  RowSizes now = first;
  while (now.map_words > goal) {
    RowLimits best_limits;
    RowSizes best;
    best.possible = false;
    const auto try_out = [&](const RowLimits& tried) {
      RowSizes sizes = sizes_of(tried);
      if (!sizes.possible || sizes.map_words >= now.map_words ||
          sizes.skip_words > std::max(config.skip_depth, first.skip_words) ||
          sizes.steps > std::max(config.steps, first.steps))
        return;
      const auto cost = [&](const RowSizes& of) { // cycles a word
        return (static_cast<double>(of.cycles) - static_cast<double>(now.cycles)) /
               (now.map_words - std::max(of.map_words, goal));
      };
      if (best.possible && cost(best) <= cost(sizes))
        return;
      best = std::move(sizes);
      best_limits = tried;
    };
    for (std::size_t l = 0; l < layers; ++l) {
      RowLimits tried = limits;
      if (tried.block[l] = now.block[l] / 2; tried.block[l] > 0)
        try_out(tried);
      tried.block[l] = limits.block[l];
      if (tried.ring[l] = now.ring[l] - now.block[l]; tried.ring[l] > 0)
        try_out(tried);
    }
    if (!best.possible)
      return none;
    now = std::move(best);
    limits = std::move(best_limits);
  }
  return static_cast<double>(now.cycles) <= most_cycles * static_cast<double>(first.cycles) ? limits : none;
}

// Those that there are whatever the maps take.
RowLimits no_limits(const ArrayGraph& graph, const ArrayConfig& config, ArrayOrder order) {
  if (!config.has_marks())
    return {};
  return {{}, {}, Layout(graph, config, order, false).sweep_counts()};
}

// The words that maps must not be more than, if they are.
RowLimits limits_to_fit(const ArrayGraph& graph, const ArrayConfig& config, ArrayOrder order,
                        const RowLimits& none) {
  constexpr double any = std::numeric_limits<double>::max();
  if (!config.has_sweeps())
    return none;
  RowLimits limits = limits_to_fit(graph, config, order, none, config.map_depth, any);
  limits.input_words = config.input_depth;
  return limits;
}

// Of sweeps: where memories are left open, the next lower numbers of block RAMs, of maps where that costs
// next to nothing, and the depth of maps.
RowLimits limits_of_open(const ArrayGraph& graph, const ArrayConfig& closed, ArrayConfig& config,
                         ArrayOrder order) {
  constexpr int unit = 512;
  constexpr double most_cycles = 1.02;
  const RowLimits none = no_limits(graph, closed, order);
  if (!closed.has_sweeps())
    return none;
  const RowSizes sizes = Layout(graph, closed, order, false, none).row_sizes();
  RowLimits limits = none;
  if (config.map_depth > 0) {
    limits = limits_to_fit(graph, closed, order, none);
  } else if (const int words = sizes.map_words / unit * unit) {
    limits = limits_to_fit(graph, closed, order, none, words, most_cycles);
    if (!limits.block.empty())
      config.map_depth = words;
  }
  limits.input_words = config.input_depth;
  if (config.input_depth == 0) {
    limits.input_words = (sizes.input_words - 1) / unit * unit;
    limits.input_times = 2; // so that rows come in while others are read
  }
  return limits;
}

ArrayProgram lay_out_to_fit(const ArrayGraph& graph, ArrayConfig& config, ArrayOrder order, bool contents) {
  ArrayConfig closed = config; // what is open does not matter yet
  for (int ArrayConfig::*size : open_sizes)
    closed.*size = ArrayConfig().*size;
  constexpr int most_marks = (1 << 16) - 1;
  if (config.zero_depth == ArrayConfig::open_depth)
    closed.zero_depth = most_marks;
  validate(closed);
  if (config.skip_depth == 0)
    closed.skip_depth = 0;
  ArrayProgram program =
      Layout(graph, closed, order, contents, limits_of_open(graph, closed, config, order)).lay_out();
  const auto open = [&config](int ArrayConfig::*size, int least) {
    if (config.*size == 0)
      config.*size = std::max(2, least);
  };
  const auto power = [](std::size_t least) { return 1 << address_bits(static_cast<int>(least)); };
  if (config.pages == 0)
    config.pages = program.pages();
  open(&ArrayConfig::layers, power(std::max(program.layers.size(), program.stage.layers.size())));
  open(&ArrayConfig::steps,
       config.has_sweeps() ? static_cast<int>(program.steps.size()) : power(program.steps.size()));
  open(&ArrayConfig::map_depth, program.map_words);
  constexpr int unit = 4; // bits that can be kept
  if (config.has_sweeps() && config.input_depth == 0 && config.input_bits == 0 &&
      program.input_bits + unit <= 8 * config.channels)
    config.input_bits = unit * ceil_div(program.input_bits, unit);
  open(&ArrayConfig::input_depth, program.input_words);
  constexpr int least_bank = 4;
  open(&ArrayConfig::weight_depth,
       config.has_sweeps() ? std::max(least_bank, program.weight_words) : program.weight_words);
  if (config.zero_depth == ArrayConfig::open_depth)
    config.zero_depth = std::max(2, static_cast<int>(program.marks.size()));
  open(&ArrayConfig::param_depth, program.param_words);
  open(&ArrayConfig::skip_depth, program.skip_words);
  open(&ArrayConfig::stage_steps, power(program.stage.steps.size()));
  open(&ArrayConfig::stage_map_depth, program.stage_map_words);
  open(&ArrayConfig::stage_row_depth, program.stage_row_words);
  open(&ArrayConfig::stage_weight_depth, program.stage.weight_words);
  open(&ArrayConfig::stage_param_depth, program.stage.param_words);
  open(&ArrayConfig::output_depth, power(static_cast<std::size_t>(2 * program.output_entries)));
  validate(config);
  check_fit(config, program);
  return program;
}

} // namespace

std::vector<Sweep> ArrayTables::sweeps_of(const ArrayLayer& layer) const {
  if (marks.empty())
    return layer_sweeps(layer, {});
  const auto first = marks.begin() + layer.marks;
  return layer_sweeps(layer, {first, first + layer.tiles * layer.steps()});
}

std::vector<std::vector<Sweep>> ArrayTables::sweeps_of_layers() const {
  std::vector<std::vector<Sweep>> sweeps;
  for (const ArrayLayer& layer : layers)
    sweeps.push_back(sweeps_of(layer));
  return sweeps;
}

int ArrayProgram::output_byte(int result, int byte) const {
  return (output_bytes > 1 ? result >> (8 * byte) : output_format.held(result)) & 0xff;
}

std::vector<std::int32_t> ArrayProgram::results_of(const std::vector<std::uint8_t>& bytes) const {
  std::vector<std::int32_t> results;
  const auto each = static_cast<std::size_t>(output_bytes);
  for (std::size_t i = 0; i + each <= bytes.size(); i += each) {
    const int high = static_cast<std::int8_t>(bytes[i + each - 1]);
    results.push_back(each > 1 ? high * 256 + bytes[i] : output_format.integer(high));
  }
  return results;
}

ArrayProgram compile(const Graph& graph, const ArrayConfig& config, ArrayOrder order) {
  validate(config);
  const ArrayGraph lowered = lower(graph, config);
  const RowLimits none = no_limits(lowered, config, order);
  ArrayProgram program =
      Layout(lowered, config, order, true, limits_to_fit(lowered, config, order, none)).lay_out();
  check_fit(config, program);
  return program;
}

ArrayProgram compile_to_fit(const Graph& graph, ArrayConfig& config, ArrayOrder order) {
  return lay_out_to_fit(lower(graph, config), config, order, true);
}

ArrayProgram size_up(const ArrayGraph& graph, ArrayConfig& config, ArrayOrder order) {
  return lay_out_to_fit(graph, config, order, false);
}

void load_array_program(Session& session, const ArrayConfig& config, const ArrayProgram& program) {
  const PixelInput::Words input = program.input.pack();
  for (std::size_t i = 0; i < input.size(); ++i)
    session.write(array_reg::input + 4 * static_cast<std::uint32_t>(i), input[i]);
  session.write(array_reg::steps,
                static_cast<std::uint32_t>(program.steps.size() | program.stage.steps.size() << 16));
  const auto begin = [&](ArraySpace space, std::uint32_t word) {
    session.write(array_reg::load_address, load_address(space, word));
  };
  const auto data = [&](std::uint32_t piece) { session.write(array_reg::load_data, piece); };
  // Spaces of weights, parameters, layers and steps lie one behind the other.
  if (config.has_sweeps()) {
    begin(ArraySpace::weights, 0);
    for (const std::uint64_t word : program.stream_words) {
      data(static_cast<std::uint32_t>(word));
      data(static_cast<std::uint32_t>(word >> 32));
    }
    begin(ArraySpace::books, 0);
    for (const std::vector<int>& book : program.books)
      for (const int length : book)
        data(static_cast<std::uint32_t>(length));
  }
  if (config.has_marks()) {
    begin(ArraySpace::marks, 0);
    for (const std::uint8_t mark : program.marks)
      data(mark);
  }
  for (const ArrayTables::Thresholds& of : program.thresholds) {
    begin(ArraySpace::thresholds, static_cast<std::uint32_t>(of.word * ArrayConfig::threshold_places + 1));
    for (const std::int32_t threshold : of.nodes)
      data(static_cast<std::uint32_t>(threshold));
  }
  const auto load = [&](const ArrayTables& tables, ArraySpace weights) {
    const auto space = [weights](std::uint32_t behind) {
      return static_cast<ArraySpace>(static_cast<std::uint32_t>(weights) + behind);
    };
    if (!tables.weights.empty())
      begin(space(0), 0);
    for (std::size_t i = 0; i < tables.weights.size(); i += 4) {
      std::uint32_t piece = 0;
      for (std::size_t b = 0; b < 4; ++b)
        piece |= std::uint32_t{static_cast<std::uint8_t>(tables.weights[i + b])} << (8 * b);
      data(piece);
    }
    if (!tables.parameters.empty())
      begin(space(1), 0);
    for (const ArrayTables::Parameter& parameter : tables.parameters) {
      data(static_cast<std::uint32_t>(parameter.bias));
      data(static_cast<std::uint32_t>(parameter.multiplier));
      data(static_cast<std::uint32_t>(parameter.shift) |
           static_cast<std::uint32_t>(static_cast<std::uint8_t>(parameter.reference)) << 8);
    }
    begin(space(2), 0);
    const auto pieces = static_cast<std::size_t>(load_pieces(config, space(2)));
    for (const ArrayLayer& layer : tables.layers) {
      const ArrayLayer::Words words = layer.pack();
      std::for_each_n(words.begin(), pieces, data);
    }
    begin(space(3), 0);
    for (const ArrayStep& step : tables.steps)
      for (const std::uint32_t piece : step.pack())
        data(piece);
  };
  load(program, ArraySpace::weights);
  if (!program.stage.steps.empty())
    load(program.stage, ArraySpace::stage_weights);
  for (std::size_t page = 0; page < program.tables.size(); ++page)
    for (std::uint32_t side = 0; side < 2; ++side) {
      begin(ArraySpace::tables, side << 12 | static_cast<std::uint32_t>(page) << 8);
      for (const std::int32_t entry : program.tables[page][side])
        data(static_cast<std::uint32_t>(entry));
    }
  for (std::size_t page = 0; page < program.lookups.size(); ++page) {
    begin(ArraySpace::tables, static_cast<std::uint32_t>(page) << 8);
    for (const std::int8_t entry : program.lookups[page])
      data(static_cast<std::uint32_t>(entry));
  }
}

} // namespace deltatwin
