#pragma once
#include "blocks/axi_control.h"
#include "tlm/top_sockets.h"
#include <memory>

namespace deltatwin {

/// A top's model behind the sockets: computes when each beat happens instead of ticking. Outputs are
/// delivered as soon as the inputs that they depend on are there, ahead of their time; a reset, or an
/// error, does not take back what a sink has been given.
class ModelTop : public TopSockets {
public:
  ModelTop(const sc_core::sc_module_name& name, const Top& top);
  /// For traces, and what is known of the run ahead of time.
  [[nodiscard]] TopModel& model() { return *model_; }

protected:
  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle& cycle) override;
  TopModel::ReadResult read(std::uint32_t address, Cycle& cycle) override;
  TopModel::ReadResult peek(std::uint32_t address) override;
  std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                    std::vector<Cycle>* taken) override;
  void reset(Cycle& cycle, Cycle cycles) override;

private:
  [[nodiscard]] Cycle stopped(Cycle from) const;

  std::unique_ptr<TopModel> model_;
  AxiLiteTiming lite_;
  std::vector<Cycle> free_; ///< of each input stream: from when its next beat can be offered
  Cycle latest_ = 0;        ///< the end of what was asked for so far
};

} // namespace deltatwin
