#include "net/quantize.h"
#include "base/error.h"
#include <algorithm>
#include <cmath>
#include <string>

namespace deltatwin {
namespace {

// A layer of this format, still without references and deltas.
Layer shaped(int inputs, int outputs, const DeltaFormat& format) {
  Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.scheme = format.scheme;
  layer.delta_bits = format.delta_bits;
  layer.group = format.scheme == Scheme::plain ? Group::layer : format.group;
  layer.block = layer.group == Group::block ? format.block : 0;
  layer.shift = format.scheme == Scheme::plain ? 0 : format.shift;
  return layer;
}

} // namespace

Layer encode(int inputs, int outputs, const std::vector<std::int8_t>& weights, const DeltaFormat& format,
             const std::vector<int>& references) {
  Layer layer = shaped(inputs, outputs, format);
  layer.references = references;
  if (references.size() != reference_count(layer))
    throw InputError("expected " + std::to_string(reference_count(layer)) + " references, got " +
                     std::to_string(references.size()));
  for (std::size_t g = 0; g < references.size(); ++g)
    if (!in_int8(references[g]))
      throw InputError("reference " + std::to_string(g) + " is " + std::to_string(references[g]) +
                       ", expected -128..127");
  const std::size_t count = static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs);
  if (weights.size() != count)
    throw InputError("expected " + std::to_string(count) + " weights, got " + std::to_string(weights.size()));
  layer.deltas.resize(count);
  const int step = 1 << layer.shift;
  std::size_t at = 0;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0, base = 0, first = 0; i < inputs; ++i, ++at) {
      if (i % layer.block_length() == 0)
        base = first = layer.reference(o, i / layer.block_length());
      const int weight = weights[at];
      const int difference = weight - base;
      int low = std::max(base + lowest_delta(layer.delta_bits) * step, -128);
      int high = std::min(base + highest_delta(layer.delta_bits) * step, 127);
      if (layer.scheme == Scheme::consecutive) { // the running delta stays within int8
        low = std::max(low, first - 128 * step);
        high = std::min(high, first + 127 * step);
      }
      if (difference % step || weight < low || weight > high)
        throw InputError("weight of output " + std::to_string(o) + ", input " + std::to_string(i) + " is " +
                         std::to_string(weight) + ", which " + std::to_string(layer.delta_bits) +
                         "-bit deltas cannot hold: from " + std::to_string(base) + " they reach " +
                         std::to_string(low) + ".." + std::to_string(high) + " in steps of " +
                         std::to_string(step));
      layer.deltas[at] = static_cast<std::int8_t>(difference / step);
      if (layer.scheme == Scheme::consecutive)
        base = weight;
    }
  return layer;
}

Layer quantize(int inputs, int outputs, const std::vector<float>& scaled, const DeltaFormat& format) {
  Layer layer = shaped(inputs, outputs, format);
  const auto nearest = [](double v, int low, int high) { // what is no number counts as 0
    return static_cast<int>(std::lround(std::clamp(std::isnan(v) ? 0.0 : v, low + 0.0, high + 0.0)));
  };
  const int length = layer.block_length();
  const auto row = [&](int o) { return static_cast<std::size_t>(o) * static_cast<std::size_t>(inputs); };
  if (layer.scheme != Scheme::plain) {
    layer.references.resize(reference_count(layer));
    for (std::size_t g = 0; g < layer.references.size(); ++g) {
      std::size_t from = 0, to = scaled.size();
      if (layer.group != Group::layer) {
        const int o = static_cast<int>(g) / layer.blocks(), b = static_cast<int>(g) % layer.blocks();
        from = row(o) + static_cast<std::size_t>(b * length);
        to = std::min(from + static_cast<std::size_t>(length), row(o + 1));
      }
      if (layer.scheme == Scheme::consecutive && layer.group != Group::layer)
        to = from + 1; // the group's first weight
      double sum = 0;
      for (std::size_t i = from; i < to; ++i)
        sum += static_cast<double>(scaled[i]);
      layer.references[g] = nearest(sum / static_cast<double>(to - from), -128, 127);
    }
  }
  layer.deltas.resize(scaled.size());
  const double step = 1 << layer.shift;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0, running = 0, first = 0; i < inputs; ++i) {
      const std::size_t at = row(o) + static_cast<std::size_t>(i);
      if (i % length == 0) {
        first = layer.reference(o, i / length);
        running = 0;
      } else if (layer.scheme != Scheme::consecutive) {
        running = 0;
      }
      // The running delta stays within int8, and the weight too.
      const int floor_step = static_cast<int>(std::ceil((-128.0 - first) / step));
      const int ceil_step = static_cast<int>(std::floor((127.0 - first) / step));
      const int low = std::max({running + lowest_delta(layer.delta_bits), floor_step, -128});
      const int high = std::min({running + highest_delta(layer.delta_bits), ceil_step, 127});
      const int next = nearest((static_cast<double>(scaled[at]) - first) / step, low, high);
      layer.deltas[at] = static_cast<std::int8_t>(next - running);
      running = next;
    }
  return layer;
}

} // namespace deltatwin
