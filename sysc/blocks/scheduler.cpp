#include "blocks/scheduler.h"

namespace deltatwin {

const char* to_string(ErrorCode code) {
  constexpr const char* names[] = {
      "none",         "layer count", "image count", "input length",     "output length", "chain",
      "block length", "scheme",      "activation",  "parameter range",  "weight range",  "reference range",
      "framing",      "code book",   "bad code",    "stream too short", "bits left over"};
  return names[static_cast<int>(code)];
}

RunError check_program(const Design& design, const std::vector<LayerDescriptor>& table, unsigned layers,
                       std::uint32_t images) {
  if (layers == 0 || layers > static_cast<unsigned>(design.max_layers))
    return {ErrorCode::layer_count, 0, 0};
  if (images == 0)
    return {ErrorCode::image_count, 0, 0};
  int neurons = 0;
  for (unsigned l = 0; l < layers; ++l) {
    const LayerDescriptor& layer = table[l];
    const bool last = l + 1 == layers;
    neurons += layer.outputs;
    const int most = l == 0 ? design.in_depth : design.act_depth;
    const int code = static_cast<int>(layer.activation);
    ErrorCode error = ErrorCode::none;
    if (layer.inputs == 0 || layer.inputs > most)
      error = ErrorCode::input_length;
    else if (layer.outputs == 0 || layer.outputs > (last ? 4096 : design.act_depth))
      error = ErrorCode::output_length;
    else if (l && layer.inputs != table[l - 1].outputs)
      error = ErrorCode::chain;
    else if (layer.block_length == 0 || layer.block_length > layer.inputs)
      error = ErrorCode::block_length;
    else if ((layer.consecutive && !design.consecutive) || (layer.huffman && !design.huffman))
      error = ErrorCode::scheme;
    else if (code == 3 || (code == 0 && !last))
      error = ErrorCode::activation;
    else if (neurons > design.param_depth)
      error = ErrorCode::parameter_range;
    if (error != ErrorCode::none)
      return {error, static_cast<int>(l), l};
  }
  return {};
}

RunError check_books(const Design& design, const std::vector<CodeTable>& books) {
  for (std::size_t l = 0; l < books.size(); ++l)
    if (books[l].fault != BookFault::none)
      return {ErrorCode::code_book, static_cast<int>(l),
              books.size() - 1 + l * CodeBookTiming::build(design.delta_bits) +
                  CodeBookTiming::fault(design.delta_bits)};
  return {};
}

Cycle preparation_cycles(const Design& design, std::size_t layers) {
  return 1 + layers * (1 + (design.huffman ? CodeBookTiming::build(design.delta_bits) : 0));
}

SchedulerTiming::SchedulerTiming(const Design& design, std::vector<LayerDescriptor> layers, Cycle first_wait)
    : lanes_(design.lanes), bank_depth_(design.bank_depth), ref_depth_(design.ref_depth),
      out_depth_(design.out_depth), huffman_(design.huffman), mac_(design), layers_(std::move(layers)),
      wait_(first_wait), half_free_{first_wait, first_wait}, loader_free_(first_wait) {}

void SchedulerTiming::loaded(Cycle last_beat) {
  full_.push_back(last_beat + 1);
  loader_free_ = last_beat + 1;
  half_free_[next_half_] = never; // until the issue side has read it
  next_half_ ^= 1;
}

std::vector<Cycle> SchedulerTiming::phase() const {
  std::vector<Cycle> times = {half_free_[next_half_], half_free_[next_half_ ^ 1], loader_free_,
                              std::max(drain_free_, wait_)};
  for (const Cycle beat : output_beats_)
    if (beat >= wait_) // credits that are not back yet
      times.push_back(beat);
  for (Cycle& time : times)
    time -= wait_;
  return times;
}

// Credits return with the output beats, seen a cycle later.
Cycle SchedulerTiming::room(int need, Cycle from) {
  const std::size_t keep = static_cast<std::size_t>(out_depth_ - need);
  while (output_beats_.size() > keep) {
    const Cycle freed = output_beats_.front();
    output_beats_.pop_front();
    if (freed == never)
      return never;
    from = std::max(from, freed + 1);
  }
  return from;
}

Resources scheduler_resources(const Design& design) {
  // Fitted. Of addresses, a bit's counter, comparison and multiplexer.
  constexpr double logic = 469, per_weight_bit = 3.6, per_reference_bit = 3.1, per_parameter_bit = 2.3;
  constexpr double builds = 60, per_coded_lane = 3.9;
  constexpr double flip_flops = 360, per_layer_bit = 5, of_builds = 6;
  const int weight_bits = design.huffman ? 0 : address_bits(design.bank_depth + 1);
  const int reference_bits = address_bits(design.ref_depth),
            parameter_bits = address_bits(design.param_depth);
  const int layer_bits = std::max(1, address_bits(design.max_layers));
  constexpr int table = 52; // LUT-RAM
  Resources all;
  all.lut = table + static_cast<int>(logic + per_weight_bit * weight_bits +
                                     per_reference_bit * reference_bits + per_parameter_bit * parameter_bits +
                                     (design.huffman ? builds + per_coded_lane * design.lanes : 0));
  all.lut_ram = table;
  all.ff = static_cast<int>(flip_flops + per_layer_bit * layer_bits + (design.huffman ? of_builds : 0)) +
           weight_bits + 2 * reference_bits + address_bits(design.ref_depth + design.lanes + 1) +
           parameter_bits + address_bits(design.out_depth + 1) + address_bits(design.out_depth + 4);
  return all;
}

} // namespace deltatwin
