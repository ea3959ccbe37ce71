#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/configs.h"
#include <algorithm>
#include <tuple>

namespace deltatwin {
namespace {

constexpr std::size_t largest_batch = 4096; ///< inferences computed in one go, bounds memory

} // namespace

void take_at_once(const OutputTile& tile, std::vector<Cycle>& taken) {
  for (int i = 0; i < tile.count; ++i)
    taken.push_back(tile.offered + static_cast<Cycle>(i));
}

std::vector<Interface> AcceleratorCore::interfaces(const Design& design) {
  const auto axi = [](const std::string& channel, const char* valid, const char* ready,
                      std::vector<Field> fields) {
    return Interface{"axi_control",
                     channel,
                     {"s_axil_" + channel + valid, "s_axil_" + channel + ready},
                     std::move(fields)};
  };
  std::vector<Interface> all = {
      axi("aw", "valid_i", "ready_o", {{"s_axil_awaddr_i", 12}}),
      axi("w", "valid_i", "ready_o", {{"s_axil_wdata_i", 32}, {"s_axil_wstrb_i", 4}}),
      axi("b", "valid_o", "ready_i", {{"s_axil_bresp_o", 2}}),
      axi("ar", "valid_i", "ready_o", {{"s_axil_araddr_i", 12}}),
      axi("r", "valid_o", "ready_i", {{"s_axil_rdata_o", 32}, {"s_axil_rresp_o", 2}}),
      {"scheduler",
       "s_axis",
       {"s_axis_tvalid_i", "s_axis_tready_o"},
       {{"s_axis_tdata_i", 8}, {"s_axis_tlast_i", 1}}},
      {"output_fifo",
       "m_axis",
       {"m_axis_tvalid_o", "m_axis_tready_i"},
       {{"m_axis_tdata_o", 16}, {"m_axis_tlast_o", 1}}},
      {"scheduler", "slot", {"slot"}, {{"slot_weight_addr", 20}, {"slot_x_addr", 13}, {"slot_layer", 4}}},
      {"scheduler", "mac", {"mac_valid"}, {{"mac_x", 8}, {"mac_flags", 4}}},
      {"delta_mac", "ref", {"ref_valid"}, {{"ref_addr", 20}}},
      {"delta_mac", "sum", {"sum_valid"}, {{"sum_data", 32}}},
      {"requantizer", "act", {"act_valid"}, {{"act_addr", 14}, {"act_data", 8}}},
  };
  for (int bank = 0; bank < design.banks(); ++bank)
    all.push_back({design.huffman ? "huffman_bank" : "weight_bank",
                   "bank" + std::to_string(bank),
                   {"mac_valid"},
                   {{"mac_deltas", design.lanes_of_bank(bank) * design.delta_bits,
                     bank * design.lanes_per_bank * design.delta_bits}}});
  for (int lane = 0; design.huffman && lane < design.lanes; ++lane)
    all.push_back({"huffman_decoder", "fetch" + std::to_string(lane), {{"fetch", 1, lane}}, {}});
  return all;
}

AcceleratorCore::AcceleratorCore(const Design& design)
    : design_((validate(design), design)),
      banks_(static_cast<std::size_t>(design.banks()),
             std::vector<std::uint64_t>(static_cast<std::size_t>(design.bank_depth))),
      references_(static_cast<std::size_t>(design.ref_depth)),
      parameters_(static_cast<std::size_t>(design.param_depth)),
      program_(2 * static_cast<std::size_t>(design.max_layers)),
      code_lengths_(design.huffman ? static_cast<std::size_t>(design.max_layers) << design.delta_bits : 0),
      streams_(design.huffman ? 2 * static_cast<std::size_t>(design.lanes) : 0),
      control_(axi_control_config(design)), before_write_(control_),
      decoders_(huffman_weights_config(design)) {}

void AcceleratorCore::load(const AxiControlCore::Write& write) {
  const std::uint64_t word = write.word;
  switch (write.memory) {
  case Memory::weights:
    banks_[write.bank][write.address] = word & ((std::uint64_t{1} << design_.bank_width()) - 1);
    break;
  case Memory::references:
    references_[write.address] = static_cast<std::uint8_t>(word);
    break;
  case Memory::parameters:
    parameters_[write.address] = word;
    break;
  case Memory::program:
    program_[write.address] = static_cast<std::uint32_t>(word);
    break;
  case Memory::code_books:
    code_lengths_[write.address] = word & 0xf;
    break;
  case Memory::streams:
    streams_[write.address] = word & 0xfffff;
    break;
  }
}

bool AcceleratorCore::write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  before_write_ = control_;
  write_ = cycle;
  const AxiControlCore::Write write = control_.write(address, data, strobe, status(cycle));
  switch (write.effect) {
  case AxiControlCore::Effect::start:
    start(cycle + control_latency);
    break;
  case AxiControlCore::Effect::soft_reset:
    clear(cycle + control_latency);
    break;
  case AxiControlCore::Effect::load:
    load(write);
    break;
  case AxiControlCore::Effect::none:
    break;
  }
  return write.okay;
}

AcceleratorCore::ReadResult AcceleratorCore::read(std::uint32_t address, Cycle cycle) const {
  const AxiControlCore& control = write_ != never && cycle <= write_ ? before_write_ : control_;
  const Shown& run = shown(cycle);
  RunProgress progress;
  progress.status = status(cycle);
  if (progress.status == Status::error) {
    progress.error = static_cast<int>(run.error.code);
    progress.error_layer = run.error.layer;
  }
  progress.cycles = run.started ? std::min(cycle, run.stop) - (run.start + 1) : 0;
  progress.inferences = static_cast<std::uint32_t>(
      std::count_if(run.completions.begin(), run.completions.end(),
                    [=](const Completion& completion) { return completion.cycle < cycle; }));
  return control.read(address, progress);
}

Status AcceleratorCore::status(Cycle cycle) const {
  const Shown& run = shown(cycle);
  if (!run.started)
    return Status::idle;
  if (cycle < run.stop)
    return Status::running;
  return run.error.code == ErrorCode::none ? Status::done : Status::error;
}

std::vector<Cycle> AcceleratorCore::completions() const {
  std::vector<Cycle> cycles;
  for (const Completion& completion : run_.completions)
    cycles.push_back(completion.cycle);
  return cycles;
}

void AcceleratorCore::clear(Cycle cycle) {
  if (trace_)
    trace_->reset_after(cycle, port::s_axis);
  if (!run_.started || run_.start < cycle) // a run that never showed leaves what was before it
    before_ = std::move(run_);
  changed_ = cycle;
  run_ = {};
  timing_.reset();
}

void AcceleratorCore::hard_reset(Cycle cycle) {
  clear(cycle ? cycle - 1 : 0);
  control_.reset();
}

void AcceleratorCore::start(Cycle cycle) {
  clear(cycle);
  run_.started = true;
  run_.start = cycle;
  loaded_ = issued_ = 0;
  loading_.clear();
  results_.clear();
  results_used_ = 0;
  output_free_ = 0;
  const std::vector<std::vector<std::uint64_t>> streams = lane_words();
  decoders_.start(streams, cycle + 1); // they take their first words while the program is checked
  std::vector<LayerDescriptor> table = read_table(program_);
  const SchedulerConfig config = scheduler_config(design_);
  run_.error = check_program(config, table, control_.layers(), control_.images());
  table.resize(control_.layers());
  if (run_.error.code == ErrorCode::none && design_.huffman) {
    build_books(table);
    run_.error = check_books(config, books_);
  }
  if (run_.error.code != ErrorCode::none) {
    run_.error.cycle += cycle + 1;
    run_.stop = run_.error.cycle + 1;
    trace_fetches();
    return;
  }
  trace_fetches();
  if (design_.huffman)
    decoded_streams_ = decode_streams(huffman_weights_config(design_), table, books_, streams);
  timing_ = std::make_unique<SchedulerTiming>(config, std::move(table),
                                              cycle + preparation_cycles(config, control_.layers()));
  decoded_ = decode();
  inference_ = std::make_unique<IntegerInference>(decoded_);
}

// Reads the memories in the order in which the scheduler does.
std::vector<DenseLayer> AcceleratorCore::decode() const {
  std::vector<DenseLayer> layers;
  std::size_t word = 0, reference = 0, neuron = 0;
  for (const LayerDescriptor& descriptor : timing_->layers()) {
    DenseLayer& layer = layers.emplace_back(descriptor.inputs, descriptor.outputs);
    layer.shift = descriptor.shift;
    layer.activation = descriptor.activation;
    for (int base = 0; base < descriptor.outputs; base += design_.lanes) {
      const int active = std::min(design_.lanes, descriptor.outputs - base);
      std::vector<int> operand(static_cast<std::size_t>(active));
      for (int i = 0; i < descriptor.inputs; ++i, ++word) {
        const bool block_first = i % descriptor.block_length == 0;
        if (block_first && i)
          reference += static_cast<std::size_t>(active);
        for (int lane = 0; lane < active; ++lane) {
          const auto& bank = slot_words()[static_cast<std::size_t>(lane / design_.lanes_per_bank)];
          const std::size_t at = reference + static_cast<std::size_t>(lane);
          const int r = at < references_.size() ? static_cast<std::int8_t>(references_[at]) : 0;
          int& c = operand[static_cast<std::size_t>(lane)];
          c = lane_operand(descriptor.consecutive, block_first, c,
                           word < bank.size()
                               ? extract_delta(bank[word], lane % design_.lanes_per_bank, design_.delta_bits)
                               : 0);
          layer.weight(base + lane, i) = static_cast<std::int16_t>(r + c * (1 << descriptor.delta_shift));
        }
      }
      reference += static_cast<std::size_t>(active);
    }
    for (int o = 0; o < descriptor.outputs; ++o, ++neuron) {
      layer.multiplier[static_cast<std::size_t>(o)] = parameter_multiplier(parameters_[neuron]);
      layer.bias[static_cast<std::size_t>(o)] = parameter_bias(parameters_[neuron]);
    }
  }
  return layers;
}

void AcceleratorCore::fail(const RunError& error) {
  if (std::tie(error.cycle, error.code) >= std::tie(run_.error.cycle, run_.error.code))
    return;
  run_.error = error;
  run_.stop = error.cycle + 1;
  if (trace_)
    trace_->drop_origins_after(error.cycle, port::s_axis);
  stop_fetches();
  const auto prevented = [&](const Completion& c) { return c.origin > error.cycle; };
  run_.completions.erase(std::remove_if(run_.completions.begin(), run_.completions.end(), prevented),
                         run_.completions.end());
}

std::size_t AcceleratorCore::input(const std::int8_t* data, std::size_t count, Cycle& from, const Gaps& gaps,
                                   std::vector<Cycle>* taken, const std::uint8_t* tlast_at) {
  std::size_t given = 0;
  const std::size_t length = timing_ ? static_cast<std::size_t>(timing_->layers()[0].inputs) : 0;
  while (given < count && timing_ && loaded_ < control_.images()) {
    const std::size_t at = loading_.size();
    const std::size_t ahead = std::min((count - given) / length, largest_batch);
    if (at == 0 && results_used_ == results_.size() && ahead > 0) {
      results_.resize(ahead * static_cast<std::size_t>(inference_->outputs()));
      inference_->run(data + given, static_cast<int>(ahead), results_.data());
      results_used_ = 0;
    }
    const std::size_t n = std::min(length - at, count - given);
    Cycle cycle = from;
    for (std::size_t i = 0; i < n; ++i) {
      cycle += gaps ? gaps(given + i) : 0;
      if (at + i == 0)
        cycle = std::max(cycle, timing_->input_ready());
      if (cycle >= run_.stop || cycle == never)
        return given + i;
      const bool ends = at + i + 1 == length;
      const bool tlast = tlast_at ? tlast_at[given + i] != 0 : ends;
      if (taken)
        taken->push_back(cycle);
      if (trace_)
        trace_->add(port::s_axis, {cycle,
                                   static_cast<std::uint8_t>(data[given + i]) | std::uint64_t{tlast} << 8,
                                   {static_cast<int>(loaded_), -1, -1, static_cast<int>(at + i)},
                                   cycle});
      if (tlast != ends) {
        fail({ErrorCode::framing, 0, cycle});
        return given + i + 1;
      }
      if (!gaps && !trace_ && !taken && !tlast_at && i + 1 < n) { // nobody looks at the beats in between
        const Cycle skipped = std::min<Cycle>(n - 2 - i, run_.stop - 1 - cycle);
        cycle += skipped;
        i += skipped;
      }
      from = ++cycle;
    }
    loading_.insert(loading_.end(), data + given, data + given + n);
    given += n;
    if (loading_.size() == length) {
      timing_->loaded(from - 1);
      ++loaded_;
      if (run_.error.code == ErrorCode::none)
        issue_image();
      loading_.clear();
    }
  }
  return given;
}

void AcceleratorCore::issue_image() {
  const auto outputs = static_cast<std::size_t>(inference_->outputs());
  if (results_used_ == results_.size()) {
    results_.resize(outputs);
    inference_->run(loading_.data(), 1, results_.data());
    results_used_ = 0;
  }
  const std::int16_t* values = results_.data() + results_used_;
  results_used_ += outputs;
  if (trace_)
    compute_sums();
  Cycle origin = 0;
  const auto visit = [&](const IssuedBlock& block) {
    origin = block.last_slot;
    if (design_.huffman)
      fail_stream(block);
    if (trace_ && block.first_slot < run_.stop)
      trace_block(block);
  };
  std::vector<Cycle> taken;
  const auto deliver = [&](int base, int active, Cycle offered, OutputCredits& credits) {
    const bool last = base + active == static_cast<int>(outputs);
    taken.clear();
    if (origin >= run_.stop) // an error was found meanwhile, earlier than this tile
      taken.assign(static_cast<std::size_t>(active), never);
    else
      sink_({values + base, active, last, std::max(offered, output_free_)}, taken);
    for (const Cycle beat : taken)
      credits.beat(beat);
    if (origin >= run_.stop)
      return;
    output_free_ = taken.back() == never ? never : taken.back() + 1;
    for (std::size_t i = 0; trace_ && i < taken.size() && taken[i] != never; ++i) {
      const bool tlast = last && i + 1 == taken.size();
      trace_->add(port::m_axis, {taken[i],
                                 static_cast<std::uint16_t>(values[base + static_cast<int>(i)]) |
                                     std::uint64_t{tlast} << 16,
                                 {static_cast<int>(issued_), static_cast<int>(control_.layers()) - 1,
                                  base / design_.lanes, base + static_cast<int>(i)},
                                 origin});
    }
    if (last && taken.back() != never)
      run_.completions.push_back({taken.back(), origin});
  };
  const RunError error = timing_->issue(visit, deliver);
  ++issued_;
  if (error.code != ErrorCode::none)
    fail(error);
  else if (run_.completions.size() == control_.images())
    run_.stop = run_.completions.back().cycle + 1;
  if (trace_ && run_.error.code != ErrorCode::none) // what was traced of blocks behind a bad stream
    trace_->drop_origins_after(run_.error.cycle, port::s_axis);
  trace_fetches();
}

// The words of each lane's stream; none without decoders.
std::vector<std::vector<std::uint64_t>> AcceleratorCore::lane_words() const {
  std::vector<std::vector<std::uint64_t>> words;
  for (std::size_t lane = 0; 2 * lane < streams_.size(); ++lane)
    words.push_back(read_stream(banks_[lane / static_cast<std::size_t>(design_.lanes_per_bank)],
                                {streams_[2 * lane], streams_[2 * lane + 1]}));
  return words;
}

void AcceleratorCore::build_books(const std::vector<LayerDescriptor>& table) {
  const auto symbols = std::ptrdiff_t{1} << design_.delta_bits;
  books_.clear();
  auto book = code_lengths_.begin();
  for (const LayerDescriptor& layer : table) {
    books_.push_back(layer.huffman ? CodeTable({book, book + symbols})
                                   : CodeTable::uniform(design_.delta_bits));
    book += symbols;
  }
}

// Raises what is wrong with the streams, when its slot comes.
void AcceleratorCore::fail_stream(const IssuedBlock& block) {
  const DecodedStreams& streams = decoded_streams_;
  const auto first = static_cast<std::size_t>(block.weight_address);
  if (streams.fault == StreamFault::none || streams.slot < first ||
      streams.slot >= first + static_cast<std::size_t>(block.slots))
    return;
  const auto code =
      static_cast<ErrorCode>(static_cast<int>(ErrorCode::bad_code) - 1 + static_cast<int>(streams.fault));
  fail({code, block.layer,
        block.slot(static_cast<int>(streams.slot - first), timing_->write_back().mac.cycles_per_mac) +
            streams.delay});
}

} // namespace deltatwin
