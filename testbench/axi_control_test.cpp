#include "base/pacer.h"
#include "block_bench.h"
#include "blocks/axi_control.h"
#include "random_work.h"
#include <algorithm>
#include <functional>

using namespace deltatwin;

namespace {

struct Access {
  bool is_write = false;
  std::uint32_t address = 0, data = 0;
  unsigned strobes = 0xf;
  Cycle aw_offer = 0, w_offer = 0; ///< of a read: aw_offer is AR's
  Cycle aw = 0, w = 0, at = 0, response = 0;
};

// What goes into the block beside AXI4-Lite, cycle by cycle.
struct Inputs {
  RunProgress run;
  bool reset = false;
};

enum Port : std::size_t {
  aw,
  w,
  b,
  ar,
  r,
  start,
  clear,
  outputs,
  reference,
  parameter,
  program,
  book,
  stream,
  weight
};

std::vector<std::pair<std::string, int>> parameters(const AxiControlConfig& config) {
  return {{"Lanes", config.lanes},
          {"LanesPerBank", config.lanes_per_bank},
          {"DeltaBits", config.delta_bits},
          {"Multiplier", config.multiplier},
          {"Consecutive", config.consecutive},
          {"Huffman", config.huffman},
          {"SymbolDeltas", config.symbol_deltas},
          {"BankDepth", config.bank_depth},
          {"InDepth", config.in_depth},
          {"ActDepth", config.act_depth},
          {"RefDepth", config.ref_depth},
          {"ParamDepth", config.param_depth},
          {"MaxLayers", config.max_layers}};
}

std::vector<Interface> interfaces(const AxiControlConfig& config) {
  const std::vector<Field> word = {{"load_addr_o", 20}, {"load_data_o", 36}};
  std::vector<Interface> all = axi_lite_interfaces("", "");
  all.insert(all.end(), {{"", "start", {"start_o"}, {}},
                         {"", "clear", {"clear_o"}, {}},
                         {"", "outputs", {}, {{"layers_o", 8}, {"images_o", 32}}},
                         {"", "reference", {"load_reference_o"}, word},
                         {"", "parameter", {"load_parameter_o"}, word},
                         {"", "program", {"load_program_o"}, word},
                         {"", "book", {"load_book_o"}, word},
                         {"", "stream", {"load_stream_o"}, word}});
  for (int bank = 0; bank < config.banks(); ++bank)
    all.push_back({"", "weight" + std::to_string(bank), {{"load_weight_o", 1, bank}}, word});
  return all;
}

// Writes and reads flow beside each other; both twins see the same, with resets in between.
class ControlBench {
public:
  explicit ControlBench(const AxiControlConfig& config)
      : model_(config), bench_({"axi_control", parameters(config), false, ""}, interfaces(config)),
        trace_(bench_.trace()) {}

  /// Appends accesses that begin at `begin`, up to a reset in cycle `end`, or `never`. Returns the
  /// reset's cycle, or the last response's.
  Cycle run(std::vector<Access> accesses, Cycle begin, Cycle end, const Pacer& b_ready, const Pacer& r_ready,
            const std::function<RunProgress(Cycle)>& progress) {
    AxiLiteTiming timing;
    timing.reset(begin);
    Cycle aw_next = begin, w_next = begin, ar_next = begin, last = begin;
    for (Access& access : accesses) {
      if (access.is_write) {
        access.aw_offer += aw_next;
        access.w_offer += w_next;
        const AxiLiteTiming::Write beats = timing.write(access.aw_offer, access.w_offer);
        access.aw = beats.aw;
        access.w = beats.w;
        access.at = beats.access;
        timing.write_responded(access.response = b_ready.next_ready(access.at + 1));
        aw_next = access.aw + 1;
        w_next = access.w + 1;
      } else {
        access.aw_offer += ar_next;
        access.at = access.aw = timing.read(access.aw_offer);
        timing.read_responded(access.response = r_ready.next_ready(access.at + 1));
        ar_next = access.at + 1;
      }
      last = std::max(last, access.response);
    }
    // A read sees what was there before a write of its cycle.
    std::stable_sort(accesses.begin(), accesses.end(), [](const Access& a, const Access& c) {
      return std::make_pair(a.at, a.is_write) < std::make_pair(c.at, c.is_write);
    });
    for (const Access& access : accesses)
      perform(access, end, progress);
    if (end != never) {
      resets_.push_back(end);
      model_.reset();
      note_outputs(end + 1);
    }
    accesses_.insert(accesses_.end(), accesses.begin(), accesses.end());
    ends_.resize(accesses_.size(), end);
    return end == never ? last : end;
  }

  void drive(Cycle cycles, const Pacer& b_ready, const Pacer& r_ready,
             const std::function<RunProgress(Cycle)>& progress) {
    std::uint64_t value = 0;
    for (Cycle cycle = 0; cycle < cycles; ++cycle) {
      if (const auto change = outputs_.find(cycle); change != outputs_.end())
        value = change->second;
      trace_.add(outputs, {cycle, value, {}, cycle});
    }
    for (auto& beats : trace_.beats)
      std::stable_sort(beats.begin(), beats.end(),
                       [](const Beat& x, const Beat& y) { return x.cycle < y.cycle; });
    bench_.set("s_axil_awvalid_i", 0);
    bench_.set("s_axil_wvalid_i", 0);
    bench_.set("s_axil_arvalid_i", 0);
    bench_.reset();
    trace_.resets = resets_;
    bench_.run(trace_, cycles, [&](Cycle cycle) {
      const bool reset = std::find(resets_.begin(), resets_.end(), cycle) != resets_.end();
      const RunProgress run = progress(cycle);
      bench_.set("rst_ni", !reset);
      bench_.set("status_i", static_cast<std::uint64_t>(run.status));
      bench_.set("error_i", static_cast<std::uint64_t>(run.error));
      bench_.set("error_layer_i", static_cast<std::uint64_t>(run.error_layer));
      bench_.set("cycles_i", run.cycles);
      bench_.set("inferences_i", run.inferences);
      bench_.set("s_axil_bready_i", !reset && b_ready.ready(cycle));
      bench_.set("s_axil_rready_i", !reset && r_ready.ready(cycle));
      bench_.set("s_axil_awprot_i", cycle & 7);
      bench_.set("s_axil_arprot_i", ~cycle & 7);
      bool aw_valid = false, w_valid = false, ar_valid = false;
      for (std::size_t i = 0; i < accesses_.size(); ++i) {
        const Access& access = accesses_[i];
        if (cycle >= ends_[i] || cycle > access.response)
          continue;
        if (!access.is_write) {
          if (cycle >= access.aw_offer && cycle <= access.at) {
            ar_valid = true;
            bench_.set("s_axil_araddr_i", access.address);
          }
          continue;
        }
        if (cycle >= access.aw_offer && cycle <= access.aw) {
          aw_valid = true;
          bench_.set("s_axil_awaddr_i", access.address);
        }
        if (cycle >= access.w_offer && cycle <= access.w) {
          w_valid = true;
          bench_.set("s_axil_wdata_i", access.data);
          bench_.set("s_axil_wstrb_i", access.strobes);
        }
      }
      bench_.set("s_axil_awvalid_i", aw_valid);
      bench_.set("s_axil_wvalid_i", w_valid);
      bench_.set("s_axil_arvalid_i", ar_valid);
    });
  }
  [[nodiscard]] const AxiControlCore& model() const { return model_; }
  [[nodiscard]] const BeatTrace& trace() const { return trace_; }

private:
  void note_outputs(Cycle cycle) { outputs_[cycle] = model_.layers() | std::uint64_t{model_.images()} << 8; }

  void perform(const Access& access, Cycle end, const std::function<RunProgress(Cycle)>& progress) {
    const auto add = [&](std::size_t port, Cycle cycle, std::uint64_t payload) {
      if (cycle < end)
        trace_.add(port, {cycle, payload, {}, cycle});
    };
    if (access.is_write) {
      add(aw, access.aw, access.address);
      add(w, access.w, access.data | std::uint64_t{access.strobes} << 32);
      if (access.at >= end)
        return;
      const AxiControlCore::Write done =
          model_.write(access.address, access.data, access.strobes, progress(access.at).status);
      add(b, access.response, done.okay ? 0 : 2);
      note_outputs(access.at + 1);
      switch (done.effect) {
      case AxiControlCore::Effect::start:
        add(start, access.at, 0);
        break;
      case AxiControlCore::Effect::soft_reset:
        add(clear, access.at, 0);
        break;
      case AxiControlCore::Effect::load: {
        const std::size_t ports[] = {weight + done.bank, reference, parameter, program, book, stream};
        add(ports[static_cast<std::size_t>(done.memory)], access.at, done.address | done.word << 20);
        break;
      }
      case AxiControlCore::Effect::none:
        break;
      }
      return;
    }
    add(ar, access.at, access.address);
    if (access.at >= end)
      return;
    const AxiControlCore::Read result = model_.read(access.address, progress(access.at));
    add(r, access.response, result.data | std::uint64_t{result.okay ? 0u : 2u} << 32);
  }

  AxiControlCore model_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Access> accesses_;
  std::vector<Cycle> ends_; ///< of each access: the reset after it
  std::vector<Cycle> resets_;
  std::map<Cycle, std::uint64_t> outputs_;
};

AxiControlConfig raw_config() {
  AxiControlConfig config;
  config.lanes = 7;
  config.lanes_per_bank = 3;
  config.bank_depth = 1 << 20;
  config.ref_depth = 300;
  config.param_depth = 64;
  config.max_layers = 4;
  return config;
}

AxiControlConfig huffman_config() {
  AxiControlConfig config;
  config.lanes = 10;
  config.lanes_per_bank = 4;
  config.delta_bits = 3;
  config.multiplier = 2;
  config.consecutive = false;
  config.huffman = true;
  config.bank_depth = 1500;
  config.max_layers = 16;
  return config;
}

AxiControlConfig pairs_config() {
  AxiControlConfig config = huffman_config();
  config.symbol_deltas = 2;
  return config;
}

Access write(std::uint32_t address, std::uint32_t data, unsigned strobes = 0xf) {
  Access access;
  access.is_write = true;
  access.address = address;
  access.data = data;
  access.strobes = strobes;
  return access;
}

Access read(std::uint32_t address) {
  Access access;
  access.address = address;
  return access;
}

Access random_access(RandomWork& random, const AxiControlConfig& config) {
  Access access;
  access.is_write = random.in(0, 2) > 0;
  access.address = static_cast<std::uint32_t>(random.in(0, 9) ? random.in(0, 16) * 4 : random.in(0, 0xfff));
  if (access.is_write && random.in(0, 2) == 0)
    access.address = reg::load_data;
  access.data = static_cast<std::uint32_t>(random.word(32));
  if (access.address == reg::load_address) { // around a memory's end
    const int depths[] = {config.bank_depth,
                          config.ref_depth,
                          config.param_depth,
                          2 * config.max_layers,
                          config.max_layers << config.symbol_deltas * config.delta_bits,
                          2 * config.lanes};
    const int memory = random.in(0, 6);
    const int end = memory < 6 ? depths[memory] : 8;
    access.data = static_cast<std::uint32_t>(memory) << 28 |
                  static_cast<std::uint32_t>(memory && random.in(0, 3) ? 0 : random.in(0, config.banks()))
                      << 20 |
                  (static_cast<std::uint32_t>(end + random.in(-4, 1)) & 0xfffff);
  }
  access.strobes = static_cast<unsigned>(random.in(0, 5) ? 0xf : random.in(0, 2) ? random.in(0, 15) : 0);
  const bool slow = random.in(0, 3) == 0;
  access.aw_offer = static_cast<Cycle>(slow ? random.in(0, 6) : 0);
  access.w_offer = static_cast<Cycle>(random.in(0, 3) == 0 ? random.in(0, 6) : 0);
  return access;
}

} // namespace

TEST_CASE("axi_control twins agree on accesses that overlap in every way, with resets among them") {
  for (const AxiControlConfig& config : {raw_config(), huffman_config(), pairs_config()})
    for (int i = 0; i < repeats(4); ++i) {
      const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
      CAPTURE(config.huffman, config.symbol_deltas, seed);
      RandomWork random(seed);
      const double stall = 0.3 * (i % 3);
      const Pacer b_ready(stall, seed), r_ready(stall, seed + 1000);
      std::vector<RunProgress> runs;
      const auto progress = [&](Cycle cycle) {
        while (runs.size() <= cycle) { // mostly idle, and in other states for some cycles at a time
          RunProgress run = runs.empty() ? RunProgress{} : runs.back();
          if (random.in(0, 5) == 0)
            run.status = static_cast<Status>(random.in(0, 2) ? random.in(0, 1) * 2 : random.in(0, 3));
          run.error = random.in(0, 31);
          run.error_layer = random.in(0, 15);
          run.cycles = random.word(40);
          run.inferences = static_cast<std::uint32_t>(random.word(32));
          runs.push_back(run);
        }
        return runs[cycle];
      };
      ControlBench bench(config);
      Cycle begin = 0;
      for (int part = 0; part < 4; ++part) {
        std::vector<Access> accesses;
        for (int k = 0; k < 150; ++k)
          accesses.push_back(random_access(random, config));
        const Cycle end = part < 3 ? begin + static_cast<Cycle>(random.in(100, 400)) : never;
        begin = bench.run(std::move(accesses), begin, end, b_ready, r_ready, progress) + 1;
      }
      bench.drive(begin + 4, b_ready, r_ready, progress);
    }
}

TEST_CASE("axi_control answers and does what its contract says, case by case") {
  // Said without the model: an access, the status in its cycle, and the response or the value read.
  struct Row {
    Access access;
    Status status;
    std::uint64_t result; ///< of a write: BRESP; of a read: RDATA, or `refused`
  };
  constexpr std::uint64_t okay = 0, slverr = 2, refused = std::uint64_t{2} << 32;
  const Status idle = Status::idle, running = Status::running, done = Status::done, error = Status::error;
  const std::vector<Row> rows = {
      {read(reg::id), idle, 0x44545731},
      {write(reg::images, 77), idle, okay},
      {read(reg::images), idle, 77},
      // Strobes: none does nothing, whatever the address; a part is refused.
      {write(reg::images, 5, 0), idle, okay},
      {write(reg::id, 5, 0), running, okay},
      {write(0xffd, 5, 0), error, okay},
      {write(reg::images, 5, 7), idle, slverr},
      {write(reg::images, 5, 8), idle, slverr},
      {write(reg::control, control_start, 1), idle, slverr},
      {read(reg::images), idle, 77},
      // A part of a word, and beyond the registers.
      {write(reg::images + 1, 5), idle, slverr},
      {write(reg::images + 2, 5), idle, slverr},
      {read(reg::images + 2), idle, refused},
      {write(0x03c, 5), idle, slverr},
      {read(0x03c), idle, refused},
      {write(0x40c, 5), idle, slverr},
      {read(0x40c), idle, refused},
      {write(reg::id, 5), idle, slverr},
      {read(reg::control), idle, refused},
      {read(reg::load_data), idle, refused},
      {read(reg::images), idle, 77},
      // While a run is there, or in error: nothing but CONTROL's reset.
      {write(reg::images, 5), running, slverr},
      {write(reg::images, 5), error, slverr},
      {write(reg::layers, 5), error, slverr},
      {write(reg::load_address, 5), error, slverr},
      {write(reg::load_high, 5), error, slverr},
      {write(reg::load_data, 5), error, slverr},
      {write(reg::control, control_start), running, slverr},
      {write(reg::control, control_start), error, slverr},
      {write(reg::control, control_start), idle, okay},
      {write(reg::control, control_start), done, okay},
      {write(reg::control, control_reset), running, okay},
      {write(reg::control, control_start | control_reset), error, okay},
      {write(reg::control, 0), running, okay},
      {read(reg::images), error, 77},
      // The program has 2 * 4 words, of bank 0.
      {write(reg::load_address, 0x30000007), idle, okay},
      {write(reg::load_data, 1), idle, okay},
      {read(reg::load_address), idle, 0x30000008},
      {write(reg::load_data, 1), idle, slverr},
      {read(reg::load_address), idle, 0x30000008},
      {write(reg::load_address, 0x30100000), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      // 300 references, 64 parameters; banks 0 to 2; no code books and streams.
      {write(reg::load_address, 0x10000000 + 299), idle, okay},
      {write(reg::load_data, 1), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      {write(reg::load_address, 0x20000000 + 63), idle, okay},
      {write(reg::load_data, 1), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      {write(reg::load_address, 0x00300000), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      {write(reg::load_address, 0x40000000), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      {write(reg::load_address, 0x50000000), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      {write(reg::load_address, 0x60000000), idle, okay},
      {write(reg::load_data, 1), idle, slverr},
      // The address of a word wraps within its bank.
      {write(reg::load_address, 0x002fffff), idle, okay},
      {write(reg::load_data, 1), idle, okay},
      {read(reg::load_address), idle, 0x00200000},
      {write(reg::load_data, 1), idle, okay},
      {read(reg::load_address), idle, 0x00200001},
  };
  const AxiControlConfig config = raw_config();
  AxiControlCore model(config);
  RtlModel rtl(seeded({"axi_control", parameters(config), false, ""}));
  const auto set = [&rtl](const char* pin, std::uint64_t value) { rtl.signal(pin).set(value); };
  const auto cycle = [&rtl] {
    rtl.settle();
    rtl.edge();
  };
  for (const char* pin : {"rst_ni", "s_axil_awvalid_i", "s_axil_wvalid_i", "s_axil_arvalid_i"})
    set(pin, 0);
  cycle();
  for (const char* pin : {"rst_ni", "s_axil_bready_i", "s_axil_rready_i"})
    set(pin, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    CAPTURE(i, row.access.is_write, row.access.address, row.access.data, static_cast<int>(row.status));
    set("status_i", static_cast<std::uint64_t>(row.status));
    RunProgress run;
    run.status = row.status;
    if (row.access.is_write) {
      set("s_axil_awaddr_i", row.access.address);
      set("s_axil_wdata_i", row.access.data);
      set("s_axil_wstrb_i", row.access.strobes);
    } else {
      set("s_axil_araddr_i", row.access.address);
    }
    const std::vector<const char*> valids =
        row.access.is_write ? std::vector<const char*>{"s_axil_awvalid_i", "s_axil_wvalid_i"}
                            : std::vector<const char*>{"s_axil_arvalid_i"};
    for (const char* valid : valids)
      set(valid, 1);
    cycle(); // ready, since nothing waits
    for (const char* valid : valids)
      set(valid, 0);
    rtl.settle();
    if (row.access.is_write) {
      REQUIRE(rtl.signal("s_axil_bvalid_o").get(0, 1) == 1);
      CHECK(rtl.signal("s_axil_bresp_o").get(0, 2) == row.result);
      CHECK(model.write(row.access.address, row.access.data, row.access.strobes, row.status).okay ==
            (row.result == okay));
    } else {
      REQUIRE(rtl.signal("s_axil_rvalid_o").get(0, 1) == 1);
      CHECK((rtl.signal("s_axil_rdata_o").get(0, 32) | rtl.signal("s_axil_rresp_o").get(0, 2) << 32) ==
            row.result);
      const AxiControlCore::Read result = model.read(row.access.address, run);
      CHECK((result.data | std::uint64_t{result.okay ? 0u : 2u} << 32) == row.result);
    }
    rtl.edge();
  }
}

TEST_CASE("axi_control: a read in a write's own cycle sees what was before it") {
  struct Row {
    std::uint32_t write, data, read, before, after;
  };
  const std::uint32_t done = static_cast<std::uint32_t>(Status::done);
  const Row rows[] = {
      {reg::images, 0x12345678, reg::images, 0, 0x12345678},
      {reg::layers, 3, reg::layers, 0, 3},
      {reg::load_high, 9, reg::load_high, 0, 9},
      {reg::load_address, 0x0010000f, reg::load_address, 0, 0x0010000f},
      {reg::load_data, 1, reg::load_address, 0x0010000f, 0x00100010},
      {reg::control, control_start, reg::status, done, done}, // the run is another block's
      {reg::control, control_start, reg::cycles_lo, 77, 77},
      {reg::control, control_reset, reg::images, 0x12345678, 0x12345678},
  };
  PinBench pins("axi_control", parameters(raw_config()),
                {"rst_ni", "s_axil_awvalid_i", "s_axil_wvalid_i", "s_axil_arvalid_i", "error_i"});
  for (const char* pin : {"rst_ni", "s_axil_bready_i", "s_axil_rready_i"})
    pins.set(pin, 1);
  pins.set("status_i", done);
  pins.set("error_layer_i", 0);
  pins.set("cycles_i", 77);
  pins.set("s_axil_wstrb_i", 0xf);
  for (const Row& row : rows) {
    CAPTURE(row.write, row.read);
    pins.set("s_axil_awaddr_i", row.write);
    pins.set("s_axil_wdata_i", row.data);
    pins.set("s_axil_araddr_i", row.read);
    for (const bool with_write : {true, false}) { // then a read alone
      pins.set("s_axil_awvalid_i", with_write);
      pins.set("s_axil_wvalid_i", with_write);
      pins.set("s_axil_arvalid_i", 1);
      pins.settle();
      pins.edge();
      for (const char* valid : {"s_axil_awvalid_i", "s_axil_wvalid_i", "s_axil_arvalid_i"})
        pins.set(valid, 0);
      pins.settle();
      REQUIRE(pins.get("s_axil_bvalid_o") == with_write);
      CHECK((!with_write || pins.get("s_axil_bresp_o") == 0));
      REQUIRE(pins.get("s_axil_rvalid_o") == 1);
      CHECK(pins.get("s_axil_rdata_o") == (with_write ? row.before : row.after));
      pins.edge();
    }
  }
}
