#pragma once
#include "cosim/rtl_library.h"
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// Holds that the RTL of `top` refuses to be built with each of these values of a parameter.
inline void check_refused(const std::string& top,
                          const std::vector<std::pair<std::string, std::vector<int>>>& parameters) {
  for (const auto& [parameter, values] : parameters)
    for (const int value : values) {
      CAPTURE(parameter, value);
      CHECK_THROWS_WITH(build_rtl({top, {{parameter, value}}, false, ""}), Catch::Contains("u_error"));
    }
}

} // namespace deltatwin
