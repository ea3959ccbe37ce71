#include "blocks/array_scheduler.h"
#include <algorithm>

namespace deltatwin {

template <class Self, class Visit> void ArrayLayer::fields(Self& self, Visit visit) {
  visit({"max_pool", 0, 0, 1}, self.max_pool);
  visit({"group mode", 0, 1, 1}, self.group_mode);
  visit({"depthwise", 0, 2, 1}, self.depthwise);
  visit({"from_input", 0, 3, 1}, self.from_input);
  visit({"to_map", 0, 4, 1}, self.to_map);
  visit({"to_skip", 0, 5, 1}, self.to_skip);
  visit({"to_output", 0, 6, 1}, self.to_output);
  visit({"add", 0, 7, 1}, self.add);
  visit({"padding", 0, 8, 8, true}, self.padding);
  visit({"number of row groups of the kernel", 0, 16, 8}, self.row_groups, -1);
  visit({"number of kernel columns", 0, 24, 8}, self.kernel_columns, -1);
  visit({"number of columns of the map", 1, 0, 12}, self.map_columns);
  visit({"number of rows of the map", 1, 12, 12}, self.map_rows);
  visit({"from_stage", 1, 24, 1}, self.from_stage);
  visit({"to_stage", 1, 25, 1}, self.to_stage);
  visit({"shared", 1, 26, 1}, self.shared);
  visit({"wide", 1, 27, 1}, self.wide);
  visit({"first column", 2, 0, 12, true}, self.first_column);
  visit({"column stride", 2, 12, 4}, self.column_stride);
  visit({"number of group steps", 2, 16, 8}, self.group_steps, -1);
  visit({"pause", 2, 24, 8}, self.pause);
  visit({"number of words a row", 3, 0, 16}, self.pitch);
  visit({"number of words a column", 3, 16, 16}, self.groups);
  visit({"base", 4, 0, 16}, self.base);
  visit({"end of the map's memory", 4, 16, 16}, self.end);
  visit({"number of columns of the result", 5, 0, 12}, self.columns, -1);
  visit({"number of tiles", 5, 12, 8}, self.tiles, -1);
  visit({"number of outputs of the last tile", 5, 20, 6}, self.last_outputs);
  visit({"number of kernel rows", 5, 26, 6}, self.kernel_rows);
  visit({"weight base", 6, 0, 16}, self.weight_base);
  visit({"parameter base", 6, 16, 16}, self.param_base);
  visit({"number of words a column of the result", 7, 0, 16}, self.result_groups);
  visit({"number of results a row", 7, 16, 16}, self.entries);
  visit({"zero point", 8, 0, 8, true}, self.zero);
  visit({"low", 8, 8, 8, true}, self.low);
  visit({"high", 8, 16, 8, true}, self.high);
  visit({"rule", 8, 24, 2}, self.rule);
  visit({"zero point of the sum", 9, 0, 8, true}, self.add_zero);
  visit({"low of the sum", 9, 8, 8, true}, self.add_low);
  visit({"high of the sum", 9, 16, 8, true}, self.add_high);
  visit({"rule of the sum", 9, 24, 2}, self.add_rule);
  visit({"shift of the sum", 9, 26, 6}, self.add_shift);
  visit({"multiplier of the sum", 10, 0, 31}, self.add_multiplier);
  visit({"table page", 11, 0, 4}, self.page);
  visit({"number of words from a window to the next", 11, 4, 12}, self.stride_words);
  visit({"number of words of the first column", 11, 16, 16, true}, self.first_words);
  visit({"code of the map read", 12, 0, 2}, self.read_code);
  visit({"code of the results", 12, 2, 2}, self.write_code);
  visit({"number of passes", 12, 4, 3}, self.passes, -1);
  visit({"shift of references", 12, 7, 3}, self.reference_shift);
  visit({"planes", 12, 10, 1}, self.planes);
  visit({"counts", 12, 11, 1}, self.counts);
  visit({"bytes of sums", 12, 12, 1}, self.sum_bytes);
  visit({"direct", 12, 13, 1}, self.direct);
  visit({"number of rows of a block", 13, 0, 8}, self.block_rows, -1);
  visit({"code book", 13, 8, 4}, self.book);
  visit({"still", 13, 12, 1}, self.still);
  visit({"number of pixels of a block", 13, 16, 16}, self.block_pixels);
  visit({"first mark", 14, 0, 16}, self.marks);
  visit({"number of tiles of weights", 14, 16, 16}, self.loads);
}

ArrayLayer::Words ArrayLayer::pack() const {
  Words words{};
  fields(*this, RecordPacker<Words>{words});
  return words;
}

ArrayLayer ArrayLayer::unpack(const Words& words) {
  ArrayLayer layer;
  fields(layer, RecordUnpacker<Words>{words});
  return layer;
}

ArrayLayer ArrayLayer::of_stage() const {
  ArrayLayer layer = *this;
  layer.max_pool = layer.from_input = layer.to_skip = layer.to_output = layer.add = 0;
  layer.from_stage = layer.to_stage = layer.wide = 0;
  layer.read_code = layer.write_code = layer.reference_shift = layer.planes = layer.counts = layer.sum_bytes =
      layer.direct = 0;
  layer.passes = 1;
  return layer;
}

ArrayLayer ArrayLayer::of_sweeps() const {
  ArrayLayer layer = *this;
  layer.passes = 1;
  layer.group_mode = layer.shared = layer.wide = layer.pause = layer.reference_shift = 0;
  return layer;
}

template <class Self, class Visit> void ArrayStep::fields(Self& self, Visit visit) {
  visit({"layer", 0, 0, 6}, self.layer);
  visit({"wait", 0, 8, 1}, self.wait);
  visit({"bank", 0, 12, 3}, self.bank);
  visit({"bank of the result", 0, 16, 3}, self.result_bank);
  visit({"number of rows", 0, 24, 8}, self.rows, -1);
  visit({"first row", 1, 0, 13, true}, self.first_row);
  visit({"number of rows needed", 1, 16, 16}, self.need);
  visit({"address read", 2, 0, 16}, self.slot);
  visit({"address written", 2, 16, 16}, self.result_slot);
  visit({"address of the skip read", 3, 0, 16}, self.skip_read);
  visit({"address of the skip written", 3, 16, 16}, self.skip_write);
  visit({"number of rows freed", 4, 0, 16}, self.frees);
  visit({"number of the other engine's steps needed", 4, 16, 16}, self.other_need);
}

ArrayStep::Words ArrayStep::pack() const {
  Words words{};
  fields(*this, RecordPacker<Words>{words});
  return words;
}

ArrayStep ArrayStep::unpack(const Words& words) {
  ArrayStep step;
  fields(step, RecordUnpacker<Words>{words});
  return step;
}

ArrayWindow ArrayWalk::window(int x, int tile, int k) const {
  k %= layer_.pass_steps();
  const int in_row = layer_.kernel_columns * layer_.group_steps;
  const int rows = k / in_row, kernel_column = k % in_row / layer_.group_steps, kg = k % layer_.group_steps;
  ArrayWindow window;
  const int row_of_block = x / layer_.columns;
  x %= layer_.columns;
  window.row = step_.first_row + rows * banks_ + row_of_block * layer_.column_stride;
  window.column = layer_.first_column + x * layer_.column_stride + kernel_column;
  window.group = layer_.depthwise    ? tile / parts(layer_.read_code)
                 : layer_.max_pool   ? tile
                 : layer_.group_mode ? kg * banks_
                                     : kg;
  window.bank = (step_.bank + window.group) % banks_;
  window.turn = banks_ - step_.bank;
  const auto next = [&](std::uint16_t slot) {
    const auto after = static_cast<std::uint16_t>(slot + layer_.pitch);
    return after == layer_.end ? static_cast<std::uint16_t>(layer_.base) : after;
  };
  auto slot = static_cast<std::uint16_t>(step_.slot);
  for (int i = 0; i < rows; ++i)
    slot = next(slot);
  // From row to row of a block around the ring once at most.
  const int rows_on = (layer_.column_stride * layer_.pitch) & 0xffff;
  for (int i = 0; i < row_of_block; ++i) {
    const int sum = slot + rows_on;
    slot = static_cast<std::uint16_t>(sum >= layer_.end ? sum - ((layer_.end - layer_.base) & 0xffff) : sum);
  }
  window.column_bank = window.column & (pixels_ - 1);
  const int in_slot = (window.column - window.column_bank) / pixels_ * layer_.groups + window.group;
  window.before = static_cast<std::uint16_t>(slot + in_slot);
  window.behind = static_cast<std::uint16_t>(next(slot) + in_slot);
  return window;
}

bool ArrayBounds::allows(const ArrayStep& step, const ArrayLayer& layer) const {
  if (sweep > 0)
    return step.layer < layers && step.bank < banks && step.result_bank < banks && step.need <= rows &&
           step.other_need <= other_steps && !layer.max_pool && layer.loads > 0 &&
           layer.weight_base < weight_depth && layer.book < books && layer.block_pixels > 0 &&
           layer.block_pixels <= sweep && step.rows <= layer.block_rows &&
           (marks == 0 || layer.marks < marks) &&
           (!layer.to_output ||
            (layer.entries <= output_depth && layer.entries == layer.block_pixels * layer.tiles)) &&
           (widths >> layer.read_code & widths >> layer.write_code & 1) &&
           (!layer.to_map || (writable >> layer.write_code & 1));
  return step.layer < layers && step.bank < banks && step.result_bank < banks && step.need <= rows &&
         step.other_need <= other_steps &&
         (!layer.to_output || (layer.entries <= output_depth && layer.entries == layer.row_tiles())) &&
         (widths >> layer.read_code & widths >> layer.write_code & 1) &&
         (!(layer.to_map || layer.to_stage) || (writable >> layer.write_code & 1)) &&
         (layer.max_pool || layer.tile_cycles() >= drain_beats);
}

int ArrayBounds::good_windows(const ArrayStep& step, const ArrayLayer& layer) const {
  const int tiles = layer.row_tiles() * step.rows, steps = layer.steps();
  if (sweep > 0) // nothing is checked
    return tiles * steps;
  const int weights = layer.shared ? steps : layer.tiles * steps;
  const bool reads_skips = layer.add && skip_depth > 0;
  if (layer.max_pool ||
      (layer.weight_base + weights <= weight_depth && layer.param_base + layer.tiles * beats <= param_depth &&
       (!reads_skips || step.skip_read + tiles <= skip_depth)))
    return tiles * steps;
  const auto address = [](int word) { return static_cast<int>(static_cast<std::uint16_t>(word)); };
  for (int n = 0; n < tiles; ++n) {
    const int tile = n % layer.tiles;
    for (int k = 0; k < steps; ++k)
      if (address(layer.weight_base + (layer.shared ? 0 : tile * steps) + k) >= weight_depth)
        return n * steps + k;
    if (address(layer.param_base + tile * beats) + beats > param_depth ||
        (reads_skips && address(step.skip_read + n) >= skip_depth))
      return n * steps + steps - 1;
  }
  return tiles * steps;
}

Cycle ArrayStarts::next(const ArrayStep& step, Cycle there, Cycle room) const {
  if (there == never || room == never)
    return never;
  return std::max({free_, step.wait && last_ ? last_ + written_ : 0, there, room});
}

void ArrayStarts::begin(const ArrayLayer& layer, Cycle cycle) {
  constexpr Cycle shortest = 4;
  const Cycle length = static_cast<Cycle>(layer.row_tiles()) * static_cast<Cycle>(layer.tile_cycles());
  free_ = cycle + std::max(length, shortest);
  last_ = cycle + length - 1;
}

} // namespace deltatwin
