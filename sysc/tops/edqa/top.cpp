#include "tops/edqa/top.h"
#include "tops/edqa/area.h"
#include "tops/edqa/core.h"

namespace deltatwin {

EdqaTop::EdqaTop(const EdqaConfig& config) : config_((validate(config), config)) {}

std::vector<std::pair<std::string, int>> EdqaTop::parameters() const { return config_.parameters(); }

std::vector<Bus> EdqaTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12},
          {Bus::stream_in, "s_axis", config_.channels * edqa_value_bits(config_.format)},
          {Bus::stream_out, "m_axis", config_.channels * edqa_result_bits(config_.format)}};
}

std::vector<Register> EdqaTop::registers() const { return edqa_registers(config_); }
std::vector<Interface> EdqaTop::interfaces() const { return EdqaCore::interfaces(config_); }
std::vector<Part> EdqaTop::parts() const { return edqa_parts(config_); }
std::unique_ptr<TopModel> EdqaTop::model() const { return std::make_unique<EdqaCore>(config_); }

} // namespace deltatwin
