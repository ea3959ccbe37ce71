#include "tops/codec/area.h"
#include "blocks/histogram.h"
#include "blocks/huffman_area.h"

namespace deltatwin {
namespace {

// Registers and AXI4-Lite: the sizes are LUT-RAM.
Resources control_resources(const CodecConfig& config) {
  Resources control = lut_ram_resources(16, codec_sizes);
  control.lut += 191;
  control.ff = 147 + config.count_bits();
  return control;
}

// The queue's pointers and its count of words.
Resources fifo_resources(const CodecConfig& config) {
  const int address = address_bits(config.fifo_depth());
  Resources fifo = memory_resources(config.symbol_bits() + 1, config.fifo_depth(), config.fifo_depth() > 64);
  fifo.lut += 15 + address;
  fifo.ff += 3 * (address + 1) + 1;
  return fifo;
}

Resources store_resources(const CodecConfig& config) {
  const int index = address_bits(config.store_words()) + (config.store_words() == 1);
  Resources store = memory_resources(36, 2 << index, true);
  store.lut += 45 + 5 * index;
  store.ff += 9 + 9 * index / 2;
  return store;
}

Resources output_resources(const CodecConfig& config) {
  Resources output = lut_ram_resources(config.symbol_bits() + 1, 4);
  output.lut += 4;
  output.ff = 9;
  return output;
}

} // namespace

std::vector<Part> codec_parts(const CodecConfig& config) {
  const int bits = config.symbol_bits(), counts = config.count_bits();
  return {
      {"codec_control", {"u_control"}, control_resources(config)},
      {"histogram", {"u_histogram"}, histogram_resources({config.symbols, counts})},
      {"huffman_builder", {"u_builder"}, huffman_builder_resources(config.symbols, config.limit, counts)},
      {"huffman_code_book", {"u_code_book"}, huffman_code_book_resources(bits, codec_books, config.limit)},
      {"symbol_fifo", {"u_symbols"}, fifo_resources(config)},
      {"huffman_encoder", {"u_encoder"}, huffman_encoder_resources(bits + address_bits(codec_books))},
      {"code_store", {"u_codes"}, store_resources(config)},
      {"huffman_decoder", {"u_decoder"}, huffman_decoder_resources(bits, codec_books)},
      {"output_fifo", {"u_output"}, output_resources(config)},
      {"codec", {}, {13, 5}}};
}

} // namespace deltatwin
