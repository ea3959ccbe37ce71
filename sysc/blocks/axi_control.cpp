#include "blocks/axi_control.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

constexpr std::uint32_t word_mask = 0xfffff; ///< of LOAD_ADDRESS

std::uint32_t bits(int value, int lsb) { return static_cast<std::uint32_t>(value) << lsb; }

} // namespace

bool AxiControlCore::loads(Memory memory, std::uint32_t bank, std::uint32_t address) const {
  const auto below = [address](int depth) { return address < static_cast<std::uint32_t>(depth); };
  switch (memory) {
  case Memory::weights:
    return bank < static_cast<std::uint32_t>(config_.banks()) && below(config_.bank_depth);
  case Memory::references:
    return bank == 0 && below(config_.ref_depth);
  case Memory::parameters:
    return bank == 0 && below(config_.param_depth);
  case Memory::program:
    return bank == 0 && below(2 * config_.max_layers);
  case Memory::code_books:
    return config_.huffman && bank == 0 &&
           below(config_.max_layers << config_.symbol_deltas * config_.delta_bits);
  case Memory::streams:
    return config_.huffman && bank == 0 && below(2 * config_.lanes);
  }
  return false;
}

AxiControlCore::Write AxiControlCore::write(std::uint32_t address, std::uint32_t data, unsigned strobes,
                                            Status status) {
  const Write refused{false};
  if (strobes != 0xf)
    return strobes == 0 ? Write{} : refused;
  // Finished blocks still drain after an error: what they read must not change before the reset.
  const bool writable = status == Status::idle || status == Status::done;
  Write done;
  if (address == reg::control) {
    if (data & control_reset)
      done.effect = Effect::soft_reset;
    else if (data & control_start)
      done.effect = Effect::start;
    return done.effect == Effect::start && !writable ? refused : done;
  }
  if (!writable)
    return refused;
  switch (address) {
  case reg::images:
    images_ = data;
    return done;
  case reg::layers:
    layers_ = data & 0xff;
    return done;
  case reg::load_address:
    load_address_ = data;
    return done;
  case reg::load_high:
    load_high_ = data & 0xf;
    return done;
  case reg::load_data:
    done = {true,
            Effect::load,
            static_cast<Memory>(load_address_ >> 28),
            load_address_ >> 20 & 0xff,
            load_address_ & word_mask,
            std::uint64_t{load_high_} << 32 | data};
    if (!loads(done.memory, done.bank, done.address))
      return refused;
    load_address_ = (load_address_ & ~word_mask) | ((load_address_ + 1) & word_mask);
    return done;
  default:
    return refused;
  }
}

AxiControlCore::Read AxiControlCore::read(std::uint32_t address, const RunProgress& run) const {
  switch (address) {
  case reg::id:
    return {0x44545731};
  case reg::status:
    return {bits(static_cast<int>(run.status), 0) | bits(run.error, 8) | bits(run.error_layer, 16)};
  case reg::images:
    return {images_};
  case reg::cycles_lo:
    return {static_cast<std::uint32_t>(run.cycles)};
  case reg::cycles_hi:
    return {static_cast<std::uint32_t>(run.cycles >> 32)};
  case reg::inferences:
    return {run.inferences};
  case reg::layers:
    return {layers_};
  case reg::load_address:
    return {load_address_};
  case reg::load_high:
    return {load_high_};
  case reg::config:
    return {bits(config_.lanes, 0) | bits(config_.delta_bits, 8) | bits(config_.multiplier, 12) |
            bits(config_.consecutive, 16) | bits(config_.lanes_per_bank, 17) | bits(config_.huffman, 23) |
            bits(config_.symbol_deltas == 2, 24)};
  case reg::bank_depth:
    return {bits(config_.bank_depth, 0)};
  case reg::buffer_depth:
    return {bits(config_.act_depth, 16) | bits(config_.in_depth & 0xffff, 0)};
  case reg::table_depth:
    return {bits(config_.ref_depth, 16) | bits(config_.param_depth & 0xffff, 0)};
  default:
    return {0, false};
  }
}

std::vector<Register> axi_control_registers(std::vector<std::string> errors) {
  return {
      {reg::id, "ID", Register::read_only},
      {reg::control, "CONTROL", Register::write_only, {{"start", 1, 0}, {"reset", 1, 1}}},
      {reg::status,
       "STATUS",
       Register::read_only,
       {{"status", 2, 0, {"idle", "running", "done", "error"}},
        {"error", 8, 8, std::move(errors)},
        {"layer", 8, 16}}},
      {reg::images, "IMAGES", Register::read_write},
      {reg::cycles_lo, "CYCLES_LO", Register::read_only},
      {reg::cycles_hi, "CYCLES_HI", Register::read_only},
      {reg::inferences, "INFERENCES", Register::read_only},
      {reg::layers, "LAYERS", Register::read_write},
      {reg::load_address,
       "LOAD_ADDRESS",
       Register::read_write,
       {{"word", 20, 0},
        {"bank", 8, 20},
        {"memory", 4, 28, {"weights", "references", "parameters", "program", "code books", "streams"}}}},
      {reg::load_high, "LOAD_HIGH", Register::read_write},
      {reg::load_data, "LOAD_DATA", Register::write_only},
      {reg::config,
       "CONFIG",
       Register::read_only,
       {{"lanes", 8, 0},
        {"delta bits", 4, 8},
        {"multiplier", 4, 12},
        {"consecutive", 1, 16},
        {"lanes per bank", 6, 17},
        {"huffman", 1, 23},
        {"pairs", 1, 24}}},
      {reg::bank_depth, "BANK_DEPTH", Register::read_only},
      {reg::buffer_depth, "BUFFER_DEPTH", Register::read_only, {{"input", 16, 0}, {"activations", 16, 16}}},
      {reg::table_depth, "TABLE_DEPTH", Register::read_only, {{"parameters", 16, 0}, {"references", 16, 16}}},
  };
}

AxiLiteTiming::Write AxiLiteTiming::write(Cycle aw_offered, Cycle w_offered) {
  Write write{std::max(aw_offered, held_free_), std::max(w_offered, held_free_), 0};
  write.access = std::max({write.aw, write.w, write_free_});
  held_free_ = write.access + 1;
  return write;
}

std::vector<Interface> axi_lite_interfaces(const std::string& host, const std::string& slave) {
  const auto channel = [](const std::string& from, const std::string& name, const char* valid,
                          const char* ready, std::vector<Field> fields) {
    const std::string pins = "s_axil_" + name;
    return Interface{from, name, {pins + valid, pins + ready}, std::move(fields)};
  };
  return {channel(host, "aw", "valid_i", "ready_o", {{"s_axil_awaddr_i", 12}}),
          channel(host, "w", "valid_i", "ready_o", {{"s_axil_wdata_i", 32}, {"s_axil_wstrb_i", 4}}),
          channel(slave, "b", "valid_o", "ready_i", {{"s_axil_bresp_o", 2}}),
          channel(host, "ar", "valid_i", "ready_o", {{"s_axil_araddr_i", 12}}),
          channel(slave, "r", "valid_o", "ready_i", {{"s_axil_rdata_o", 32}, {"s_axil_rresp_o", 2}})};
}

} // namespace deltatwin
