#include "tops/accelerator/area.h"
#include "blocks/delta_mac.h"
#include "blocks/huffman_bank.h"
#include "blocks/requantizer.h"
#include "blocks/scheduler.h"

namespace deltatwin {

Resources sum(const BlockResources& blocks) {
  Resources total;
  for (const Resources& block : blocks)
    total += block;
  return total;
}

namespace {

Resources axi_control_resources(const Design& design) {
  return {design.huffman ? 290 : 278, 154 - address_bits(design.max_layers)};
}

Resources output_fifo_resources(const Design& design) {
  constexpr int width = 17;
  Resources fifo = lut_ram_resources(width, design.out_depth);
  fifo.lut += 10 + mux_luts(width, ceil_div(design.out_depth, 64));
  fifo.ff = 3 * address_bits(design.out_depth) + 2;
  return fifo;
}

Resources buffer_resources(const Design& design) {
  Resources all{1, 0};
  all += memory_resources(8, 2 * design.in_depth, false);
  all += memory_resources(8, 2 * design.act_depth, false);
  all += memory_resources(8, design.ref_depth, false);
  Resources parameters = memory_resources(36, design.param_depth, false);
  if (parameters.ramb18 + parameters.ramb36 == 0)
    parameters.ff = 20; // the bias; the factor's register is the requantizer's DSPs'
  all += parameters;
  return all;
}

Resources weight_bank_resources(const Design& design) {
  if (design.huffman)
    return {};
  const int others = design.banks() - 1, last_bits = design.lanes_of_bank(others) * design.delta_bits;
  const Resources last = memory_resources(design.bank_width(), design.bank_depth, true, last_bits);
  Resources all = others * memory_resources(design.bank_width(), design.bank_depth, true) + last;
  all.ff = last.ff; // the output multiplexers' selects are the same in all banks
  if (lut_ram_tail(design.bank_depth))
    all.ff += others * design.bank_width(); // but not the words out of LUT-RAM
  return all;
}

} // namespace

BlockResources resources_by_block(const Design& design) {
  BlockResources blocks;
  const auto of = [&blocks](Block block) -> Resources& { return blocks[static_cast<std::size_t>(block)]; };
  of(Block::scheduler) = scheduler_resources(design);
  of(Block::axi_control) = axi_control_resources(design);
  if (design.huffman)
    of(Block::huffman_bank) = huffman_bank_resources(design);
  of(Block::weight_bank) = weight_bank_resources(design);
  of(Block::delta_mac) = delta_mac_resources(design);
  of(Block::requantizer) = requantizer_resources(design, DeltaMacWidths(design).sum);
  of(Block::buffers) = buffer_resources(design);
  of(Block::output_fifo) = output_fifo_resources(design);
  return blocks;
}

Resources resources(const Design& design) { return sum(resources_by_block(design)); }

} // namespace deltatwin
