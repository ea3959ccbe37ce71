#pragma once
#include "cosim/rtl_library.h"
#include "cosim/synthesis.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace deltatwin {

/// One block as a top, as far as synthesis needs one.
///
///     const SynthesisResult area = synthesize(BlockTop("requantizer", {{"TagBits", 4}}));
class BlockTop : public Top {
public:
  BlockTop(std::string module, std::vector<std::pair<std::string, int>> parameters)
      : module_(std::move(module)), parameters_(std::move(parameters)) {}
  BlockTop(const RtlSource& block) : BlockTop(block.top, block.parameters) {}

  [[nodiscard]] std::string module() const override { return module_; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override { return parameters_; }
  [[nodiscard]] double clock_mhz() const override { return 100; }
  [[nodiscard]] std::vector<Bus> buses() const override { return {}; }
  [[nodiscard]] std::vector<Register> registers() const override { return {}; }
  [[nodiscard]] std::vector<Interface> interfaces() const override { return {}; }
  [[nodiscard]] std::vector<Part> parts() const override { return {{module_, {}, {}}}; }
  [[nodiscard]] std::unique_ptr<TopModel> model() const override {
    throw std::logic_error("a block is no platform's component");
  }

private:
  std::string module_;
  std::vector<std::pair<std::string, int>> parameters_;
};

/// Holds a block's area model against synthesis: DSPs and memories are exact.
inline void check_area(const Resources& model, const BlockTop& block) {
  const SynthesisResult area = synthesize(block);
  CAPTURE(block.module(), block.parameters(), model.lut, area.lut, model.ff, area.ff);
  CHECK(model.dsp == area.dsp);
  CHECK(model.bram36() == area.bram36());
  CHECK(model.lut_ram == area.lut_ram);
  CHECK(model.lut == Approx(area.lut).epsilon(0.15));
  CHECK(model.ff == Approx(area.ff).epsilon(0.15).margin(0.5));
}

/// Both as a line of CSV: module, parameters, and of each count synthesis and model.
inline void print_area(const Resources& model, const BlockTop& block) {
  const SynthesisResult area = synthesize(block);
  std::printf("%s", block.module().c_str());
  for (const auto& [name, value] : block.parameters())
    std::printf(" %s=%d", name.c_str(), value);
  for (const auto& [name, member] : resource_fields)
    std::printf(",%s,%d,%d", name, area.*member, model.*member);
  std::printf("\n");
}

} // namespace deltatwin
