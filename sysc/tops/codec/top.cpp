#include "tops/codec/top.h"
#include "tops/codec/area.h"
#include "tops/codec/core.h"

namespace deltatwin {

CodecTop::CodecTop(const CodecConfig& config) : config_((validate(config), config)) {}

std::vector<std::pair<std::string, int>> CodecTop::parameters() const { return config_.parameters(); }

std::vector<Bus> CodecTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12}, {Bus::stream_in, "s_axis", 8}, {Bus::stream_out, "m_axis", 8}};
}

std::vector<Register> CodecTop::registers() const { return codec_registers(); }
std::vector<Interface> CodecTop::interfaces() const { return CodecCore::interfaces(config_); }
std::vector<Part> CodecTop::parts() const { return codec_parts(config_); }
std::unique_ptr<TopModel> CodecTop::model() const { return std::make_unique<CodecCore>(config_); }

} // namespace deltatwin
