#include "tops/accelerator/top.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/area.h"
#include <stdexcept>
#include <utility>

namespace deltatwin {
namespace {

class AcceleratorModel : public TopModel {
public:
  explicit AcceleratorModel(const Design& design) : core_(design) {}

  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) override {
    return core_.write(address, data, cycle, strobes);
  }
  [[nodiscard]] ReadResult read(std::uint32_t address, Cycle cycle) const override {
    const AcceleratorCore::ReadResult result = core_.read(address, cycle);
    return {result.data, result.okay};
  }
  std::size_t offer(std::size_t, const StreamBurst& burst, Cycle& from, std::vector<Cycle>* taken) override {
    return core_.input(reinterpret_cast<const std::int8_t*>(burst.data), burst.beats, from, burst.gaps, taken,
                       burst.tlast);
  }
  void set_sink(std::size_t, OutputSink sink) override {
    core_.set_sink([sink = std::move(sink)](const OutputTile& tile, std::vector<Cycle>& taken) {
      sink({reinterpret_cast<const std::uint8_t*>(tile.values), tile.count, tile.last, tile.offered}, taken);
    });
  }
  void hard_reset(Cycle cycle) override { core_.hard_reset(cycle); }
  [[nodiscard]] Cycle stop_cycle() const override { return core_.stop_cycle(); }
  void record(BeatTrace* trace) override { core_.set_trace(trace); }
  [[nodiscard]] std::vector<MemoryImage> memories() const override { return {}; }
  [[nodiscard]] std::string save() const override { throw std::logic_error("a run is not saved yet"); }
  void restore(const std::string&) override { throw std::logic_error("a run is not restored yet"); }

private:
  AcceleratorCore core_;
};

} // namespace

AcceleratorTop::AcceleratorTop(const Design& design) : design_((validate(design), design)) {}

std::vector<std::pair<std::string, int>> AcceleratorTop::parameters() const { return design_.parameters(); }

std::vector<Bus> AcceleratorTop::buses() const {
  return {{Bus::axi_lite, "s_axil", 32, 12}, {Bus::stream_in, "s_axis", 8}, {Bus::stream_out, "m_axis", 16}};
}

std::vector<Register> AcceleratorTop::registers() const {
  std::vector<std::string> errors;
  for (int code = 0; code <= static_cast<int>(ErrorCode::left_over); ++code)
    errors.emplace_back(to_string(static_cast<ErrorCode>(code)));
  return axi_control_registers(std::move(errors));
}

std::vector<Interface> AcceleratorTop::interfaces() const { return AcceleratorCore::interfaces(design_); }

std::vector<Part> AcceleratorTop::parts() const {
  const BlockResources areas = resources_by_block(design_);
  const auto part = [&](Block block, std::vector<std::string> instances) {
    const auto at = static_cast<std::size_t>(block);
    return Part{block_names[at], std::move(instances), areas[at]};
  };
  return {part(Block::scheduler, {"u_scheduler"}),
          part(Block::axi_control, {"u_control"}),
          part(Block::huffman_bank, {"gen_huffman"}),
          part(Block::weight_bank, {"gen_words"}),
          part(Block::delta_mac, {"u_mac"}),
          part(Block::requantizer, {"u_requantizer"}),
          part(Block::buffers, {"u_input", "u_activation", "u_reference", "u_parameter"}),
          part(Block::output_fifo, {"u_output"}),
          part(Block::accelerator, {})};
}

std::unique_ptr<TopModel> AcceleratorTop::model() const {
  return std::make_unique<AcceleratorModel>(design_);
}

} // namespace deltatwin
