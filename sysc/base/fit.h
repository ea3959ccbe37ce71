#pragma once
#include "base/resources.h"
#include <boost/json/value.hpp>
#include <string>

namespace deltatwin {

/// What the area model states as its error: LUTs and FFs by synthesis are the model's divided by
/// something between 1 - this and 1 + this. DSPs and block RAMs are exact.
inline constexpr double area_model_error = 0.15;

/// Whether a design fits a device, by the area model.
enum class Fit {
  no,
  unclear, ///< too close to tell: the model's own error decides it, so synthesis has to
  yes
};
[[nodiscard]] Fit fit_by_model(const Resources& used, const Device& device);
/// "DOES NOT FIT xc7s15", "fits xc7s15", "too close to xc7s15's budget to tell".
[[nodiscard]] std::string describe(Fit fit, const Device& device);
/// true, false, or null where it is unclear.
[[nodiscard]] boost::json::value to_json(Fit fit);

/// The part of a budget that is used. Of a budget of nothing: 0 where nothing is used, else 1 more than
/// what is used, so that it is finite and above 1.
[[nodiscard]] constexpr double share(int used, int budget) {
  return budget ? static_cast<double>(used) / budget : used ? 1.0 + used : 0.0;
}

/// What a device has of each kind, and a design takes.
enum class Resource { lut, ff, dsp, bram36 };
inline constexpr int resource_kinds = 4;
[[nodiscard]] const char* to_string(Resource resource); ///< "LUT", "FF", "DSP48E1", "RAMB36"
[[nodiscard]] int used_of(const Resources& used, Resource resource);
[[nodiscard]] int budget_of(const Device& device, Resource resource);
/// Of which kind the largest share is used; of equal ones the first.
[[nodiscard]] Resource shortest_resource(const Resources& used, const Device& device);

} // namespace deltatwin
