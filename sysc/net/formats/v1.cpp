#include "net/formats/fields.h"
#include "net/formats/formats.h"

namespace deltatwin {

Network parse_format_1(const JsonField& root, const std::string& origin) {
  root.check_keys({"format", "name", "description", "layers"});
  Network network;
  network.name = root.at("name").name();
  if (root.has("description"))
    network.description = root.at("description").text();
  for (const JsonField& field : root.at("layers").elements()) {
    field.check_keys({"inputs", "outputs", "scheme", "delta_bits", "group", "block", "shift", "references",
                      "code", "deltas", "requantizer", "activation"});
    if (field.has("requantizer"))
      field.at("requantizer").check_keys({"multiplier", "bias", "shift"});
    layer_fields(FieldReader(field), network.layers.emplace_back());
  }
  validate(network, origin);
  return network;
}

} // namespace deltatwin
