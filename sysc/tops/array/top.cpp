#include "tops/array/top.h"
#include "tops/array/area.h"
#include "tops/array/core.h"

namespace deltatwin {

ArrayTop::ArrayTop(const ArrayConfig& config) : config_((validate(config), config)) {}

std::vector<std::pair<std::string, int>> ArrayTop::parameters() const { return config_.parameters(); }

std::vector<Bus> ArrayTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12}, {Bus::stream_in, "s_axis", 8}, {Bus::stream_out, "m_axis", 8}};
}

std::vector<Register> ArrayTop::registers() const { return array_registers(); }
std::vector<Interface> ArrayTop::interfaces() const { return ArrayCore::interfaces(config_); }
std::vector<Part> ArrayTop::parts() const { return array_parts(config_); }
std::unique_ptr<TopModel> ArrayTop::model() const { return std::make_unique<ArrayCore>(config_); }

} // namespace deltatwin
