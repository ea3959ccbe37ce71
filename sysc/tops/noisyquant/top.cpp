#include "tops/noisyquant/top.h"
#include "tops/noisyquant/area.h"
#include "tops/noisyquant/core.h"

namespace deltatwin {

NoisyQuantTop::NoisyQuantTop(const NoisyQuantConfig& config) : config_((validate(config), config)) {}

std::vector<std::pair<std::string, int>> NoisyQuantTop::parameters() const { return config_.parameters(); }

std::vector<Bus> NoisyQuantTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12}, {Bus::stream_in, "s_axis", 16}, {Bus::stream_out, "m_axis", 32}};
}

std::vector<Register> NoisyQuantTop::registers() const { return noisyquant_registers(); }
std::vector<Interface> NoisyQuantTop::interfaces() const { return NoisyQuantCore::interfaces(config_); }
std::vector<Part> NoisyQuantTop::parts() const { return noisyquant_parts(config_); }
std::unique_ptr<TopModel> NoisyQuantTop::model() const { return std::make_unique<NoisyQuantCore>(config_); }

} // namespace deltatwin
