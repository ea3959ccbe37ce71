#include "blocks/program_check.h"

namespace deltatwin {

const char* to_string(ErrorCode code) {
  constexpr const char* names[] = {
      "none",         "layer count", "image count", "input length",     "output length", "chain",
      "block length", "scheme",      "activation",  "parameter range",  "weight range",  "reference range",
      "framing",      "code book",   "bad code",    "stream too short", "bits left over"};
  return names[static_cast<int>(code)];
}

RunError check_program(const SchedulerConfig& config, const std::vector<LayerDescriptor>& table,
                       unsigned layers, std::uint32_t images) {
  if (layers == 0 || layers > static_cast<unsigned>(config.max_layers))
    return {ErrorCode::layer_count, 0, 0};
  if (images == 0)
    return {ErrorCode::image_count, 0, 0};
  int neurons = 0;
  for (unsigned l = 0; l < layers; ++l) {
    const LayerDescriptor& layer = table[l];
    const bool last = l + 1 == layers;
    neurons += layer.outputs;
    const int most = l == 0 ? config.in_depth : config.act_depth;
    const int code = static_cast<int>(layer.activation);
    ErrorCode error = ErrorCode::none;
    if (layer.inputs == 0 || layer.inputs > most)
      error = ErrorCode::input_length;
    else if (layer.outputs == 0 || layer.outputs > (last ? 4096 : config.act_depth))
      error = ErrorCode::output_length;
    else if (l && layer.inputs != table[l - 1].outputs)
      error = ErrorCode::chain;
    else if (layer.block_length == 0 || layer.block_length > layer.inputs)
      error = ErrorCode::block_length;
    else if ((layer.consecutive && !config.consecutive) || (layer.huffman && !config.huffman))
      error = ErrorCode::scheme;
    else if (code == 3 || (code == 0 && !last))
      error = ErrorCode::activation;
    else if (neurons > config.param_depth)
      error = ErrorCode::parameter_range;
    if (error != ErrorCode::none)
      return {error, static_cast<int>(l), l};
  }
  return {};
}

RunError check_books(const SchedulerConfig& config, const std::vector<CodeTable>& books) {
  const CodeBookTiming timing = code_book_timing(config.symbol_bits);
  std::size_t symbols = 0;
  for (std::size_t l = 0; l < books.size(); ++l) {
    symbols += books[l].symbols.size();
    const bool faulty = books[l].fault != BookFault::none;
    if (faulty || (config.symbol_depth && symbols > static_cast<std::size_t>(config.symbol_depth)))
      return {ErrorCode::code_book, static_cast<int>(l),
              books.size() - 1 + l * timing.build() + (faulty ? timing.fault() : timing.build())};
  }
  return {};
}

Cycle preparation_cycles(const SchedulerConfig& config, std::size_t layers) {
  return 1 + layers * (1 + (config.huffman ? code_book_timing(config.symbol_bits).build() : 0));
}

} // namespace deltatwin
