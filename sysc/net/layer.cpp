#include "net/layer.h"
#include "base/huffman.h"

namespace deltatwin {

int Layer::block_length() const { return group == Group::block && block > 0 ? block : inputs; }
int Layer::blocks() const { return (inputs + block_length() - 1) / block_length(); }

int Layer::reference(int output, int block_index) const {
  if (scheme == Scheme::plain)
    return 0;
  return references[group == Group::layer ? 0 : static_cast<std::size_t>(output) * blocks() + block_index];
}

std::vector<std::int8_t> Layer::weights() const {
  std::vector<std::int8_t> result;
  result.reserve(deltas.size());
  decode(*this, [&](int, int, int weight, int) { result.push_back(static_cast<std::int8_t>(weight)); });
  return result;
}

std::uint64_t Layer::weight_bits() const {
  return deltas.size() * static_cast<std::uint64_t>(delta_bits) + references.size() * 8;
}

std::vector<std::uint64_t> Layer::histogram() const {
  std::vector<std::uint64_t> counts(std::size_t{1} << symbol_deltas() * delta_bits);
  for (int o = 0; o < outputs; ++o)
    for_each_symbol(*this, o, symbol_deltas(), delta_bits, [&](unsigned symbol) { ++counts[symbol]; });
  return counts;
}

std::vector<int> Layer::code_lengths() const {
  return code == Code::raw ? std::vector<int>() : huffman_lengths(histogram());
}

std::uint64_t Layer::macs() const {
  return static_cast<std::uint64_t>(inputs) * static_cast<std::uint64_t>(outputs);
}

std::uint64_t Layer::code_bits() const {
  return code == Code::raw ? deltas.size() * static_cast<std::uint64_t>(delta_bits)
                           : coded_bits(histogram(), code_lengths());
}

std::uint64_t Layer::stored_bits() const {
  const std::uint64_t book = code == Code::raw ? 0 : 4 * (std::uint64_t{1} << symbol_deltas() * delta_bits);
  return code_bits() + book + references.size() * 8;
}

std::size_t reference_count(const Layer& layer) {
  if (layer.scheme == Scheme::plain)
    return 0;
  return layer.group == Group::layer ? 1 : static_cast<std::size_t>(layer.outputs) * layer.blocks();
}

const char* to_string(Scheme scheme) { return scheme_names.begin()[static_cast<int>(scheme)]; }
const char* to_string(Group group) { return group_names.begin()[static_cast<int>(group)]; }
const char* to_string(Activation activation) {
  return activation_names.begin()[static_cast<int>(activation)];
}
const char* to_string(Code code) { return code_names.begin()[static_cast<int>(code)]; }
const char* to_string(Rounding rounding) { return rounding_names.begin()[static_cast<int>(rounding)]; }

} // namespace deltatwin
