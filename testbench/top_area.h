#pragma once
#include "base/fit.h"
#include "cosim/synthesis.h"
#include "tops/top.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace deltatwin {

/// Holds a design's area model to its error against synthesis; `print`: with each part, as CSV behind
/// `described`.
inline void compare_area(const Top& top, const std::string& described, bool print) {
  CAPTURE(described);
  const SynthesisResult area = synthesize(top);
  const std::vector<Part> parts = top.parts();
  const Resources model = total_area(parts);
  for (std::size_t part = 0; print && part < parts.size(); ++part) {
    const Resources& found = area.parts[part];
    std::printf("%s,%s,%d,%d,%d,%d,%d,%d,%d,%d\n", described.c_str(), parts[part].name.c_str(), found.lut,
                found.lut_ram, found.ff, found.dsp, found.ramb18, found.ramb36, parts[part].area.lut,
                parts[part].area.ff);
    std::fflush(stdout);
  }
  CHECK(model.dsp == area.dsp);
  CHECK(model.ramb18 == area.ramb18);
  CHECK(model.ramb36 == area.ramb36);
  CHECK(std::abs(model.lut - area.lut) <= area_model_error * area.lut);
  CHECK(std::abs(model.ff - area.ff) <= area_model_error * area.ff);
}

} // namespace deltatwin
