#include "cosim/pins/axi_lite.h"
#include <algorithm>
#include <exception>

namespace deltatwin {
namespace {

const RtlSignal* find(const RtlModel& rtl, const std::string& name) {
  try {
    return &rtl.signal(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool beat(const RtlSignal& valid, const RtlSignal& ready) {
  return valid.get(0, 1) != 0 && ready.get(0, 1) != 0;
}

} // namespace

AxiLitePins::AxiLitePins(const RtlModel& rtl, const std::string& prefix)
    : awaddr_(rtl.signal(prefix + "_awaddr_i")), awvalid_(rtl.signal(prefix + "_awvalid_i")),
      awready_(rtl.signal(prefix + "_awready_o")), wdata_(rtl.signal(prefix + "_wdata_i")),
      wvalid_(rtl.signal(prefix + "_wvalid_i")), wready_(rtl.signal(prefix + "_wready_o")),
      bresp_(rtl.signal(prefix + "_bresp_o")), bvalid_(rtl.signal(prefix + "_bvalid_o")),
      bready_(rtl.signal(prefix + "_bready_i")), araddr_(rtl.signal(prefix + "_araddr_i")),
      arvalid_(rtl.signal(prefix + "_arvalid_i")), arready_(rtl.signal(prefix + "_arready_o")),
      rdata_(rtl.signal(prefix + "_rdata_o")), rresp_(rtl.signal(prefix + "_rresp_o")),
      rvalid_(rtl.signal(prefix + "_rvalid_o")), rready_(rtl.signal(prefix + "_rready_i")),
      wstrb_(find(rtl, prefix + "_wstrb_i")), awprot_(find(rtl, prefix + "_awprot_i")),
      arprot_(find(rtl, prefix + "_arprot_i")) {}

void AxiLitePins::Channel::begin(Cycle earliest) {
  if (!queue_.empty())
    from_ = std::max(earliest, queue_.front().first.not_before) + queue_.front().second;
}

void AxiLitePins::Channel::push(const Access& access, unsigned gap) {
  queue_.emplace_back(access, gap);
  if (queue_.size() == 1)
    begin(free_);
}

void AxiLitePins::Channel::taken(Cycle cycle) {
  queue_.pop_front();
  free_ = cycle + 1;
  begin(free_);
}

void AxiLitePins::write(const Access& access) {
  aw_.push(access, access.address_gap);
  w_.push(access, access.data_gap);
  ++writes_left_;
}

void AxiLitePins::read(const Access& access) {
  ar_.push(access, access.address_gap);
  ++reads_left_;
}

void AxiLitePins::drive(Cycle cycle, bool b_ready, bool r_ready) {
  const bool aw = aw_.offers(cycle), w = w_.offers(cycle), ar = ar_.offers(cycle);
  awvalid_.set(aw);
  wvalid_.set(w);
  arvalid_.set(ar);
  bready_.set(b_ready);
  rready_.set(r_ready);
  if (aw) {
    awaddr_.set(aw_.front().address);
    if (awprot_)
      awprot_->set(aw_.front().protection);
  }
  if (w) {
    wdata_.set(w_.front().data);
    if (wstrb_)
      wstrb_->set(w_.front().strobe);
  }
  if (ar) {
    araddr_.set(ar_.front().address);
    if (arprot_)
      arprot_->set(ar_.front().protection);
  }
}

AxiLitePins::Responses AxiLitePins::sample(Cycle cycle) {
  Responses responses;
  if (beat(bvalid_, bready_)) {
    responses.b = static_cast<unsigned>(bresp_.get(0, 2));
    writes_left_ -= writes_left_ > 0;
  }
  if (beat(rvalid_, rready_)) {
    responses.r = {static_cast<std::uint32_t>(rdata_.get(0, 32)), static_cast<unsigned>(rresp_.get(0, 2))};
    reads_left_ -= reads_left_ > 0;
  }
  if (beat(awvalid_, awready_))
    aw_.taken(cycle);
  if (beat(wvalid_, wready_))
    w_.taken(cycle);
  if (beat(arvalid_, arready_))
    ar_.taken(cycle);
  return responses;
}

void AxiLitePins::reset() {
  for (Channel* channel : {&aw_, &w_, &ar_})
    channel->clear();
  writes_left_ = reads_left_ = 0;
}

} // namespace deltatwin
