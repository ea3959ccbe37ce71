#include "tops/edqa/area.h"
#include "base/huffman.h"
#include "blocks/edqa_dequantizer.h"
#include "blocks/histogram.h"
#include "blocks/huffman_area.h"
#include "blocks/output_fifo.h"
#include <algorithm>

namespace deltatwin {
namespace {

// A queue's pointers beside its memory; nobody asks whether it is full.
Resources queue_resources(int width, int depth) {
  const int address = address_bits(depth);
  Resources queue = memory_resources(width, depth, depth > 64);
  queue.lut += 12;
  queue.ff += 2 * (address + 1) + 1;
  return queue;
}

Resources context_resources(const EdqaConfig& config) {
  const int bits = config.symbol_bits(), book = address_bits(config.books);
  Resources context = lut_ram_resources(bits, 64) + lut_ram_resources(book, 1 << bits);
  context.lut += 30;
  context.ff = 35 + 2 * book;
  return context;
}

Resources control_resources(const EdqaConfig& config) {
  const int lengths = config.books << config.symbol_bits();
  Resources control = lut_ram_resources(4, lengths);
  control.lut +=
      314 + 30 * config.dynamic + 42 * (config.channels - 1) + 12 * std::max(address_bits(lengths) - 5, 0);
  control.ff = 247 + 12 * config.dynamic;
  return control;
}

// Coefficients are fitted to `deltatwin synth --top edqa` at 14 designs of all formats and modes.

// In a lane, which has its own rows where a book is the only one, and reads no codes of 8 bits.
Resources code_book_resources(const EdqaConfig& config) {
  const int bits = config.symbol_bits();
  if (config.book_slots() == 1)
    return {58 + 15 * bits + 12, 108 + 24 * bits, 0, 0, 0, 12};
  Resources book = huffman_code_book_resources(bits, config.book_slots(), max_code_length);
  book.lut -= 78;
  book.ff -= 51;
  return book;
}

// Counts of what is inside, tables of channels, and the ways between the blocks, which take some of theirs.
Resources lane_resources(const EdqaConfig& config) {
  const int magnitude = edqa_magnitude_bits(config.format), address = address_bits(config.depth);
  Resources lane = lut_ram_resources(magnitude, config.rows()) + lut_ram_resources(16, config.rows()) +
                   lut_ram_resources(magnitude, 16) + lut_ram_resources(address, 16) +
                   lut_ram_resources(12, 16);
  lane.lut += 220 + 10 * address + (config.extra > 0 ? 115 : 40) * config.dynamic;
  lane.ff = 110 + 9 * address / 2 + 25 * config.dynamic;
  if (config.format != EdqaFormat::float32) { // the dequantizer's
    lane.lut -= edqa_dequantizer_resources({config.format, config.max_bits(), config.extra}).lut - 2;
    lane.ff += 19;
  } else {
    lane.lut -= magnitude; // the magnitude's
  }
  return lane;
}

} // namespace

std::vector<Part> edqa_parts(const EdqaConfig& config) {
  const int magnitude = edqa_magnitude_bits(config.format), symbol = config.symbol_bits();
  const int book = address_bits(config.book_slots()), counts = address_bits(config.depth + 1);
  const auto in_lanes = [&](const char* name, const std::vector<std::string>& instances,
                            const Resources& each) {
    Part part{name, {}, config.channels * each};
    for (int l = 0; l < config.channels; ++l)
      for (const std::string& instance : instances)
        part.instances.push_back("gen_lane[" + std::to_string(l) + "].u_lane" + instance);
    return part;
  };
  std::vector<Part> parts = {
      {"edqa_control", {"u_control"}, control_resources(config)},
      in_lanes("edqa_magnitude", {".u_magnitude"}, edqa_magnitude_resources(config.format)),
      in_lanes("edqa_quantizer", {".u_quantizer"},
               edqa_quantizer_resources({config.format, config.max_bits()})),
      in_lanes("symbols", {".u_symbols"}, queue_resources(symbol + 1, config.symbol_depth())),
      in_lanes("quantized", {".u_quantized"}, queue_resources(config.bits, config.quantized_depth())),
      in_lanes("huffman_code_book", {".u_code_book"}, code_book_resources(config)),
      in_lanes("huffman_encoder", {".u_encoder"}, huffman_encoder_resources(symbol + book)),
      in_lanes("channel_store", {".u_store"}, channel_store_resources(config.store_words())),
      in_lanes("channel_decoder", {".u_decoder"}, channel_decoder_resources(symbol, config.book_slots())),
      in_lanes("edqa_dequantizer", {".u_dequantizer"},
               edqa_dequantizer_resources({config.format, config.max_bits(), config.extra})),
      in_lanes("output_fifo", {".u_output"},
               output_fifo_resources({edqa_result_bits(config.format) + 1, 16}))};
  if (config.dynamic) {
    Resources intake =
        queue_resources(magnitude + 2, config.value_depth()) + output_fifo_resources({magnitude + 1, 4});
    intake.lut += 22;
    intake.ff += magnitude + 38;
    parts.push_back(in_lanes("edqa_intake", {".gen_intake.u_intake"}, intake));
    parts.push_back(
        in_lanes("edqa_books", {".gen_books.u_books"},
                 histogram_resources({config.builder_symbols(), counts}) +
                     huffman_builder_resources(config.builder_symbols(), config.builder_limit(), counts)));
  }
  if (config.books > 1)
    parts.push_back(in_lanes("edqa_context", {".gen_contexts"}, 2 * context_resources(config)));
  parts.push_back(in_lanes("edqa_lane", {""}, lane_resources(config)));
  parts.push_back({"edqa", {}, {5}});
  return parts;
}

} // namespace deltatwin
