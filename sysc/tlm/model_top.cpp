#include "tlm/model_top.h"
#include <algorithm>
#include <stdexcept>

namespace deltatwin {

ModelTop::ModelTop(const sc_core::sc_module_name& name, const Top& top)
    : TopSockets(name, top), model_(top.model()), free_(inputs.size()) {
  for (std::size_t i = 0; i < outputs.size(); ++i)
    model_->set_sink(
        i, [this, i](const OutputBurst& burst, std::vector<Cycle>& taken) { deliver(i, burst, taken); });
}

bool ModelTop::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle& cycle) {
  const Cycle access = lite_.write(cycle, cycle).access;
  lite_.write_responded(access + 1);
  cycle = access + 2;
  latest_ = std::max(latest_, cycle);
  return model_->write(address, data, strobes, access);
}

TopModel::ReadResult ModelTop::read(std::uint32_t address, Cycle& cycle) {
  const Cycle access = lite_.read(cycle);
  lite_.read_responded(access + 1);
  cycle = access + 2;
  latest_ = std::max(latest_, cycle);
  return model_->read(address, access);
}

TopModel::ReadResult ModelTop::peek(std::uint32_t address) {
  return model_->read(address, std::max(latest_, clock().cycle()));
}

// The first cycle from `from` on in which STATUS is not running.
Cycle ModelTop::stopped(Cycle from) const {
  constexpr Cycle longest = Cycle{1} << 48;
  const auto runs = [this](Cycle cycle) {
    return top_status(model_->read(status_register, cycle).data) == TopStatus::running;
  };
  if (!runs(from))
    return from;
  Cycle step = 1;
  while (runs(from + step)) {
    step *= 2;
    if (step > longest)
      throw std::runtime_error(std::string(name()) + " takes no input, and its run does not end");
  }
  Cycle low = from + step / 2, high = from + step; // runs in low, not in high
  while (high - low > 1)
    (runs(low + (high - low) / 2) ? low : high) = low + (high - low) / 2;
  return high;
}

std::size_t ModelTop::offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                            std::vector<Cycle>* taken) {
  from = std::max(from, free_[stream]);
  const std::size_t count = model_->offer(stream, burst, from, taken);
  if (count < burst.beats)
    from = stopped(from + (burst.gaps ? burst.gaps(count) : 0)) + 1;
  free_[stream] = from;
  latest_ = std::max(latest_, from);
  return count;
}

void ModelTop::reset(Cycle& cycle, Cycle cycles) {
  model_->hard_reset(cycle);
  cycle += cycles;
  lite_.reset(cycle);
  std::fill(free_.begin(), free_.end(), cycle);
  latest_ = std::max(latest_, cycle);
}

} // namespace deltatwin
