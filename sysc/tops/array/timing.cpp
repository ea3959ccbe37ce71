#include "tops/array/timing.h"
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

ArrayRun array_run(const ArrayConfig& config, const ArrayProgram& program, int images) {
  const auto rows = static_cast<std::size_t>(program.input.rows);
  const auto written = static_cast<Cycle>(config.write_latency());
  std::vector<Cycle> credits(rows, 0), there, pops; // by row since the start, by entry
  ArrayStarts starts(config.write_latency());
  starts.start(0);
  ArrayRun run;
  run.steps.resize(program.steps.size());
  Cycle input_free = 2, output_free = 0;
  std::size_t step_index = 0, image = 0;
  const auto send = [&](const ArrayLayer& layer, Cycle begin) {
    for (int n = 1; n <= layer.entries; ++n) {
      const Cycle pushed =
          begin + static_cast<Cycle>(n) * static_cast<Cycle>(layer.tile_cycles()) - 1 + written;
      const int values = n % layer.tiles == 0 ? layer.last_outputs : config.outputs;
      output_free = std::max(output_free, pushed + 1) + static_cast<Cycle>(values);
      pops.push_back(output_free - 1);
    }
  };
  for (std::size_t row = 0; row < rows * static_cast<std::size_t>(images); ++row) {
    const Cycle first = std::max(input_free, credits[row]);
    if (row % rows == 0)
      run.images.push_back({first, 0});
    there.push_back(first + static_cast<Cycle>(program.input.row_values() + program.input.row_padding()) - 1);
    input_free = there.back() + 1;
    while (image < run.images.size()) {
      const ArrayStep& step = program.steps[step_index];
      const ArrayLayer& layer = program.layers[static_cast<std::size_t>(step.layer)];
      const std::size_t needed = image * rows + static_cast<std::size_t>(step.need);
      if (needed > there.size())
        break;
      const Cycle ready = step.need ? there[needed - 1] + ArrayStarts::row_there : 0;
      const std::size_t entries = pops.size() + static_cast<std::size_t>(layer.entries),
                        depth = static_cast<std::size_t>(config.output_depth);
      const Cycle room =
          layer.to_output && entries > depth ? pops[entries - depth - 1] + ArrayStarts::room_there : 0;
      ArrayStep at_once = step;
      at_once.wait = 0;
      const Cycle free = starts.next(at_once, 0, 0), written_then = starts.next(step, 0, 0);
      const Cycle begin = starts.next(step, ready, room);
      ArrayRun::Step& idle = run.steps[step_index];
      idle = {written_then - free, 0, 0};
      (room > ready ? idle.idle_room : idle.idle_rows) = begin - written_then;
      starts.begin(layer, begin);
      if (layer.to_output)
        send(layer, begin);
      credits.insert(credits.end(), static_cast<std::size_t>(step.frees), starts.last() + 1);
      if (++step_index == program.steps.size()) {
        step_index = 0;
        run.images[image++].last = output_free - 1;
      }
    }
  }
  return run;
}

} // namespace deltatwin
