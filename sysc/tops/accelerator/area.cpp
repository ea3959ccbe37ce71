#include "tops/accelerator/area.h"
#include "blocks/output_fifo.h"
#include "blocks/weight_bank.h"
#include "tops/accelerator/configs.h"

namespace deltatwin {

Resources sum(const BlockResources& blocks) {
  Resources total;
  for (const Resources& block : blocks)
    total += block;
  return total;
}

namespace {

// Inputs, activations, references and parameters.
Resources buffer_resources(const Design& design) {
  const auto buffer = [](int width, int depth) { return weight_bank_resources({width, depth, 1, false}); };
  Resources all{1, 0};
  all += buffer(8, 2 * design.in_depth);
  all += buffer(8, 2 * design.act_depth);
  all += buffer(8, design.ref_depth);
  Resources parameters = buffer(36, design.param_depth);
  if (parameters.ramb18 + parameters.ramb36 == 0)
    parameters.ff = 20; // the bias; the factor's register is the requantizer's DSPs'
  all += parameters;
  return all;
}

Resources raw_bank_resources(const Design& design) {
  const WeightBankConfig bank{design.bank_width(), design.bank_depth};
  const int others = design.banks() - 1;
  const Resources last = weight_bank_resources(bank, design.lanes_of_bank(others) * design.delta_bits);
  Resources all = others * weight_bank_resources(bank) + last;
  all.ff = last.ff; // the output multiplexers' selects are the same in all banks
  if (lut_ram_tail(design.bank_depth))
    all.ff += others * design.bank_width(); // but not the words out of LUT-RAM
  return all;
}

} // namespace

BlockResources resources_by_block(const Design& design) {
  BlockResources blocks;
  const auto of = [&blocks](Block block) -> Resources& { return blocks[static_cast<std::size_t>(block)]; };
  of(Block::scheduler) = scheduler_resources(scheduler_config(design));
  of(Block::axi_control) = axi_control_resources(axi_control_config(design));
  if (design.huffman)
    of(Block::huffman_bank) = huffman_weights_resources(huffman_weights_config(design));
  else
    of(Block::weight_bank) = raw_bank_resources(design);
  of(Block::delta_mac) = delta_mac_resources(delta_mac_config(design));
  of(Block::requantizer) = requantizer_resources(requantizer_config(design));
  of(Block::buffers) = buffer_resources(design);
  of(Block::output_fifo) = output_fifo_resources({17, design.out_depth});
  return blocks;
}

Resources resources(const Design& design) { return sum(resources_by_block(design)); }

} // namespace deltatwin
