#include "tops/model_runner.h"
#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace deltatwin {

ModelRunner::ModelRunner(const Top& top) : model_(top.model()) {
  std::vector<std::size_t> bytes;
  for (const Bus& bus : top.buses())
    if (bus.kind == Bus::stream_out)
      bytes.push_back(static_cast<std::size_t>(bus.data_bits) / 8);
  outputs_.resize(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    model_->set_sink(i, [this, i, size = bytes[i]](const OutputBurst& burst, std::vector<Cycle>& taken) {
      outputs_[i].insert(outputs_[i].end(), burst.data,
                         burst.data + size * static_cast<std::size_t>(burst.beats));
      taken.resize(taken.size() + static_cast<std::size_t>(burst.beats));
      std::iota(taken.end() - burst.beats, taken.end(), burst.offered);
      record_.last_output = taken.back();
    });
}

const std::vector<std::uint8_t>& ModelRunner::run(const Session& session) {
  constexpr Cycle access = 2; // its beat, and the response's
  for (auto& output : outputs_)
    output.clear();
  record_ = {};
  for (const HostAction& action : session.actions) {
    switch (action.kind) {
    case HostAction::write:
      (void)model_->write(action.address, action.data, action.strobe, now_);
      now_ += access;
      break;
    case HostAction::read:
      record_.reads.push_back(model_->read(action.address, now_).data);
      now_ += access;
      break;
    case HostAction::stream: {
      Cycle from = now_;
      const std::size_t beats = action.tlast.size();
      if (model_->offer(action.port, {action.values.data(), beats, action.tlast.data()}, from, nullptr) !=
          beats)
        throw std::runtime_error("the model does not take the whole input stream");
      break;
    }
    case HostAction::flush:
      break;
    case HostAction::wait:
      now_ += action.cycles;
      break;
    case HostAction::wait_stop:
      if (model_->stop_cycle() != never)
        now_ = std::max(now_, model_->stop_cycle());
      break;
    case HostAction::hard_reset:
      model_->hard_reset(now_);
      now_ += action.cycles;
      break;
    }
  }
  std::vector<std::uint8_t>& all = outputs_.front();
  for (auto output = outputs_.begin() + 1; output != outputs_.end(); ++output)
    all.insert(all.end(), output->begin(), output->end());
  return all;
}

} // namespace deltatwin
