#include "tlm/accelerator.h"
#include <cstring>

namespace deltatwin {

AcceleratorSockets::AcceleratorSockets(const sc_core::sc_module_name& name, const Design& design)
    : sc_module(name), clock_(design.clock_mhz) {
  control.register_b_transport(this, &AcceleratorSockets::control_transport);
  input.register_b_transport(this, &AcceleratorSockets::input_transport);
}

namespace {

// WSTRB of four bytes.
unsigned strobe(const tlm::tlm_generic_payload& payload) {
  unsigned bits = 0;
  for (unsigned i = 0; i < 4; ++i)
    bits |= unsigned{!payload.get_byte_enable_ptr() || payload.get_byte_enable_length() == 0 ||
                     payload.get_byte_enable_ptr()[i % payload.get_byte_enable_length()] != 0}
            << i;
  return bits;
}

} // namespace

void AcceleratorSockets::control_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (payload.get_data_length() != 4) { // AXI4-Lite has no bursts
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  const Cycle cycle = clock_.cycle(delay);
  const auto address = static_cast<std::uint32_t>(payload.get_address());
  bool okay = true;
  if (payload.is_write()) {
    std::uint32_t data;
    std::memcpy(&data, payload.get_data_ptr(), 4);
    okay = write(address, data, cycle, strobe(payload));
  } else if (payload.is_read()) {
    const TopModel::ReadResult result = read(address, cycle);
    std::memcpy(payload.get_data_ptr(), &result.data, 4);
    okay = result.okay;
  }
  delay += clock_.period();
  payload.set_response_status(okay ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

void AcceleratorSockets::input_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!payload.is_write()) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  auto* extension = payload.get_extension<StreamExtension>();
  const auto fits = [&](const auto& per_beat) {
    return per_beat.empty() || per_beat.size() == payload.get_data_length();
  };
  if (extension && !(fits(extension->gaps) && fits(extension->tlast))) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  Cycle cycle = clock_.cycle(delay);
  const std::size_t taken = stream(reinterpret_cast<const std::int8_t*>(payload.get_data_ptr()),
                                   payload.get_data_length(), cycle, extension);
  delay = clock_.until(cycle);
  payload.set_response_status(taken == payload.get_data_length() ? tlm::TLM_OK_RESPONSE
                                                                 : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

void AcceleratorSockets::deliver(const OutputTile& tile, std::vector<Cycle>& taken) {
  tlm::tlm_generic_payload payload;
  StreamExtension extension;
  extension.tlast.assign(static_cast<std::size_t>(tile.count), 0);
  extension.tlast.back() = tile.last;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(const_cast<std::int16_t*>(tile.values)));
  payload.set_data_length(static_cast<unsigned>(tile.count) * 2);
  payload.set_streaming_width(payload.get_data_length());
  payload.set_extension(&extension);
  sc_core::sc_time delay = clock_.until(tile.offered);
  output->b_transport(payload, delay);
  payload.clear_extension(&extension);
  if (extension.taken.empty())
    take_at_once(tile, extension.taken);
  taken.insert(taken.end(), extension.taken.begin(), extension.taken.end());
}

void take_at_once(const OutputTile& tile, std::vector<Cycle>& taken) {
  for (int i = 0; i < tile.count; ++i)
    taken.push_back(tile.offered + static_cast<Cycle>(i));
}

Accelerator::Accelerator(const sc_core::sc_module_name& name, const Design& design)
    : AcceleratorSockets(name, design), core_(design) {
  core_.set_sink(0, [this](const OutputBurst& burst, std::vector<Cycle>& taken) {
    deliver({reinterpret_cast<const std::int16_t*>(burst.data), burst.beats, burst.last, burst.offered},
            taken);
  });
}

bool Accelerator::write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  return core_.write(address, data, strobe, cycle);
}

TopModel::ReadResult Accelerator::read(std::uint32_t address, Cycle cycle) {
  return core_.read(address, cycle);
}

std::size_t Accelerator::stream(const std::int8_t* data, std::size_t count, Cycle& from,
                                StreamExtension* extension) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data);
  if (!extension)
    return core_.offer(0, {bytes, count}, from, nullptr);
  const auto gap = [extension](std::uint64_t index) { return extension->gaps[index]; };
  return core_.offer(0,
                     {bytes, count, extension->tlast.empty() ? nullptr : extension->tlast.data(),
                      extension->gaps.empty() ? Gaps{} : Gaps{gap}},
                     from, &extension->taken);
}

} // namespace deltatwin
