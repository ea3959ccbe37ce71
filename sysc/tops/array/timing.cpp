#include "tops/array/timing.h"
#include "blocks/sweep_starts.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {

Cycle ArrayRun::cycles() const {
  Cycle all = 0, before = 0;
  for (const Image& image : images) {
    all += image.last - std::max(image.first, before);
    before = image.last;
  }
  return all;
}

double ArrayRun::period() const {
  const std::size_t half = (images.size() - 1) / 2;
  if (half + 1 == images.size())
    return static_cast<double>(images.back().last - images.back().first + 1);
  return static_cast<double>(images.back().last - images[half].last) /
         static_cast<double>(images.size() - 1 - half);
}

namespace {

// The array, its stage, and what goes in and out of them, row by row.
class Running {
public:
  Running(const ArrayConfig& config, const ArrayProgram& program, int images, ArrayEvents* events)
      : config_(config), program_(program), rows_(static_cast<std::size_t>(program.input.rows)),
        images_(static_cast<std::size_t>(images)), events_(events),
        credits_(static_cast<std::size_t>(program.input.held_rows()), 0),
        sweeps_(config.sweep_timing()), engines_{Engine(program, config.write_latency(), run_.steps),
                                                 Engine(program.stage, config.stage_write_latency(),
                                                        run_.stage_steps)} {}

  ArrayRun run() {
    sweeps_.start(0);
    if (config_.has_sweeps())
      sweeps_of_ = program_.sweeps_of_layers();
    for (std::size_t row = 0; row < rows_ * images_; ++row) {
      const Cycle first = std::max(input_free_, credits_[row]);
      if (row % rows_ == 0)
        run_.images.push_back({first, 0});
      there_.push_back(first +
                       static_cast<Cycle>(program_.input.row_values() + program_.input.row_padding()) - 1);
      input_free_ = there_.back() + 1;
      if (events_)
        events_->rows.push_back({first, there_.back()});
      if (config_.has_sweeps()) {
        advance_sweeps(engines_[0]);
        continue;
      }
      while (advance(engines_[0], engines_[1]) | advance(engines_[1], engines_[0])) {
      }
    }
    return std::move(run_);
  }

private:
  struct Engine {
    Engine(const ArrayTables& of, int latency, std::vector<ArrayRun::Step>& steps)
        : tables(of), starts(latency), idle(steps) {
      starts.start(0);
      idle.resize(of.steps.size());
    }
    const ArrayTables& tables;
    ArrayStarts starts;
    std::vector<ArrayRun::Step>& idle;
    std::size_t step = 0, image = 0;
    std::vector<Cycle> done; ///< by step since the start
  };

  // Steps that can be known to begin.
  bool advance(Engine& engine, Engine& other) {
    const std::vector<ArrayStep>& steps = engine.tables.steps;
    bool moved = false;
    while (!steps.empty() && engine.image < run_.images.size()) {
      const ArrayStep& step = steps[engine.step];
      const ArrayLayer& layer = engine.tables.layers[static_cast<std::size_t>(step.layer)];
      const std::size_t row = engine.image * rows_ + static_cast<std::size_t>(step.need);
      const std::size_t done =
          engine.image * other.tables.steps.size() + static_cast<std::size_t>(step.other_need);
      if ((step.need && row > there_.size()) || (step.other_need && done > other.done.size()))
        break;
      const Cycle ready = step.need ? there_[row - 1] + ArrayStarts::row_there : 0;
      const Cycle others = step.other_need ? other.done[done - 1] + ArrayStarts::step_there : 0;
      const std::size_t entries = pops_.size() + static_cast<std::size_t>(layer.entries),
                        depth = static_cast<std::size_t>(config_.output_depth);
      const Cycle room =
          layer.to_output && entries > depth ? pops_[entries - depth - 1] + ArrayStarts::room_there : 0;
      ArrayStep at_once = step;
      at_once.wait = 0;
      const Cycle free = engine.starts.next(at_once, 0, 0), written = engine.starts.next(step, 0, 0);
      const Cycle begin = engine.starts.next(step, std::max(ready, others), room);
      ArrayRun::Step& idle = engine.idle[engine.step];
      idle = {written - free, 0, 0, 0};
      (room > std::max(ready, others) ? idle.idle_room
       : others > ready               ? idle.idle_other
                                      : idle.idle_rows) = begin - written;
      if (events_)
        (&engine == &engines_[0] ? events_->steps : events_->stage_steps).push_back({begin, idle});
      engine.starts.begin(layer, begin);
      engine.done.push_back(engine.starts.done());
      if (layer.to_output)
        send(layer, begin);
      credits_.insert(credits_.end(), static_cast<std::size_t>(step.frees), engine.starts.last() + 1);
      moved = true;
      if (++engine.step < steps.size())
        continue;
      engine.step = 0;
      if (&engine == &engines_[0])
        run_.images[engine.image].last = output_free_ - 1;
      ++engine.image;
    }
    return moved;
  }

  // The same of steps of sweeps.
  void advance_sweeps(Engine& engine) {
    const std::vector<ArrayStep>& steps = engine.tables.steps;
    while (engine.image < run_.images.size()) {
      const ArrayStep& step = steps[engine.step];
      const ArrayLayer& layer = engine.tables.layers[static_cast<std::size_t>(step.layer)];
      const std::size_t row = engine.image * rows_ + static_cast<std::size_t>(step.need);
      if (step.need && row > there_.size())
        break;
      const Cycle ready = step.need ? there_[row - 1] + ArrayStarts::row_there : 0;
      const std::size_t entries = pops_.size() + static_cast<std::size_t>(layer.entries),
                        depth = static_cast<std::size_t>(config_.output_depth);
      const Cycle room =
          layer.to_output && entries > depth ? pops_[entries - depth - 1] + ArrayStarts::room_there : 0;
      ArrayStep at_once = step;
      at_once.wait = 0;
      const Cycle free = sweeps_.next(at_once, 0, 0), written = sweeps_.next(step, 0, 0),
                  begin = sweeps_.next(step, ready, room);
      sweeps_.stream(layer);
      const std::vector<Sweep>& sweeps = sweeps_of_[static_cast<std::size_t>(step.layer)];
      const int pixels = layer.columns * step.rows;
      sweeps_.begin(sweeps, pixels, begin);
      ArrayRun::Step& idle = engine.idle[engine.step];
      idle = {written - free, 0, 0, 0, 0};
      (room > ready ? idle.idle_room : idle.idle_rows) = begin - written;
      idle.idle_sweeps =
          sweeps_.last() + 1 - begin - sweeps.size() * static_cast<Cycle>(SweepTiming::sweep_cycles(pixels));
      if (events_)
        events_->steps.push_back({begin, idle});
      for (int tile = 0; tile < layer.tiles && layer.to_output; ++tile)
        for (int pixel = 0; pixel < pixels; ++pixel)
          push(sweeps_.tags()[static_cast<std::size_t>(tile)] +
                   static_cast<Cycle>(pixel * config_.beats() + config_.write_latency()),
               tile + 1 == layer.tiles ? layer.outputs_of_last() : config_.outputs);
      credits_.insert(credits_.end(), static_cast<std::size_t>(step.frees), sweeps_.last() + 1);
      if (++engine.step < steps.size())
        continue;
      engine.step = 0;
      run_.images[engine.image++].last = output_free_ - 1;
    }
  }

  void push(Cycle pushed, int values) {
    output_free_ = std::max(output_free_, pushed + 1) + static_cast<Cycle>(values);
    pops_.push_back(output_free_ - 1);
    if (events_)
      events_->entries.push_back({output_free_ - static_cast<Cycle>(values), output_free_ - 1});
  }

  void send(const ArrayLayer& layer, Cycle begin) {
    for (int n = 1; n <= layer.entries; ++n) {
      const Cycle pushed = begin + static_cast<Cycle>(n) * static_cast<Cycle>(layer.tile_cycles()) - 1 +
                           static_cast<Cycle>(config_.write_latency());
      push(pushed, n % layer.tiles == 0 ? layer.outputs_of_last() : config_.outputs);
    }
  }

  const ArrayConfig& config_;
  const ArrayProgram& program_;
  std::size_t rows_, images_;
  ArrayEvents* events_;
  std::vector<Cycle> credits_, there_, pops_; ///< by row since the start, by entry
  ArrayRun run_;
  SweepStarts sweeps_;
  std::vector<std::vector<Sweep>> sweeps_of_; ///< by layer
  Engine engines_[2];
  Cycle input_free_ = 2, output_free_ = 0;
};

} // namespace

ArrayRun array_run(const ArrayConfig& config, const ArrayProgram& program, int images, ArrayEvents* events) {
  return Running(config, program, images, events).run();
}

} // namespace deltatwin
