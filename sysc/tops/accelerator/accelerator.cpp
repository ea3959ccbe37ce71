#include "tops/accelerator/accelerator.h"
#include "base/archive.h"
#include "tops/accelerator/configs.h"
#include <utility>

namespace deltatwin {

AcceleratorCore::AcceleratorCore(const Design& design)
    : design_((validate(design), design)), sink_(take_at_once), control_(axi_control_config(design)),
      before_write_(control_), memories_(design), recorder_(design) {}

bool AcceleratorCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) {
  before_write_ = control_;
  write_ = cycle;
  const AxiControlCore::Write write = control_.write(address, data, strobes, shown(cycle).status(cycle));
  switch (write.effect) {
  case AxiControlCore::Effect::start:
    replace_run(cycle + control_latency);
    run_ = Run(design_, memories_, control_.layers(), control_.images(), cycle + control_latency, recorder_);
    break;
  case AxiControlCore::Effect::soft_reset:
    replace_run(cycle + control_latency);
    break;
  case AxiControlCore::Effect::load:
    memories_.load(write);
    break;
  case AxiControlCore::Effect::none:
    break;
  }
  return write.okay;
}

TopModel::ReadResult AcceleratorCore::read(std::uint32_t address, Cycle cycle) const {
  const AxiControlCore& control = write_ != never && cycle <= write_ ? before_write_ : control_;
  const AxiControlCore::Read read = control.read(address, shown(cycle).progress(cycle));
  return {read.data, read.okay};
}

void AcceleratorCore::replace_run(Cycle cycle) {
  recorder_.reset(cycle);
  if (const RunState& run = run_.state(); !run.started || run.start < cycle)
    before_ = run; // or else it never showed, and what was before it is still there
  changed_ = cycle;
  run_ = {};
}

void AcceleratorCore::hard_reset(Cycle cycle) {
  replace_run(cycle ? cycle - 1 : 0);
  control_.reset();
}

std::string AcceleratorCore::save() const {
  return save_state(*this, state_owner("accelerator", design_.parameters()));
}

void AcceleratorCore::restore(const std::string& state) {
  restore_state(*this, state, state_owner("accelerator", design_.parameters()));
}

} // namespace deltatwin
