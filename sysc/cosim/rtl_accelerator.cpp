#include "cosim/rtl_accelerator.h"

namespace deltatwin {

RtlAccelerator::RtlAccelerator(const sc_core::sc_module_name& name, const Design& design,
                               const std::function<void(const std::string&)>& message)
    : AcceleratorSockets(name, design), rtl_({"accelerator", design.parameters(), false, ""}, message) {
  for (const char* pin : {"s_axil_awvalid_i", "s_axil_wvalid_i", "s_axil_arvalid_i", "s_axis_tvalid_i",
                          "m_axis_tready_i", "rst_ni"})
    rtl_.signal(pin).set(0);
  rtl_.signal("s_axil_bready_i").set(1);
  rtl_.signal("s_axil_rready_i").set(1);
  rtl_.settle();
  rtl_.edge(); // the reset, before cycle 0
  rtl_.signal("rst_ni").set(1);
}

// Settles this cycle's outputs, with the output stream's ready as the sink wants it.
void RtlAccelerator::settle() {
  rtl_.signal("m_axis_tready_i").set(0);
  rtl_.settle();
  if (!high("m_axis_tvalid_o"))
    return;
  if (output_taken_ == never) {
    const auto value = static_cast<std::int16_t>(rtl_.signal("m_axis_tdata_o").get(0, 16));
    std::vector<Cycle> taken;
    deliver({&value, 1, high("m_axis_tlast_o"), cycle_}, taken);
    output_taken_ = taken.front();
  }
  if (output_taken_ == cycle_) {
    rtl_.signal("m_axis_tready_i").set(1);
    rtl_.settle();
    output_taken_ = never;
  }
}

void RtlAccelerator::edge() {
  rtl_.edge();
  ++cycle_;
}

void RtlAccelerator::advance(Cycle cycle) {
  while (cycle_ < cycle) {
    settle();
    edge();
  }
}

bool RtlAccelerator::write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  advance(cycle);
  rtl_.signal("s_axil_awaddr_i").set(address);
  rtl_.signal("s_axil_wdata_i").set(data);
  rtl_.signal("s_axil_wstrb_i").set(strobe);
  rtl_.signal("s_axil_awvalid_i").set(1);
  rtl_.signal("s_axil_wvalid_i").set(1);
  settle(); // the contract: both beats in this cycle, the response in the next
  edge();
  rtl_.signal("s_axil_awvalid_i").set(0);
  rtl_.signal("s_axil_wvalid_i").set(0);
  settle();
  const bool okay = rtl_.signal("s_axil_bresp_o").get(0, 2) == 0;
  edge();
  // What TLAST needs to know of the program: the inputs of layer 0, word 0 of the table.
  if (strobe != 0xf)
    return okay;
  if (okay && address == reg::load_address)
    load_address_ = data;
  if (okay && address == reg::load_data) {
    if (load_address_ == static_cast<std::uint32_t>(Memory::program) << 28)
      inputs_ = data & 0x1fff;
    load_address_ = (load_address_ & 0xfff00000u) | ((load_address_ + 1) & 0xfffffu);
  }
  if (okay && address == reg::control && (data & (control_start | control_reset)))
    position_ = 0;
  return okay;
}

AcceleratorCore::ReadResult RtlAccelerator::read(std::uint32_t address, Cycle cycle) {
  advance(cycle);
  rtl_.signal("s_axil_araddr_i").set(address);
  rtl_.signal("s_axil_arvalid_i").set(1);
  settle();
  edge();
  rtl_.signal("s_axil_arvalid_i").set(0);
  settle();
  const AcceleratorCore::ReadResult result{
      static_cast<std::uint32_t>(rtl_.signal("s_axil_rdata_o").get(0, 32)),
      rtl_.signal("s_axil_rresp_o").get(0, 2) == 0};
  edge();
  return result;
}

std::size_t RtlAccelerator::stream(const std::int8_t* data, std::size_t count, Cycle& from,
                                   StreamExtension* extension) {
  for (std::size_t i = 0; i < count; ++i) {
    if (extension && !extension->gaps.empty())
      from += extension->gaps[i];
    advance(from);
    rtl_.signal("s_axis_tdata_i").set(static_cast<std::uint8_t>(data[i]));
    const bool last =
        extension && !extension->tlast.empty() ? extension->tlast[i] != 0 : position_ + 1 == inputs_;
    rtl_.signal("s_axis_tlast_i").set(last);
    position_ = position_ + 1 == inputs_ ? 0 : position_ + 1;
    rtl_.signal("s_axis_tvalid_i").set(1);
    for (bool taken = false; !taken;) {
      settle();
      taken = high("s_axis_tready_o");
      edge();
      constexpr Cycle patience = 10'000'000; // far more than an inference: the run has ended
      if (!taken && cycle_ - from > patience) {
        rtl_.signal("s_axis_tvalid_i").set(0);
        return i;
      }
    }
    if (extension)
      extension->taken.push_back(cycle_ - 1);
    from = cycle_;
    rtl_.signal("s_axis_tvalid_i").set(0);
  }
  return count;
}

} // namespace deltatwin
