#include "tops/array/schedule.h"
#include "tops/array/timing.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {
namespace {

using Kind = Timeline::Kind;

std::string cycles_text(Cycle first, Cycle last) {
  return "cycles " + std::to_string(first) + " to " + std::to_string(last) + " (" +
         std::to_string(last - first + 1) + ")";
}

/// How many words of a bank hold what is still read: from their write to the last read before the next one.
class Bank {
public:
  explicit Bank(std::size_t words) : words_(words) {}

  /// `writer`: what is written by the same one in parts is one word.
  void write(std::size_t word, Cycle cycle, std::size_t writer) {
    if (word >= words_.size())
      return;
    Word& is = words_[word];
    if (is.writer == writer && is.read == 0)
      return;
    close(is);
    is = {writer, cycle, 0};
  }
  void read(std::size_t word, Cycle cycle) {
    if (word < words_.size() && words_[word].writer != nobody)
      words_[word].read = std::max(words_[word].read, cycle);
  }
  /// In a window of time, `first` being its 0.
  [[nodiscard]] std::vector<std::pair<Cycle, int>> changes(Cycle first, Cycle last) {
    for (Word& word : words_) {
      close(word);
      word = {};
    }
    std::sort(events_.begin(), events_.end());
    std::vector<std::pair<Cycle, int>> changes = {{0, 0}};
    int live = 0;
    for (const auto& [cycle, change] : events_) {
      if (cycle > last)
        break;
      live += change;
      const Cycle at = cycle > first ? cycle - first : 0;
      if (at != changes.back().first)
        changes.emplace_back(at, live);
      else
        changes.back().second = live;
    }
    return changes;
  }

private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  struct Word {
    std::size_t writer = nobody;
    Cycle written = 0, read = 0;
  };
  void close(const Word& word) {
    if (word.writer == nobody || word.read < word.written)
      return;
    events_.emplace_back(word.written, 1);
    events_.emplace_back(word.read + 1, -1);
  }

  std::vector<Word> words_;
  std::vector<std::pair<Cycle, int>> events_;
};

// The array, or its stage.
struct Engine {
  const ArrayTables& tables;
  const std::vector<ArrayEvents::Step>& events;
  ArrayConfig config; // its outputs, channels and banks
  Cycle written;      // from a tile's last window to its results
  bool is_stage;

  [[nodiscard]] const ArrayLayer& layer(std::size_t step) const {
    return tables.layers[static_cast<std::size_t>(tables.steps[step].layer)];
  }
  [[nodiscard]] ArrayWalk walk(std::size_t step) const {
    return {layer(step), tables.steps[step], config.rows, config.channels, config.outputs, config.pixels};
  }
};

// When a tile's last window is read.
Cycle ended(const ArrayLayer& layer, int tile, Cycle begin) {
  return begin + static_cast<Cycle>(tile + 1) * static_cast<Cycle>(layer.tile_cycles()) - 1;
}

struct Banks {
  Banks(const ArrayConfig& config, int depth)
      : banks(static_cast<std::size_t>(config.pixels * config.rows), Bank(static_cast<std::size_t>(depth))),
        rows(config.rows), size(depth) {}
  [[nodiscard]] Bank& at(int column_bank, int bank) {
    return banks[static_cast<std::size_t>(column_bank * rows + bank)];
  }
  std::vector<Bank> banks;
  int rows, size;
};

class Schedule {
public:
  Schedule(const ArrayConfig& config, const ArrayProgram& program, int images)
      : config_(config), program_(program), run_(array_run(config, program, images, &events_)),
        engines_{{program, events_.steps, config, static_cast<Cycle>(config.write_latency()), false},
                 {program.stage, events_.stage_steps, config.stage(),
                  static_cast<Cycle>(config.stage_write_latency()), true}} {}

  /// Of an image; `alone`: from its first value on, or else from its first step.
  [[nodiscard]] Timeline timeline(std::size_t image, bool alone) {
    image_ = image;
    Timeline timeline;
    first_ = alone ? run_.images[image].first : events_.steps[image * program_.steps.size()].begin;
    last_ = run_.images[image].last;
    timeline.last = last_ - first_;
    timeline.legend = {"comes in",
                       "computed",
                       "maxima",
                       "by the depthwise stage",
                       "leaves",
                       "waits for results on their way",
                       "waits for the image, or its place",
                       "waits for room behind",
                       "waits for the other engine"};
    timeline.lines.push_back(rows_in());
    for (const ArrayProgram::Place& place : program_.order)
      timeline.lines.push_back(layer_line(engines_[place.on_stage], place.layer));
    timeline.lines.push_back(results_out());
    add_banks(timeline);
    return timeline;
  }
  [[nodiscard]] const ArrayRun& run() const { return run_; }

private:
  [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(program_.input.rows); }

  // What of it is seen; cycles are told from the window's first one on.
  void add(Timeline::Line& line, Cycle first, Cycle last, Kind kind, std::size_t image,
           const std::string& text) const {
    if (last < first_ || first > last_)
      return;
    const Cycle from = std::max(first, first_) - first_, to = std::min(last, last_) - first_;
    std::string told = text;
    if (first >= first_ && last <= last_)
      told += "\n" + cycles_text(from, to);
    else
      told += "\n" + std::to_string(last - first + 1) + " cycles, " +
              (first < first_ ? "begun before" : "going on behind");
    line.bars.push_back({from, to, kind, image != image_, std::move(told)});
  }
  [[nodiscard]] std::string of_image(std::size_t image) const {
    return image == image_ ? "" : image < image_ ? ", of an image before" : ", of the next image";
  }

  [[nodiscard]] Timeline::Line rows_in() const {
    Timeline::Line line{"image",
                        std::to_string(rows()) + " rows of " + std::to_string(program_.input.columns) +
                            " x " + std::to_string(program_.input.channels) + " values in",
                        {}};
    for (std::size_t r = 0; r < events_.rows.size(); ++r) {
      const auto& [first, last] = events_.rows[r];
      const std::size_t image = r / rows();
      const Cycle free = r ? events_.rows[r - 1].last + 1 : first;
      const std::string row = "row " + std::to_string(r % rows()) + of_image(image);
      if (first > free)
        add(line, free, first - 1, Kind::wait_in, image, row + " waits until a row's place is free");
      add(line, first, last, Kind::in, image, row + " comes in");
    }
    return line;
  }

  [[nodiscard]] Timeline::Line results_out() const {
    Timeline::Line line{"results", std::to_string(program_.output_values) + " values out", {}};
    const std::size_t each = events_.entries.size() / run_.images.size();
    int tiles = 1;
    for (const ArrayLayer& layer : program_.layers)
      if (layer.to_output)
        tiles = layer.tiles;
    for (std::size_t e = 0; e < events_.entries.size(); ++e) {
      const auto& [first, last] = events_.entries[e];
      const Cycle channel =
          e % each % static_cast<std::size_t>(tiles) * static_cast<std::size_t>(config_.outputs);
      add(line, first, last, Kind::out, e / each,
          "channels " + std::to_string(channel) + " to " + std::to_string(channel + last - first) +
              of_image(e / each) + " leave");
    }
    return line;
  }

  [[nodiscard]] Timeline::Line layer_line(const Engine& engine, std::size_t layer) const {
    const ArrayLayer& is = engine.tables.layers[layer];
    std::string detail = is.max_pool                       ? "max pool"
                         : is.depthwise || engine.is_stage ? "depthwise"
                                                           : "convolution";
    if (engine.is_stage)
      detail += " stage";
    detail += ", " + std::to_string(is.columns) + (is.columns == 1 ? " column x " : " columns x ") +
              std::to_string(is.tiles) + (is.tiles == 1 ? " tile" : " tiles") + " a row";
    if (const int pixels = is.tile_pixels(engine.config.pixels); pixels > 1)
      detail += ", " + std::to_string(pixels) + " pixels a column";
    if (is.add)
      detail += ", addition";
    Timeline::Line line{engine.tables.nodes[layer], detail, {}};
    const std::size_t steps = engine.tables.steps.size();
    for (std::size_t s = 0; s < engine.events.size(); ++s)
      if (static_cast<std::size_t>(engine.tables.steps[s % steps].layer) == layer)
        add_step(line, engine, s % steps, s / steps, engine.events[s]);
    return line;
  }

  // A step with what it waited for.
  void add_step(Timeline::Line& line, const Engine& engine, std::size_t step, std::size_t image,
                const ArrayEvents::Step& event) const {
    const ArrayLayer& layer = engine.layer(step);
    const ArrayStep& is = engine.tables.steps[step];
    const std::string row = line.name + ", row " + std::to_string(engine.tables.rows[step]) + of_image(image);
    std::string text = row + "\nstep " + std::to_string(step) + " of " +
                       std::to_string(engine.tables.steps.size()) + (engine.is_stage ? " of the stage" : "");
    const auto wait = [&](Cycle cycles, Cycle last, Kind kind, const std::string& what) {
      if (!cycles)
        return;
      add(line, last - cycles + 1, last, kind, image, row + " waits " + what);
      text += "\nwaited " + std::to_string(cycles) + (cycles == 1 ? " cycle " : " cycles ") + what;
    };
    const ArrayRun::Step& idle = event.idle;
    const Cycle last = event.begin - 1;
    wait(idle.idle_wait, last - idle.idle_rows - idle.idle_room - idle.idle_other, Kind::wait_work,
         "for results that were on their way");
    wait(idle.idle_rows, last, Kind::wait_in, "for row " + std::to_string(is.need - 1) + " of the image");
    wait(idle.idle_room, last, Kind::wait_out, "for room in the output queue");
    wait(idle.idle_other, last, Kind::wait_beside,
         "for step " + std::to_string(is.other_need - 1) + " of the " +
             (engine.is_stage ? "array" : "stage"));
    add(line, event.begin, ended(layer, layer.entries - 1, event.begin),
        engine.is_stage  ? Kind::beside
        : layer.max_pool ? Kind::other
                         : Kind::work,
        image, text);
  }

  // Words by what is written and read of them, step by step; no knowledge of the compiler's. What a step
  // needs is written before it begins, and what it overwrites was read before.
  void add_banks(Timeline& timeline) {
    Banks input(config_, config_.input_depth), maps(config_, config_.map_depth),
        stage_maps(config_, config_.stage_map_depth), stage_rows(config_, config_.stage_row_depth);
    Bank skips(static_cast<std::size_t>(config_.skip_depth));
    struct Began {
      Cycle cycle;
      const Engine* engine;
      std::size_t step;
    };
    std::vector<Began> all;
    for (const Engine& engine : engines_)
      for (std::size_t s = 0; s < engine.events.size(); ++s)
        all.push_back({engine.events[s].begin, &engine, s});
    std::stable_sort(all.begin(), all.end(),
                     [](const Began& a, const Began& b) { return a.cycle < b.cycle; });
    std::size_t row = 0, writer = 0;
    for (const auto& [begin, engine, s] : all) {
      for (; row < events_.rows.size() && events_.rows[row].last < begin; ++row)
        write_row(input, row);
      const std::size_t step = s % engine->tables.steps.size();
      const ArrayLayer& layer = engine->layer(step);
      read_windows(engine->is_stage   ? stage_maps
                   : layer.from_input ? input
                   : layer.from_stage ? stage_rows
                                      : maps,
                   *engine, step, begin);
      ++writer;
      if (layer.to_map)
        write_results(engine->is_stage ? stage_rows : maps, *engine, step, begin, writer);
      if (layer.to_stage && !engine->is_stage)
        write_results(stage_maps, *engine, step, begin, writer);
      if (!engine->is_stage)
        use_skips(skips, step, begin, writer);
    }
    for (; row < events_.rows.size(); ++row)
      write_row(input, row);
    const auto area = [&](const std::string& name, int size, Bank& bank) {
      timeline.areas.push_back({name, "words", size, bank.changes(first_, last_)});
    };
    const auto areas = [&](const std::string& name, Banks& banks) {
      for (int k = 0; k < config_.pixels; ++k)
        for (int b = 0; b < config_.rows; ++b)
          area(name + (config_.pixels > 1 ? ", column bank " + std::to_string(k) : "") + ", bank " +
                   std::to_string(b),
               banks.size, banks.at(k, b));
    };
    areas("maps", maps);
    if (!program_.stage.steps.empty()) {
      areas("maps of the stage", stage_maps);
      areas("rows of the stage", stage_rows);
    }
    areas("image", input);
    if (program_.skip_words)
      area("skips", config_.skip_depth, skips);
  }

  // As the loader lays them out, each a cycle after its last value.
  void write_row(Banks& banks, std::size_t row) const {
    const PixelInput& in = program_.input;
    const int y = static_cast<int>(row % rows()), size = in.word_channels(config_.channels);
    const int groups = (in.channels + size - 1) / size, first = in.kernel_columns - 1 - in.left;
    for (int pixel = first, column = 0; pixel < in.columns + in.right; pixel += in.stride, ++column)
      for (int group = 0; group < groups; ++group) {
        const int value = pixel * in.channels + std::min(in.channels, (group + 1) * size) - 1;
        const int address = in.address_of_row(y, config_.rows) + column / config_.pixels * groups + group;
        banks.at(column % config_.pixels, (y + group) % config_.rows)
            .write(static_cast<std::size_t>(address),
                   events_.rows[row].first + static_cast<Cycle>(std::max(0, value)) + 1, row);
      }
  }

  static void read_windows(Banks& banks, const Engine& engine, std::size_t step, Cycle begin) {
    const ArrayLayer& is = engine.layer(step);
    const ArrayWalk walk = engine.walk(step);
    // Tiles read the same words, unless each has channels of its own; of those the last time counts.
    const int first_tile = is.depthwise || is.max_pool ? 0 : is.tiles - 1;
    for (int x = 0; x < is.columns; ++x)
      for (int tile = first_tile; tile < is.tiles; ++tile)
        for (int k = 0; k < is.steps(); ++k) {
          const ArrayWindow window = walk.window(x, tile, k);
          const Cycle cycle =
              begin + static_cast<Cycle>((x * is.tiles + tile) * is.tile_cycles() + is.pause + k);
          for (int lane = 0; lane < engine.config.rows; ++lane)
            for (int pixel = 0; pixel < walk.tile_pixels(); ++pixel)
              if (is.group_mode ? window.group + lane < is.groups && !walk.outside(window, lane, pixel)
                                : walk.counts(window, lane, pixel))
                banks.at(walk.column_bank(window, pixel), walk.bank(window, lane))
                    .read(walk.address(window, lane, pixel), cycle);
        }
  }

  static void write_results(Banks& banks, const Engine& engine, std::size_t step, Cycle begin,
                            std::size_t writer) {
    const ArrayLayer& is = engine.layer(step);
    const ArrayWalk walk = engine.walk(step);
    for (int n = 0; n < is.entries; ++n)
      for (int pixel = 0; pixel < walk.tile_pixels(); ++pixel)
        banks.at(walk.result_column_bank(n / is.tiles, pixel), walk.result_bank(n % is.tiles))
            .write(walk.result_address(n / is.tiles, n % is.tiles), ended(is, n, begin) + engine.written,
                   writer);
  }

  void use_skips(Bank& skips, std::size_t step, Cycle begin, std::size_t writer) const {
    const Engine& array = engines_[0];
    const ArrayLayer& is = array.layer(step);
    const ArrayStep& from = program_.steps[step];
    for (int n = 0; is.add && n < is.entries; ++n)
      skips.read(static_cast<std::size_t>(from.skip_read + n), ended(is, n, begin));
    for (int n = 0; is.to_skip && !is.max_pool && n < is.entries; ++n)
      skips.write(static_cast<std::size_t>(from.skip_write + n), ended(is, n, begin) + array.written, writer);
  }

  const ArrayConfig& config_;
  const ArrayProgram& program_;
  ArrayEvents events_;
  ArrayRun run_;
  Engine engines_[2];
  std::size_t image_ = 0;
  Cycle first_ = 0, last_ = 0;
};

} // namespace

std::vector<Timeline> array_schedule(const ArrayConfig& config, const ArrayProgram& program) {
  constexpr int enough = 5; // images, for what is steady, and one behind the one that is shown
  Schedule many(config, program, enough), lone(config, program, 1);
  std::vector<Timeline> timelines = {many.timeline(enough - 2, false), lone.timeline(0, true)};
  const auto period = static_cast<std::uint64_t>(many.run().period() + 0.5);
  timelines[0].title = "In steady state";
  timelines[0].note =
      "An image among others, from its first step to its last result; they follow each other every " +
      std::to_string(period) + " cycles. What is pale is of others.";
  timelines[1].title = "A lone image";
  timelines[1].note =
      "From its first value to its last result: " + std::to_string(lone.run().latency()) + " cycles.";
  return timelines;
}

} // namespace deltatwin
