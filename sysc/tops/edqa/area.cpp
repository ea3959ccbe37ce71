#include "tops/edqa/area.h"
#include "blocks/edqa_dequantizer.h"
#include "blocks/histogram.h"
#include "blocks/huffman_area.h"
#include "blocks/output_fifo.h"

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
  context.ff = 20 + 2 * book;
  return context;
}

Resources control_resources(const EdqaConfig& config) {
  Resources control = lut_ram_resources(4, edqa_entries * config.books);
  control.lut += 420;
  control.ff = 250;
  return control;
}

// Counts of what is inside, tables of channels, and the ways between the blocks.
Resources lane_resources(const EdqaConfig& config) {
  Resources lane = lut_ram_resources(edqa_magnitude_bits(config.format), config.rows()) +
                   lut_ram_resources(16, config.rows()) +
                   lut_ram_resources(edqa_magnitude_bits(config.format), 16) +
                   lut_ram_resources(address_bits(config.depth), 16);
  lane.lut += 250;
  lane.ff = 300;
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
      in_lanes("huffman_code_book", {".u_code_book"},
               huffman_code_book_resources(symbol, config.book_slots(), 8)),
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
    intake.lut += magnitude + 15;
    intake.ff += magnitude + 10;
    parts.push_back(in_lanes("edqa_intake", {".gen_intake.u_intake"}, intake));
    parts.push_back(
        in_lanes("edqa_books", {".gen_books.u_books"},
                 histogram_resources({config.builder_symbols(), counts}) +
                     huffman_builder_resources(config.builder_symbols(), config.builder_limit(), counts)));
  }
  if (config.books > 1)
    parts.push_back(in_lanes("edqa_context", {".gen_contexts"}, 2 * context_resources(config)));
  parts.push_back(in_lanes("edqa_lane", {""}, lane_resources(config)));
  parts.push_back({"edqa", {}, {20, 5}});
  return parts;
}

} // namespace deltatwin
