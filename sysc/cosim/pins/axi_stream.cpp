#include "cosim/pins/axi_stream.h"
#include <algorithm>

namespace deltatwin {

AxiStreamSource::AxiStreamSource(const RtlModel& rtl, const Bus& bus)
    : tdata_(rtl.signal(bus.prefix + "_tdata_i")), tlast_(rtl.signal(bus.prefix + "_tlast_i")),
      tvalid_(rtl.signal(bus.prefix + "_tvalid_i")), tready_(rtl.signal(bus.prefix + "_tready_o")),
      bytes_(static_cast<std::size_t>(bus.data_bits) / 8) {}

void AxiStreamSource::send(const StreamBurst& burst, Cycle from) {
  burst_ = burst;
  at_ = 0;
  from_ = from + (burst_.gaps ? burst_.gaps(0) : 0);
}

void AxiStreamSource::drive(Cycle cycle, bool hold) {
  const bool offer = at_ < burst_.beats && cycle >= from_ && !hold;
  tvalid_.set(offer);
  if (!offer)
    return;
  for (std::size_t byte = 0; byte < bytes_; byte += 8) {
    const std::size_t count = std::min<std::size_t>(bytes_ - byte, 8);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= std::uint64_t{burst_.data[at_ * bytes_ + byte + i]} << 8 * i;
    if (bytes_ <= 8)
      tdata_.set(value);
    else
      tdata_.set_bits(static_cast<int>(8 * byte), static_cast<int>(8 * count), value);
  }
  tlast_.set(burst_.last(at_));
}

bool AxiStreamSource::sample(Cycle cycle) {
  if (tvalid_.get(0, 1) == 0 || tready_.get(0, 1) == 0)
    return false;
  ++at_;
  from_ = cycle + 1 + (burst_.gaps && at_ < burst_.beats ? burst_.gaps(at_) : 0);
  return true;
}

AxiStreamSink::AxiStreamSink(const RtlModel& rtl, const Bus& bus)
    : tdata_(rtl.signal(bus.prefix + "_tdata_o")), tlast_(rtl.signal(bus.prefix + "_tlast_o")),
      tvalid_(rtl.signal(bus.prefix + "_tvalid_o")), tready_(rtl.signal(bus.prefix + "_tready_i")),
      bytes_(bus.data_bits / 8) {}

void AxiStreamSink::append_to(std::vector<std::uint8_t>& bytes) const {
  for (int byte = 0; byte < bytes_; ++byte)
    bytes.push_back(static_cast<std::uint8_t>(tdata_.get(8 * byte, 8)));
}

} // namespace deltatwin
