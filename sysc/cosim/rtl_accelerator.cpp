#include "cosim/rtl_accelerator.h"
#include "tops/accelerator/top.h"

namespace deltatwin {
namespace {

constexpr Cycle lite_patience = 1000; ///< RTL that does not answer by then never will

} // namespace

RtlAccelerator::RtlAccelerator(const sc_core::sc_module_name& name, const Design& design,
                               const std::function<void(const std::string&)>& message)
    : AcceleratorSockets(name, design), buses_(AcceleratorTop(design).buses()),
      rtl_({"accelerator", design.parameters(), false, ""}, message), lite_(rtl_, buses_[0].prefix),
      source_(rtl_, buses_[1]), sink_(rtl_, buses_[2]) {
  rtl_.signal("rst_ni").set(0);
  sink_.drive(false);
  lite_.drive(0);
  source_.drive(0);
  rtl_.settle();
  rtl_.edge(); // the reset, before cycle 0
  rtl_.signal("rst_ni").set(1);
}

// A cycle, with the output stream's ready as the sink wants it.
AxiLitePins::Responses RtlAccelerator::step() {
  sink_.drive(false);
  lite_.drive(cycle_);
  source_.drive(cycle_);
  rtl_.settle();
  if (sink_.valid() && output_taken_ == never) {
    std::vector<std::uint8_t> bytes;
    sink_.append_to(bytes);
    const auto value = static_cast<std::int16_t>(bytes[0] | bytes[1] << 8);
    std::vector<Cycle> taken;
    deliver({&value, 1, sink_.last(), cycle_}, taken);
    output_taken_ = taken.front();
  }
  if (output_taken_ == cycle_) {
    sink_.drive(true);
    rtl_.settle();
    output_taken_ = never;
  }
  const AxiLitePins::Responses responses = lite_.sample(cycle_);
  source_.sample(cycle_);
  rtl_.edge();
  ++cycle_;
  return responses;
}

void RtlAccelerator::advance(Cycle cycle) {
  while (cycle_ < cycle)
    (void)step();
}

bool RtlAccelerator::write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  advance(cycle);
  lite_.write({address, data, strobe, 0, cycle_});
  std::optional<unsigned> response;
  for (Cycle waited = 0; !response && waited < lite_patience; ++waited)
    response = step().b;
  const bool okay = response == 0u;
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

TopModel::ReadResult RtlAccelerator::read(std::uint32_t address, Cycle cycle) {
  advance(cycle);
  lite_.read({address, 0, 0xf, 0, cycle_});
  std::optional<AxiLitePins::Responses::Read> response;
  for (Cycle waited = 0; !response && waited < lite_patience; ++waited)
    response = step().r;
  return response ? TopModel::ReadResult{response->data, response->response == 0}
                  : TopModel::ReadResult{0, false};
}

std::size_t RtlAccelerator::stream(const std::int8_t* data, std::size_t count, Cycle& from,
                                   StreamExtension* extension) {
  for (std::size_t i = 0; i < count; ++i) {
    if (extension && !extension->gaps.empty())
      from += extension->gaps[i];
    advance(from);
    const std::uint8_t last =
        extension && !extension->tlast.empty() ? extension->tlast[i] != 0 : position_ + 1 == inputs_;
    position_ = position_ + 1 == inputs_ ? 0 : position_ + 1;
    source_.send({reinterpret_cast<const std::uint8_t*>(data + i), 1, &last}, cycle_);
    while (!source_.done()) {
      (void)step();
      constexpr Cycle patience = 10'000'000; // far more than an inference: the run has ended
      if (!source_.done() && cycle_ - from > patience) {
        source_.flush();
        return i;
      }
    }
    if (extension)
      extension->taken.push_back(cycle_ - 1);
    from = cycle_;
  }
  return count;
}

} // namespace deltatwin
