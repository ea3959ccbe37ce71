#include "base/fit.h"

namespace deltatwin {

const char* to_string(Resource resource) {
  constexpr const char* names[] = {"LUT", "FF", "DSP48E1", "RAMB36"};
  return names[static_cast<int>(resource)];
}

int used_of(const Resources& used, Resource resource) {
  const int counts[] = {used.lut, used.ff, used.dsp, used.bram36()};
  return counts[static_cast<int>(resource)];
}

int budget_of(const Device& device, Resource resource) {
  const int counts[] = {device.lut, device.ff, device.dsp, device.bram36};
  return counts[static_cast<int>(resource)];
}

Resource shortest_resource(const Resources& used, const Device& device) {
  Resource most = Resource::lut;
  for (const Resource each : {Resource::ff, Resource::dsp, Resource::bram36})
    if (share(used_of(used, each), budget_of(device, each)) >
        share(used_of(used, most), budget_of(device, most)))
      most = each;
  return most;
}

Fit fit_by_model(const Resources& used, const Device& device) {
  Fit fit = Fit::yes;
  for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36}) {
    const bool exact = each == Resource::dsp || each == Resource::bram36;
    const double error = exact ? 0 : area_model_error;
    const int count = used_of(used, each), budget = budget_of(device, each);
    if (count > budget * (1 + error))
      return Fit::no;
    if (count > budget * (1 - error))
      fit = Fit::unclear;
  }
  return fit;
}

std::string describe(Fit fit, const Device& device) {
  switch (fit) {
  case Fit::no:
    return "DOES NOT FIT " + device.name;
  case Fit::unclear:
    return "too close to " + device.name + "'s budget to tell";
  default:
    return "fits " + device.name;
  }
}

boost::json::value to_json(Fit fit) {
  return fit == Fit::unclear ? boost::json::value() : boost::json::value(fit == Fit::yes);
}

} // namespace deltatwin
