// Tops behind their sockets: both twins give the same answers in the same cycles, whoever calls.
#include "base/error.h"
#include "base/pacer.h"
#include "context_guard.h"
#include "cosim/rtl_top.h"
#include "random_work.h"
#include "tlm/host.h"
#include "tlm/model_top.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include "tops/accelerator/workload.h"
#include "tops/codec/top.h"
#include "tops/codec/workload.h"
#include "tops/edqa/top.h"
#include "tops/edqa/workload.h"
#include "tops/noisyquant/top.h"
#include "tops/noisyquant/workload.h"
#include <catch2/catch.hpp>
#include <functional>
#include <memory>

using namespace deltatwin;
using sc_core::sc_time;

namespace {

using Log = std::vector<std::uint64_t>;
using Body = std::function<void(Host&, Log&)>;

class Thread : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(Thread);
  Thread(const sc_core::sc_module_name& name, std::function<void()> body)
      : sc_module(name), body_(std::move(body)) {
    SC_THREAD(run);
  }

private:
  void run() { body_(); }
  std::function<void()> body_;
};

// Ends sc_start() without a word.
void stop() {
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_stop();
}

std::unique_ptr<TopSockets> make(const Top& top, bool rtl) {
  const std::string name = top.module();
  if (rtl)
    return std::make_unique<RtlTop>(name.c_str(), top);
  return std::make_unique<ModelTop>(name.c_str(), top);
}

// What a host sees of a twin, called from a thread or from outside of all processes.
Log run(const Top& top, bool rtl, bool thread, const Body& body) {
  const ContextGuard guard;
  const std::unique_ptr<TopSockets> twin = make(top, rtl);
  Host host("host", *twin);
  Log log;
  const Thread software("software", [&] {
    if (!thread)
      return;
    body(host, log);
    stop();
  });
  if (thread) {
    sc_core::sc_start();
  } else {
    end_elaboration();
    body(host, log);
  }
  log.push_back(host.last_output());
  for (std::size_t port = 0; port < host.outputs.size(); ++port) {
    log.insert(log.end(), host.bytes(port).begin(), host.bytes(port).end());
    log.insert(log.end(), host.ends(port).begin(), host.ends(port).end());
  }
  return log;
}

// Of the model, called from outside, after all others said the same.
Log agreed(const Top& top, const Body& body) {
  const Log model = run(top, false, false, body);
  for (const bool rtl : {false, true})
    for (const bool thread : {false, true}) {
      CAPTURE(top.module(), rtl, thread);
      CHECK(run(top, rtl, thread, body) == model);
    }
  return model;
}

// A small accelerator, with a network and inputs for it.
struct AcceleratorCase {
  static constexpr int images = 4, inputs = 12;
  Network network;
  Design design;
  std::vector<std::int8_t> data;

  AcceleratorCase() {
    RandomWork random(7);
    network = random.network({inputs, 9, 5}, {Scheme::fixed_reference, 4, Group::neuron, 0, 0});
    DesignChoice choice;
    choice.lanes = 3;
    design = fit(network, choice);
    data = random.bytes(static_cast<std::size_t>(images * inputs));
  }
  [[nodiscard]] AcceleratorTop top() const { return AcceleratorTop(design); }
  [[nodiscard]] AcceleratorWorkload work() const { return {network, compile(network, design), data}; }
  [[nodiscard]] const std::uint8_t* bytes() const {
    return reinterpret_cast<const std::uint8_t*>(data.data());
  }
  void load(Host& host) const {
    Session session;
    work().load(session);
    host.play(session);
  }
  static void start(Host& host, std::uint32_t count) {
    host.write(reg::images, count);
    host.write(reg::control, control_start);
  }
};

const CodecConfig codec_config{8, 8, 64, 100};
const NoisyQuantConfig noisyquant_config{5, 2, 3, 16, 100};
EdqaConfig edqa_config() {
  EdqaConfig config;
  config.depth = 40;
  config.channels = 2;
  return config;
}

void log_status(Host& host, Log& log) {
  log.push_back(host.read(status_register));
  log.push_back(host.now());
}

// A stream whose beats the log tells of.
void log_stream(Host& host, Log& log, const std::uint8_t* data, StreamExtension& extension) {
  Cycle cycle = host.now();
  log.push_back(host.stream_at(0, data, extension.tlast.size(), cycle, &extension));
  log.push_back(cycle);
  log.insert(log.end(), extension.taken.begin(), extension.taken.end());
  host.wait_until(cycle);
}

tlm::tlm_response_status access(Host& host, tlm::tlm_command command, std::uint64_t address,
                                std::uint32_t& data, sc_time& delay) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  host.control->b_transport(payload, delay);
  return payload.get_response_status();
}

void play_twice(const Top& top, const Workload& work, double stall) {
  Session load, run_all;
  work.load(load);
  for (int i = 0; i < 2; ++i)
    work.run(run_all, i, work.items() - i);
  run_all.stall = stall;
  run_all.seed = base_seed();
  std::vector<std::uint8_t> expected = work.expected(0, work.items());
  const std::vector<std::uint8_t> again = work.expected(1, work.items() - 1);
  expected.insert(expected.end(), again.begin(), again.end());
  agreed(top, [&](Host& host, Log& log) {
    host.play(load);
    const RunRecord record = host.play(run_all);
    log.assign(record.reads.begin(), record.reads.end());
    log.push_back(host.now());
    CHECK(host.bytes() == expected);
    CHECK(host.ends().size() == static_cast<std::size_t>(2 * work.items() - 1));
  });
}

} // namespace

TEST_CASE("tlm: every top tells in register STATUS what runs") {
  const AcceleratorTop accelerator = AcceleratorCase().top();
  const CodecTop codec(codec_config);
  const NoisyQuantTop noisyquant(noisyquant_config);
  const EdqaTop edqa(edqa_config());
  for (const Top* top : {static_cast<const Top*>(&accelerator), static_cast<const Top*>(&codec),
                         static_cast<const Top*>(&edqa), static_cast<const Top*>(&noisyquant)}) {
    const std::vector<Register> registers = top->registers();
    const auto found = std::find_if(registers.begin(), registers.end(),
                                    [](const Register& each) { return each.name == "STATUS"; });
    REQUIRE(found != registers.end());
    CHECK(found->address == status_register);
    const auto& status = found->fields.front();
    CHECK((status.lsb == 0 && status.width == 2));
    CHECK(status.values[static_cast<std::size_t>(TopStatus::running)] == "running");
    CHECK(status.values[static_cast<std::size_t>(TopStatus::error)] == "error");
  }
}

TEST_CASE("tlm: the twins of every top play the same sessions, with and without stalls") {
  const double stall = GENERATE(0.0, 0.3);
  CAPTURE(stall);
  const AcceleratorCase accelerator;
  play_twice(accelerator.top(), accelerator.work(), stall);
  play_twice(CodecTop(codec_config), CodecWorkload(codec_config, 4, base_seed()), stall);
  const EdqaSettings edqa_settings = EdqaSettings::initial(edqa_config());
  play_twice(EdqaTop(edqa_config()),
             EdqaWorkload(edqa_config(), edqa_settings,
                          made_up_channels(edqa_config(), edqa_settings, 4, base_seed())),
             stall);
  for (const NoisyQuantMode mode : {NoisyQuantMode::online, NoisyQuantMode::offline})
    play_twice(NoisyQuantTop(noisyquant_config), NoisyQuantWorkload(noisyquant_config, mode, 4, base_seed()),
               stall);
}

TEST_CASE(
    "tlm: after a TLAST in the wrong place time is behind its beat, and what is streamed then is given up") {
  const AcceleratorCase work;
  const Log log = agreed(work.top(), [&](Host& host, Log& all) {
    work.load(host);
    for (int round = 0; round < 2; ++round) { // again after a reset
      work.start(host, 3);
      host.stream(0, work.bytes(), 2 * work.inputs, work.inputs);
      StreamExtension extension;
      extension.gaps = {5};
      extension.tlast = {1};
      Cycle cycle = host.now();
      CHECK(host.stream_at(0, work.bytes(), 1, cycle, &extension));
      REQUIRE(extension.taken.size() == 1);
      CHECK(cycle == extension.taken[0] + 1);
      all.push_back(cycle);
      host.wait_until(cycle);
      log_status(host, all);
      extension.gaps = {3, 0};
      extension.tlast = {0, 0};
      log_stream(host, all, work.bytes(), extension);
      CHECK(extension.taken.empty());
      log_status(host, all);
      host.write(reg::control, control_reset);
      log_status(host, all);
    }
    host.clear_received(); // the model had told of what the error prevents
  });
  CHECK((log[1] & 3) == 3); // error
}

TEST_CASE("tlm: a burst with an error in its middle is taken up to there") {
  const AcceleratorCase work;
  agreed(work.top(), [&](Host& host, Log& log) {
    work.load(host);
    work.start(host, 2);
    StreamExtension extension;
    extension.tlast.assign(work.inputs, 0);
    extension.tlast[4] = 1;
    log_stream(host, log, work.bytes(), extension);
    CHECK(extension.taken.size() == 5);
    log_status(host, log);
  });
  agreed(CodecTop(codec_config), [&](Host& host, Log& log) {
    const std::uint8_t symbols[] = {1, 2, 3, 3, 3, 9, 1, 2};
    for (int round = 0; round < 2; ++round) {
      StreamExtension extension;
      extension.tlast = {0, 0, 0, 0, 1, 0, 0, 1};
      log_stream(host, log, symbols, extension);
      CHECK(extension.taken.size() == 6);
      log_status(host, log);
      host.wait_until(host.now() + 1000);
      log_status(host, log);
      host.write(codec_reg::control, codec_control_reset);
      host.stream(0, symbols, 5, 5);
      host.wait_stop();
      log_status(host, log);
    }
  });
}

TEST_CASE("tlm: inputs that a run does not want are given up when it ends") {
  const AcceleratorCase work;
  agreed(work.top(), [&](Host& host, Log& log) {
    StreamExtension extension;
    extension.tlast.assign(work.images * work.inputs, 0);
    for (int i = 1; i <= work.images; ++i)
      extension.tlast[static_cast<std::size_t>(i * work.inputs - 1)] = 1;
    log_stream(host, log, work.bytes(), extension); // nothing runs
    CHECK(extension.taken.empty());
    work.load(host);
    work.start(host, 2);
    log_stream(host, log, work.bytes(), extension);
    CHECK(extension.taken.size() == static_cast<std::size_t>(2 * work.inputs));
    log_status(host, log);
    CHECK((host.read(reg::status) & 3) == static_cast<std::uint32_t>(Status::done));
  });
}

TEST_CASE("tlm: an extension is optional, tells of its latest burst only, and must fit") {
  const AcceleratorCase work;
  agreed(work.top(), [&](Host& host, Log& log) {
    work.load(host);
    work.start(host, 3);
    Cycle cycle = host.now();
    CHECK(host.stream_at(0, work.bytes(), work.inputs, cycle)); // a packet
    StreamExtension extension;
    for (int image = 1; image < 3; ++image) {
      CHECK(host.stream_at(0, work.bytes() + image * work.inputs, work.inputs, cycle, &extension));
      CHECK(extension.taken.size() == static_cast<std::size_t>(work.inputs));
    }
    extension.gaps = {1, 2};
    CHECK_FALSE(host.stream_at(0, work.bytes(), work.inputs, cycle, &extension));
    CHECK_FALSE(host.stream_at(0, work.bytes(), 0, cycle));
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_READ_COMMAND);
    sc_time delay;
    host.inputs[0]->b_transport(payload, delay);
    CHECK(payload.get_response_status() == tlm::TLM_COMMAND_ERROR_RESPONSE);
    host.wait_until(cycle);
    host.wait_stop();
    log_status(host, log);
  });
}

TEST_CASE("tlm: a host collects outputs without an extension, too") {
  const ContextGuard guard;
  ModelTop top("top", CodecTop(codec_config));
  Host host("host", top);
  end_elaboration();
  unsigned char beats[] = {1, 2, 3};
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(beats);
  payload.set_data_length(3);
  sc_time delay = 7 * top.clock().period();
  host.outputs[0].get_base_export()->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  CHECK(host.bytes() == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(host.ends() == std::vector<Cycle>{9});
}

TEST_CASE("tlm: registers by address, by byte, and without time") {
  const AcceleratorCase work;
  const auto body = [&](Host& host, Log& log) {
    sc_time delay;
    std::uint32_t data = 0;
    for (const std::uint64_t address :
         {0x0ull, 0x8ull, 0x2ull, 0xffcull, 0x1000ull, 0x1008ull, 0x43c0000cull, 0x10000000cull, ~3ull}) {
      const bool inside = address < 0x1000;
      data = 0;
      const auto status = access(host, tlm::TLM_READ_COMMAND, address, data, delay);
      CHECK((status == tlm::TLM_ADDRESS_ERROR_RESPONSE) == !inside);
      CHECK((status == tlm::TLM_OK_RESPONSE) == (address == 0 || address == 8));
      log.push_back(static_cast<std::uint64_t>(status + 10));
      log.push_back(data);
      data = 5;
      log.push_back(
          static_cast<std::uint64_t>(access(host, tlm::TLM_WRITE_COMMAND, address, data, delay) + 10));
      delay += sc_time(30, sc_core::SC_NS);
    }
    host.wait_until(1000);
    for (const unsigned strobes : {0xfu, 0u, 5u})
      log.push_back(host.write_at(0xc, 7 + strobes, host.now(), strobes));
    log.push_back(host.read_at(0xc, host.now()).data);
    log.push_back(host.now());
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_READ_COMMAND);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    for (const unsigned length : {1u, 8u}) {
      payload.set_data_length(length);
      payload.set_streaming_width(length);
      host.control->b_transport(payload, delay);
      CHECK(payload.get_response_status() == tlm::TLM_BURST_ERROR_RESPONSE);
    }
  };
  agreed(work.top(), body);
  agreed(CodecTop(codec_config), body);
}

TEST_CASE("tlm: a debugger reads registers without time or effect") {
  const AcceleratorCase work;
  agreed(work.top(), [&](Host& host, Log& log) {
    std::uint32_t data = 0;
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_READ_COMMAND);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    payload.set_data_length(4);
    const auto peek = [&](std::uint64_t address) {
      payload.set_address(address);
      return host.control->transport_dbg(payload);
    };
    work.load(host);
    work.start(host, 2);
    host.stream(0, work.bytes(), work.inputs, work.inputs);
    host.synchronize();
    for (const std::uint32_t address : {reg::status, reg::cycles_lo, reg::inferences, reg::images}) {
      CHECK(peek(address) == 4);
      const std::uint32_t seen = data;
      CHECK(host.read(address) == seen);
      host.synchronize();
      log.push_back(seen);
    }
    CHECK(peek(reg::control) == 0);
    CHECK(peek(0x1000) == 0);
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    CHECK(peek(reg::images) == 0);
    host.stream(0, work.bytes(), work.inputs, work.inputs);
    host.wait_stop();
    log_status(host, log);
  });
}

TEST_CASE("tlm: a hard reset forgets the run and the registers, not the program") {
  const AcceleratorCase work;
  agreed(work.top(), [&](Host& host, Log& log) {
    work.load(host);
    work.start(host, 3);
    host.stream(0, work.bytes(), work.inputs, work.inputs);
    Session session;
    session.add(HostAction::hard_reset).cycles = 3;
    session.read(reg::images);
    session.write(reg::layers, 2);
    const RunRecord record = host.play(session);
    CHECK(record.reads == std::vector<std::uint32_t>{0});
    log_status(host, log);
    host.clear_received(); // the model had told of what the reset prevents
    work.start(host, 2);
    host.stream(0, work.bytes(), 2 * work.inputs, work.inputs);
    host.wait_stop();
    log_status(host, log);
    CHECK(host.bytes() == work.work().expected(0, 2));
  });
}

namespace {

// A platform whose result buffer tells a thread of the last result, while another thread polls.
Log interrupted(const Top& top, bool rtl, const AcceleratorCase& work, int polls) {
  const ContextGuard guard;
  const std::unique_ptr<TopSockets> twin = make(top, rtl);
  Host host("host", *twin);
  sc_core::sc_event done;
  std::size_t results = 0;
  Log log, polled;
  const Thread software("software", [&] {
    work.load(host);
    host.synchronize();
    work.start(host, 3);
    host.set_sink(0, [&](const OutputBurst& burst, std::vector<Cycle>& taken) {
      for (Cycle beat = 0; beat < static_cast<Cycle>(burst.beats); ++beat)
        taken.push_back(burst.offered + beat);
      results += static_cast<std::size_t>(burst.beats);
      if (results == static_cast<std::size_t>(3 * 5))
        done.notify(twin->clock().until(taken.back()));
    });
    host.stream(0, work.bytes(), 3 * work.inputs, work.inputs);
    sc_core::wait(done);
    log.push_back(sc_core::sc_time_stamp().value());
    std::uint32_t data = 0;
    for (int i = 0; i < 3; ++i) { // in the very cycle of the beat, and behind it
      sc_time delay;
      access(host, tlm::TLM_READ_COMMAND, reg::inferences, data, delay);
      log.push_back(data);
      sc_core::wait(delay);
    }
    stop();
  });
  const Thread poller("poller", [&] {
    for (int i = 0; i < polls; ++i) {
      sc_core::wait(sc_time(3337 + 31 * i, sc_core::SC_PS)); // off the clock's grid
      std::uint32_t data = 0;
      sc_time delay;
      access(host, tlm::TLM_READ_COMMAND, reg::cycles_lo, data, delay);
      sc_core::wait(delay);
      polled.push_back(data);
      polled.push_back(sc_core::sc_time_stamp().value());
    }
  });
  sc_core::sc_start();
  log.insert(log.end(), polled.begin(), polled.end());
  return log;
}

} // namespace

TEST_CASE("tlm: who waits for an event is woken in the same cycle by either twin, and pollers see the same") {
  const AcceleratorCase work;
  const AcceleratorTop top = work.top();
  for (const int polls : {0, 2000}) {
    const Log model = interrupted(top, false, work, polls);
    REQUIRE(model.size() >= 4);
    CHECK(model == interrupted(top, true, work, polls));
  }
}

TEST_CASE("tlm: a host's time is never behind SystemC's") {
  const AcceleratorCase work;
  for (const bool rtl : {false, true}) {
    const ContextGuard guard;
    const AcceleratorTop top = work.top();
    const std::unique_ptr<TopSockets> twin = make(top, rtl);
    Host host("host", *twin);
    const Thread software("software", [&] {
      work.load(host);
      work.start(host, 2);
      host.stream(0, work.bytes(), 2 * work.inputs, work.inputs);
      sc_core::wait(sc_time(20, sc_core::SC_US));
      CHECK(host.now() >= twin->clock().cycle());
      CHECK((host.read(reg::status) & 3) == static_cast<std::uint32_t>(Status::done));
      CHECK(host.read(reg::inferences) == 2);
      stop();
    });
    sc_core::sc_start();
  }
}

TEST_CASE(
    "tlm: annotated delays are small, off the clock's grid, where all is refused and where a sink waits") {
  const AcceleratorCase work;
  const auto run_on = [&](bool rtl, bool waits) {
    const ContextGuard guard;
    const AcceleratorTop top = work.top();
    const std::unique_ptr<TopSockets> twin = make(top, rtl);
    Host host("host", *twin);
    Log log;
    host.set_sink(0, [&](const OutputBurst& burst, std::vector<Cycle>& taken) {
      if (waits)
        sc_core::wait(twin->clock().until(burst.offered));
      for (Cycle beat = 0; beat < static_cast<Cycle>(burst.beats); ++beat)
        taken.push_back(burst.offered + beat);
    });
    const Thread software("software", [&] {
      const sc_time odd(15, sc_core::SC_NS);
      sc_core::wait(odd);
      const auto stream = [&](std::size_t beats) {
        tlm::tlm_generic_payload payload;
        payload.set_command(tlm::TLM_WRITE_COMMAND);
        payload.set_data_ptr(const_cast<unsigned char*>(work.bytes()));
        payload.set_data_length(static_cast<unsigned>(beats));
        payload.set_streaming_width(static_cast<unsigned>(beats));
        sc_time delay;
        host.inputs[0]->b_transport(payload, delay);
        CHECK(delay < sc_time(1, sc_core::SC_MS));
        sc_core::wait(delay);
        log.push_back(static_cast<std::uint64_t>(payload.get_response_status() + 10));
        if (!waits) // which holds up who streams on the model, whose results come at once
          log.push_back(sc_core::sc_time_stamp().value());
      };
      stream(4); // nothing runs
      Session session;
      work.work().load(session);
      for (const HostAction& action : session.actions)
        host.write(action.address, action.data);
      host.synchronize();
      sc_core::wait(sc_time(7, sc_core::SC_NS));
      work.start(host, 1);
      stream(work.inputs);
      sc_core::wait(sc_time(3, sc_core::SC_NS));
      stream(work.inputs); // one too many
      stop();
    });
    sc_core::sc_start();
    return log;
  };
  for (const bool waits : {false, true})
    CHECK(run_on(false, waits) == run_on(true, waits));
}

TEST_CASE("tlm: a sink that refuses, delays, invents or calls back is reported") {
  struct Sink : sc_core::sc_module {
    tlm_utils::simple_target_socket<Sink> socket{"socket"};
    std::function<void(tlm::tlm_generic_payload&, sc_time&)> body;
    explicit Sink(const sc_core::sc_module_name& name) : sc_module(name) {
      socket.register_b_transport(this, &Sink::transport);
    }
    void transport(tlm::tlm_generic_payload& payload, sc_time& delay) { body(payload, delay); }
  };
  struct Source : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Source> control{"control"}, input{"input"};
    explicit Source(const sc_core::sc_module_name& name) : sc_module(name) {}
  };
  const int kind = GENERATE(0, 1, 2, 3, 4, 5, 6, 7);
  const bool rtl = GENERATE(false, true);
  CAPTURE(kind, rtl);
  const ContextGuard guard;
  const CodecTop top(codec_config);
  const std::unique_ptr<TopSockets> twin = make(top, rtl);
  Sink sink("sink");
  Source source("source");
  source.control.bind(twin->control);
  source.input.bind(twin->inputs[0]);
  twin->outputs[0].bind(sink.socket);
  sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);
  end_elaboration();
  std::size_t seen = 0;
  sink.body = [&](tlm::tlm_generic_payload& payload, sc_time& delay) {
    auto& taken = payload.get_extension<StreamExtension>()->taken;
    const Cycle offered = twin->clock().cycle(delay);
    seen += payload.get_data_length();
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (kind == 1)
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (kind == 2)
      payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    if (kind == 3)
      delay += twin->clock().period();
    if (kind == 4)
      taken.assign(payload.get_data_length(), offered - 1);
    if (kind == 5)
      taken.assign(payload.get_data_length(), never);
    if (kind == 6)
      taken.assign(payload.get_data_length() + 1, offered);
    if (kind == 7) {
      tlm::tlm_generic_payload read;
      std::uint32_t data;
      read.set_command(tlm::TLM_READ_COMMAND);
      read.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
      read.set_data_length(4);
      read.set_streaming_width(4);
      source.control->b_transport(read, delay);
    }
  };
  unsigned char symbols[] = {1, 2, 2, 3};
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(symbols);
  payload.set_data_length(sizeof symbols);
  payload.set_streaming_width(sizeof symbols);
  const auto stream = [&] {
    sc_time delay;
    source.input->b_transport(payload, delay);
    std::uint32_t data = 1;
    tlm::tlm_generic_payload read;
    read.set_address(status_register);
    read.set_command(tlm::TLM_READ_COMMAND);
    read.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    read.set_data_length(4);
    read.set_streaming_width(4);
    for (int i = 0; i < 1000 && data != 0; ++i)
      source.control->b_transport(read, delay);
  };
  if (kind == 0) {
    CHECK_NOTHROW(stream());
    CHECK(seen == sizeof symbols);
  } else {
    CHECK_THROWS_AS(stream(), sc_core::sc_report);
  }
}

TEST_CASE("tlm: cycles beyond the end of SystemC's time, and what its resolution cannot tell, are refused") {
  {
    const ContextGuard guard;
    const Clock slow(0.001);
    CHECK(slow.period() == sc_time(1, sc_core::SC_MS));
    const Cycle last = 18446744073; // 2^64 ps
    CHECK(slow.until(last) == sc_time::from_value(last * 1000000000u));
    CHECK_THROWS_AS((void)slow.until(last + 1), std::overflow_error);
    CHECK_THROWS_AS((void)slow.until(never), std::overflow_error);
    CHECK(slow.cycle(sc_core::sc_max_time()) == last);
  }
  {
    const ContextGuard guard;
    sc_core::sc_set_time_resolution(1, sc_core::SC_NS);
    CHECK(Clock(100).period() == sc_time(10, sc_core::SC_NS));
    CHECK_THROWS_AS(Clock(150), InputError);
    CHECK_THROWS_AS(Clock(3000), InputError);
  }
}

TEST_CASE("tlm: two tops live in one platform, each in its own time") {
  const AcceleratorCase work;
  const AcceleratorTop accelerator = work.top();
  const CodecTop codec(codec_config);
  const CodecWorkload blocks(codec_config, 3, base_seed());
  const auto run_both = [&](bool first_rtl, bool second_rtl) {
    const ContextGuard guard;
    const std::unique_ptr<TopSockets> one = make(accelerator, first_rtl), other = make(codec, second_rtl);
    Host first("first", *one), second("second", *other);
    Log log;
    const Thread first_software("first_software", [&] {
      work.load(first);
      work.start(first, 3);
      first.stream(0, work.bytes(), 3 * work.inputs, work.inputs);
      first.wait_stop();
      log.push_back(first.now());
    });
    const Thread second_software("second_software", [&] {
      Session session;
      blocks.run(session, 0, blocks.items());
      second.play(session);
    });
    sc_core::sc_start();
    for (const Host* host : {&first, &second}) {
      log.push_back(host->last_output());
      log.insert(log.end(), host->bytes().begin(), host->bytes().end());
    }
    CHECK(first.bytes() == work.work().expected(0, 3));
    CHECK(second.bytes() == blocks.expected(0, blocks.items()));
    return log;
  };
  const Log model = run_both(false, false);
  CHECK(run_both(true, true) == model);
  CHECK(run_both(true, false) == model);
}

TEST_CASE("tlm: with stalls everywhere, and registers read meanwhile, the twins tell the same cycles") {
  const AcceleratorCase work;
  const AcceleratorTop top = work.top();
  for (int round = 0; round < repeats(4); ++round) {
    const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(round);
    CAPTURE(seed);
    const auto run_on = [&](bool rtl) {
      RandomWork random(seed);
      const Pacer sink(0.1 * random.in(0, 7), seed);
      StreamExtension stream;
      for (int i = 0; i < work.images * work.inputs; ++i) {
        stream.gaps.push_back(static_cast<unsigned>(random.in(0, 3) ? 0 : random.in(0, 30)));
        stream.tlast.push_back(i % work.inputs == work.inputs - 1);
      }
      const ContextGuard guard;
      const std::unique_ptr<TopSockets> twin = make(top, rtl);
      Host host("host", *twin);
      Log log, polled;
      const Thread software("software", [&] {
        work.load(host);
        host.set_sink(0, [&](const OutputBurst& burst, std::vector<Cycle>& taken) {
          paced(sink)(burst, taken);
          log.insert(log.end(), taken.begin(), taken.end());
        });
        work.start(host, work.images);
        host.synchronize();
        Cycle cycle = host.now();
        CHECK(host.stream_at(0, work.bytes(), stream.tlast.size(), cycle, &stream));
      });
      const Thread poller("poller", [&] {
        for (int i = 0; i < 200; ++i) {
          sc_core::wait(sc_time(random.in(0, 900), sc_core::SC_NS));
          const std::uint32_t address[] = {reg::status, reg::cycles_lo, reg::inferences};
          std::uint32_t data = 0;
          sc_time delay;
          access(host, tlm::TLM_READ_COMMAND, address[random.in(0, 2)], data, delay);
          sc_core::wait(delay);
          polled.push_back(data);
        }
      });
      sc_core::sc_start();
      CHECK(host.bytes() == work.work().expected(0, work.images));
      log.insert(log.end(), stream.taken.begin(), stream.taken.end());
      log.insert(log.end(), polled.begin(), polled.end());
      return log;
    };
    CHECK(run_on(false) == run_on(true));
  }
}

TEST_CASE("tlm: what is on its way when a codec errs comes out, for who waits for it, too") {
  const auto run_on = [&](bool rtl) {
    const ContextGuard guard;
    const CodecTop top(codec_config);
    const std::unique_ptr<TopSockets> twin = make(top, rtl);
    Host host("host", *twin);
    sc_core::sc_event done;
    host.set_sink(0, [&](const OutputBurst& burst, std::vector<Cycle>& taken) {
      take_at_once(burst, taken);
      if (burst.last)
        done.notify(twin->clock().until(taken.back()));
    });
    Log log;
    const Thread software("software", [&] {
      std::vector<std::uint8_t> symbols(41, 3);
      symbols.back() = 9; // is none
      StreamExtension stream;
      stream.tlast.assign(symbols.size(), 0);
      stream.tlast[39] = 1;
      Cycle cycle = 0;
      log.push_back(host.stream_at(0, symbols.data(), symbols.size(), cycle, &stream));
      sc_core::wait(done);
      log.push_back(sc_core::sc_time_stamp().value());
      log.push_back(host.read(status_register) & 3);
      stop();
    });
    sc_core::sc_start();
    CHECK(host.bytes() == std::vector<std::uint8_t>(40, 3));
    return log;
  };
  const Log model = run_on(false);
  REQUIRE(model.size() == 3);
  CHECK(model[2] == static_cast<std::uint64_t>(TopStatus::error));
  CHECK(run_on(true) == model);
}

TEST_CASE("tlm: a hard reset lets go who waits for the RTL") {
  const ContextGuard guard;
  const AcceleratorCase work;
  const AcceleratorTop top = work.top();
  RtlTop twin("top", top);
  Host host("host", twin);
  bool taken = true;
  const Thread software("software", [&] {
    work.load(host);
    work.start(host, 1);
    StreamExtension stream;
    stream.gaps = {1'000'000};
    Cycle cycle = host.now();
    taken = host.stream_at(0, work.bytes(), 1, cycle, &stream);
    CHECK((host.read(reg::status) & 3) == static_cast<std::uint32_t>(Status::idle));
    stop();
  });
  const Thread reset("reset", [&] {
    sc_core::wait(sc_time(20, sc_core::SC_US));
    Cycle cycle = twin.clock().cycle();
    twin.hard_reset(cycle, 3);
    CHECK(sc_core::sc_time_stamp() == sc_time(20, sc_core::SC_US) + 3 * twin.clock().period());
  });
  sc_core::sc_start();
  CHECK_FALSE(taken);
}
