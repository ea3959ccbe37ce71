#include "tops/accelerator/top.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/area.h"
#include <utility>

namespace deltatwin {
AcceleratorTop::AcceleratorTop(const Design& design) : design_((validate(design), design)) {}

std::vector<std::pair<std::string, int>> AcceleratorTop::parameters() const { return design_.parameters(); }

std::vector<Bus> AcceleratorTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12}, {Bus::stream_in, "s_axis", 8}, {Bus::stream_out, "m_axis", 16}};
}

std::vector<Register> AcceleratorTop::registers() const {
  std::vector<std::string> errors;
  for (int code = 0; code <= static_cast<int>(ErrorCode::left_over); ++code)
    errors.emplace_back(to_string(static_cast<ErrorCode>(code)));
  return axi_control_registers(std::move(errors));
}

std::vector<Interface> AcceleratorTop::interfaces() const {
  const Design& design = design_;
  std::vector<Interface> all = axi_lite_interfaces("axi_control", "axi_control");
  all.insert(
      all.end(),
      {{"scheduler",
        "s_axis",
        {"s_axis_tvalid_i", "s_axis_tready_o"},
        {{"s_axis_tdata_i", 8}, {"s_axis_tlast_i", 1}}},
       {"output_fifo",
        "m_axis",
        {"m_axis_tvalid_o", "m_axis_tready_i"},
        {{"m_axis_tdata_o", 16}, {"m_axis_tlast_o", 1}}},
       {"scheduler", "slot", {"slot"}, {{"slot_weight_addr", 20}, {"slot_x_addr", 13}, {"slot_layer", 4}}},
       {"scheduler", "mac", {"mac_valid"}, {{"mac_x", 8}, {"mac_flags", 4}}},
       {"delta_mac", "ref", {"ref_valid"}, {{"ref_addr", 20}}},
       {"delta_mac", "sum", {"sum_valid"}, {{"sum_data", 32}}},
       {"requantizer", "act", {"act_valid"}, {{"act_addr", 14}, {"act_data", 8}}}});
  for (int bank = 0; bank < design.banks(); ++bank)
    all.push_back({design.huffman ? "huffman_bank" : "weight_bank",
                   "bank" + std::to_string(bank),
                   {"mac_valid"},
                   {{"mac_deltas", design.lanes_of_bank(bank) * design.delta_bits,
                     bank * design.lanes_per_bank * design.delta_bits}}});
  for (int lane = 0; design.huffman && lane < design.lanes; ++lane)
    all.push_back({"huffman_decoder", "fetch" + std::to_string(lane), {{"fetch", 1, lane}}, {}});
  return all;
}

std::vector<Part> AcceleratorTop::parts() const {
  const BlockResources areas = resources_by_block(design_);
  const auto part = [&](Block block, std::vector<std::string> instances) {
    const auto at = static_cast<std::size_t>(block);
    return Part{block_names[at], std::move(instances), areas[at]};
  };
  return {part(Block::scheduler, {"u_scheduler"}),
          part(Block::axi_control, {"u_control"}),
          part(Block::huffman_bank, {"gen_huffman"}),
          part(Block::weight_bank, {"gen_words"}),
          part(Block::delta_mac, {"u_mac"}),
          part(Block::requantizer, {"u_requantizer"}),
          part(Block::buffers, {"u_input", "u_activation", "u_reference", "u_parameter"}),
          part(Block::output_fifo, {"u_output"}),
          part(Block::accelerator, {})};
}

std::unique_ptr<TopModel> AcceleratorTop::model() const { return std::make_unique<AcceleratorCore>(design_); }

} // namespace deltatwin
