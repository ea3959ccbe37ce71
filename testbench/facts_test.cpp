// What RTL and model both need to know stands in each of them once: here the copies are equal.
#include "blocks/delta_mac.h"
#include "blocks/huffman_decoder.h"
#include "blocks/requantizer.h"
#include "blocks/scheduler.h"
#include "rtl_text.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/configs.h"
#include "tops/accelerator/top.h"
#include "tops/codec/top.h"
#include "tops/noisyquant/top.h"
#include <catch2/catch.hpp>
#include <functional>
#include <set>

using namespace deltatwin;

namespace {

RtlText::Variables variables(const Design& design) {
  RtlText::Variables values;
  for (const auto& [name, value] : design.parameters())
    values[name] = value;
  return values;
}

template <class Enum> std::int64_t number(Enum value) { return static_cast<std::int64_t>(value); }

// The bits of a descriptor's word in which two descriptors differ.
std::uint32_t field_bits(int word, const std::function<void(LayerDescriptor&)>& change) {
  LayerDescriptor zero;
  zero.inputs = zero.outputs = zero.block_length = 0;
  LayerDescriptor changed = zero;
  change(changed);
  return zero.word(word) ^ changed.word(word);
}

} // namespace

TEST_CASE("facts: register addresses and the id are the same in RTL and model") {
  const RtlText rtl("axi_control");
  const RtlText::Variables expected = {{"AddrId", reg::id},
                                       {"AddrControl", reg::control},
                                       {"AddrStatus", reg::status},
                                       {"AddrImages", reg::images},
                                       {"AddrCyclesLow", reg::cycles_lo},
                                       {"AddrCyclesHigh", reg::cycles_hi},
                                       {"AddrInferences", reg::inferences},
                                       {"AddrLayers", reg::layers},
                                       {"AddrLoadAddress", reg::load_address},
                                       {"AddrLoadHigh", reg::load_high},
                                       {"AddrLoadData", reg::load_data},
                                       {"AddrConfig", reg::config},
                                       {"AddrBankDepth", reg::bank_depth},
                                       {"AddrActDepth", reg::buffer_depth},
                                       {"AddrParamDepth", reg::table_depth}};
  CHECK(rtl.constants("Addr\\w+") == expected);
  const auto id = rtl.all("AddrId: +read_data = (32'h[0-9a-f]+);");
  REQUIRE(id.size() == 1);
  CHECK(RtlText::evaluate(id[0][0], {}) == AcceleratorCore(Design{}).read(reg::id, 0).data);
}

TEST_CASE("facts: a register reads as its description says, and only one that is described") {
  const AcceleratorTop accelerator(Design{});
  const CodecTop codec(CodecConfig{});
  const NoisyQuantTop noisyquant(NoisyQuantConfig{});
  for (const Top* top : {static_cast<const Top*>(&accelerator), static_cast<const Top*>(&codec),
                         static_cast<const Top*>(&noisyquant)}) {
    const std::unique_ptr<TopModel> model = top->model();
    std::set<std::uint32_t> readable;
    for (const Register& described : top->registers()) {
      INFO(top->module() << " " << described.name);
      if (described.access != Register::write_only)
        CHECK(readable.insert(described.address).second);
      std::uint32_t used = 0;
      for (const RegisterField& field : described.fields) {
        const auto bits = static_cast<std::uint32_t>(((std::uint64_t{1} << field.width) - 1) << field.lsb);
        CHECK((used & bits) == 0);
        CHECK(field.values.size() <= std::size_t{1} << field.width);
        used |= bits;
      }
      const TopModel::ReadResult result = model->read(described.address, 10);
      CHECK(result.okay == (described.access != Register::write_only));
      if (!described.fields.empty())
        CHECK((result.data & ~used) == 0);
      if (described.name == "STATUS")
        CHECK(described.fields.front().values.at(result.data & 3) == "idle");
    }
    std::set<std::uint32_t> answering;
    for (std::uint32_t address = 0; address < 0x1000; ++address)
      if (model->read(address, 10).okay)
        answering.insert(address);
    CHECK(answering == readable);
  }
}

TEST_CASE("facts: reports tell what a register's value says") {
  Design design;
  design.lanes = 21;
  design.lanes_per_bank = 5;
  design.multiplier = Multiplier::serial;
  design.in_depth = 128;
  design.act_depth = 256;
  const AcceleratorTop accelerator(design);
  const CodecTop codec(CodecConfig{11, 7, 300});
  const auto read = [](const Top& top, std::uint32_t address) {
    return register_text(top.registers(), address, top.model()->read(address, 1).data);
  };
  CHECK(read(accelerator, reg::config) == "CONFIG: lanes=21, delta bits=4, multiplier=3, consecutive=1, "
                                          "lanes per bank=5, huffman=0, pairs=0");
  CHECK(read(accelerator, reg::status) == "STATUS: status=idle, error=none, layer=0");
  CHECK(read(accelerator, reg::buffer_depth) == "BUFFER_DEPTH: input=128, activations=256");
  CHECK(read(codec, codec_reg::alphabet) == "ALPHABET: 11");
  CHECK(read(codec, codec_reg::sizes + 4 * 63) == "SIZE[63]: 0");
  CHECK(register_text(accelerator.registers(), reg::status, 0x050203) ==
        "STATUS: status=error, error=image count, layer=5");
  CHECK(register_text(accelerator.registers(), reg::load_address, 0x32100007) ==
        "LOAD_ADDRESS: word=7, bank=33, memory=program");
  CHECK(register_text(codec.registers(), codec_reg::status, 0x0203) == "STATUS: status=error, error=length");
  CHECK(register_text(codec.registers(), 0x500, 3) == "no register");
}

TEST_CASE("facts: memory ids and status codes are the same in RTL and model") {
  const RtlText control("axi_control"), scheduler("scheduler"), top("accelerator");
  CHECK(control.constants("Mem[A-Z]\\w+") == RtlText::Variables{{"MemWeights", number(Memory::weights)},
                                                                {"MemReferences", number(Memory::references)},
                                                                {"MemParameters", number(Memory::parameters)},
                                                                {"MemProgram", number(Memory::program)},
                                                                {"MemBooks", number(Memory::code_books)},
                                                                {"MemStreams", number(Memory::streams)}});
  CHECK(control.constants("Status[A-Z]\\w+") == RtlText::Variables{{"StatusRunning", number(Status::running)},
                                                                   {"StatusError", number(Status::error)}});
  CHECK(top.constants("StatusRunning").at("StatusRunning") == number(Status::running));
  std::map<std::string, std::int64_t> states;
  for (const auto& match : scheduler.all("(\\w+): status_o = (2'd\\d);"))
    states[match[0]] = RtlText::evaluate(match[1], {});
  CHECK(states == std::map<std::string, std::int64_t>{{"Idle", number(Status::idle)},
                                                      {"Done", number(Status::done)},
                                                      {"Error", number(Status::error)},
                                                      {"default", number(Status::running)}});
}

TEST_CASE("facts: error codes, of programs, books and streams, are the same in RTL and model") {
  const RtlText::Variables expected = {{"NoError", number(ErrorCode::none)},
                                       {"BadLayerCount", number(ErrorCode::layer_count)},
                                       {"BadImageCount", number(ErrorCode::image_count)},
                                       {"BadInputLength", number(ErrorCode::input_length)},
                                       {"BadOutputLength", number(ErrorCode::output_length)},
                                       {"BadChain", number(ErrorCode::chain)},
                                       {"BadBlockLength", number(ErrorCode::block_length)},
                                       {"BadScheme", number(ErrorCode::scheme)},
                                       {"BadActivation", number(ErrorCode::activation)},
                                       {"BadParameterRange", number(ErrorCode::parameter_range)},
                                       {"BadWeightRange", number(ErrorCode::weight_range)},
                                       {"BadReferenceRange", number(ErrorCode::reference_range)},
                                       {"BadFraming", number(ErrorCode::framing)},
                                       {"BadCodeBook", number(ErrorCode::code_book)},
                                       {"BadCode", number(ErrorCode::bad_code)},
                                       {"ShortStream", number(ErrorCode::short_stream)},
                                       {"LeftOver", number(ErrorCode::left_over)}};
  const RtlText scheduler("scheduler"), book("huffman_code_book");
  const char* names_of_codes = "NoError|Bad[A-Z]\\w+|ShortStream|LeftOver";
  RtlText::Variables codes = scheduler.constants(names_of_codes); // of runs; and of programs
  const RtlText::Variables of_programs = RtlText("program_check").constants(names_of_codes);
  codes.insert(of_programs.begin(), of_programs.end());
  CHECK(codes == expected);
  std::set<std::string> names;
  for (const auto& code : codes)
    names.insert(to_string(static_cast<ErrorCode>(code.second)));
  CHECK(names.size() == codes.size());

  for (const char* decoder : {"huffman_decoder", "channel_decoder"})
    CHECK(RtlText(decoder).constants("NoFault|BadCode|TooShort|LeftOver") ==
          RtlText::Variables{{"NoFault", number(StreamFault::none)},
                             {"BadCode", number(StreamFault::bad_code)},
                             {"TooShort", number(StreamFault::too_short)},
                             {"LeftOver", number(StreamFault::left_over)}});
  CHECK(book.constants("NoFault|Empty|Oversubscribed|Incomplete") ==
        RtlText::Variables{{"NoFault", number(BookFault::none)},
                           {"Empty", number(BookFault::empty)},
                           {"Oversubscribed", number(BookFault::oversubscribed)},
                           {"Incomplete", number(BookFault::incomplete)}});

  // The banks tell the decoders' faults apart by number, and the scheduler makes errors of them.
  for (const char* module : {"huffman_bank", "huffman_weights"}) {
    const auto faults = RtlText(module).all("assign (bad_code|too_short)\\[\\w\\] = fault == (2'd\\d);");
    REQUIRE(faults.size() == 2);
    for (const auto& fault : faults)
      CHECK(RtlText::evaluate(fault[1], {}) ==
            number(fault[0] == "bad_code" ? StreamFault::bad_code : StreamFault::too_short));
  }
  const auto errors = scheduler.all("(2'd\\d): +run_error = (\\w+);");
  REQUIRE(errors.size() == 2);
  for (const auto& error : errors)
    CHECK(codes.at(error[1]) == number(ErrorCode::bad_code) - 1 + RtlText::evaluate(error[0], {}));
  CHECK(codes.at("ShortStream") == number(ErrorCode::bad_code) - 1 + number(StreamFault::too_short));
  CHECK(codes.at("LeftOver") == number(ErrorCode::bad_code) - 1 + number(StreamFault::left_over));
}

TEST_CASE("facts: a layer descriptor's fields are where the RTL reads them") {
  std::map<std::string, std::uint32_t> fields; // by name and word, as the RTL slices them
  for (const auto& match :
       RtlText("program_table").all("assign (\\w+) = prog_data_i\\[(\\d+)(?::(\\d+))?\\];")) {
    const int high = std::stoi(match[1]), low = match[2].empty() ? high : std::stoi(match[2]);
    fields[match[0]] = static_cast<std::uint32_t>((std::uint64_t{2} << high) - (std::uint64_t{1} << low));
  }
  const auto ones = [](int bits) { return (1 << bits) - 1; };
  CHECK(fields.at("inputs") == field_bits(0, [&](LayerDescriptor& l) { l.inputs = ones(13); }));
  CHECK(fields.at("outputs") == field_bits(0, [&](LayerDescriptor& l) { l.outputs = ones(13); }));
  CHECK(fields.at("activation") ==
        field_bits(0, [&](LayerDescriptor& l) { l.activation = static_cast<Activation>(ones(2)); }));
  CHECK(fields.at("consecutive") == field_bits(0, [](LayerDescriptor& l) { l.consecutive = true; }));
  CHECK(fields.at("huffman") == field_bits(0, [](LayerDescriptor& l) { l.huffman = true; }));
  CHECK(fields.at("block_length") == field_bits(1, [&](LayerDescriptor& l) { l.block_length = ones(13); }));
  CHECK(fields.at("delta_shift") == field_bits(1, [&](LayerDescriptor& l) { l.delta_shift = ones(3); }));
  CHECK(fields.at("shift") == field_bits(1, [&](LayerDescriptor& l) { l.shift = ones(5); }));
  const RtlText::Variables activations = RtlText("requantizer").constants("Relu|HardTanh");
  CHECK(activations.at("Relu") == number(Activation::relu));
  CHECK(activations.at("HardTanh") == number(Activation::hardtanh));
}

TEST_CASE("facts: latencies and widths are the same in RTL and model") {
  CHECK(RtlText("requantizer").constants("Latency").at("Latency") == RequantizerTiming::latency);
  const RtlText top("accelerator"), lanes("delta_mac");
  for (const Multiplier multiplier :
       {Multiplier::lut, Multiplier::dsp, Multiplier::dsp_packed, Multiplier::serial})
    for (const bool consecutive : {false, true})
      for (const int delta_bits : {1, 4, 8}) {
        Design design;
        design.multiplier = multiplier;
        design.consecutive = consecutive;
        design.delta_bits = delta_bits;
        design.lanes_per_bank = 4;
        design.in_depth = 64 * delta_bits;
        CAPTURE(number(multiplier), consecutive, delta_bits);
        const WriteBackTiming timing{scheduler_config(design).mac};
        const RtlText::Variables values = top.localparams(variables(design));
        CHECK(values.at("CyclesPerMac") == timing.mac.cycles_per_mac);
        CHECK(values.at("MacLatency") == number(timing.mac.reference_request()));
        CHECK(values.at("ReadLatency") == number(WriteBackTiming::read_latency));
        CHECK(values.at("DrainLatency") == number(DeltaMacTiming::drain_latency));
        CHECK(values.at("RequantizerLatency") == RequantizerTiming::latency);
        // The first cycle in which what was written can be read.
        CHECK(values.at("WriteLatency") == number(timing.write()) + 1);
        CHECK(values.at("StreamLatency") == number(HuffmanDecoderCore::restart_latency));
        const RtlText::Variables inner = lanes.localparams(values);
        CHECK(inner.at("CyclesPerMac") == timing.mac.cycles_per_mac);
        const DeltaMacWidths widths(delta_mac_config(design));
        CHECK(values.at("SumBits") == widths.sum);
        CHECK(inner.at("SumBits") == widths.sum);
        CHECK(inner.at("OperandBits") == widths.operand);
        CHECK(inner.at("XSumBits") == widths.x_sum);
        CHECK(inner.at("AccBits") == widths.accumulator);
        CHECK(inner.at("RefBits") == widths.reference_sum);
      }
}

TEST_CASE("facts: RTL and model refuse the same designs") {
  const RtlText top("accelerator");
  std::vector<std::string> conditions;
  for (const auto& match : top.all("if \\((.*)\\) begin : gen_bad_\\w+"))
    conditions.push_back(match[0]);
  REQUIRE(conditions.size() >= 12);
  const auto possible = [&](const Design& design) {
    const RtlText::Variables values = top.localparams(variables(design));
    for (const std::string& condition : conditions)
      if (RtlText::evaluate(condition, values))
        return false;
    return true;
  };
  const struct {
    const char* name;
    int Design::*member;
    std::vector<int> values;
  } axes[] = {
      {"lanes", &Design::lanes, {0, 1, 2, 16, 128, 129, 255, 256}},
      {"lanes_per_bank", &Design::lanes_per_bank, {0, 1, 3, 4, 5, 8, 9, 10, 18, 36, 37}},
      {"delta_bits", &Design::delta_bits, {0, 1, 2, 4, 5, 8, 9}},
      {"symbol_deltas", &Design::symbol_deltas, {0, 1, 2, 3}},
      {"symbol_depth", &Design::symbol_depth, {0, 1, 2, 192, 4096, 4097}},
      {"bank_depth", &Design::bank_depth, {0, 1, 2, 3, 1 << 20, (1 << 20) + 1}},
      {"in_depth", &Design::in_depth, {0, 1, 2, 3, 4096, 4097, 8192}},
      {"act_depth", &Design::act_depth, {0, 1, 2, 3, 4096, 4097, 8192}},
      {"ref_depth", &Design::ref_depth, {0, 1, 2, 3, 65535, 65536}},
      {"param_depth", &Design::param_depth, {0, 1, 2, 3, 65535, 65536}},
      {"max_layers", &Design::max_layers, {0, 1, 2, 3, 16, 17, 32}},
      {"out_depth", &Design::out_depth, {0, 1, 8, 16, 32, 48, 128, 4096, 8192}},
  };
  int possible_designs = 0, impossible_designs = 0;
  for (const bool huffman : {false, true})
    for (const auto& a : axes)
      for (const auto& b : axes)
        for (const int value_a : a.values)
          for (const int value_b : b.values) {
            if (&b < &a) // met the other way round
              continue;
            Design design;
            design.huffman = huffman;
            design.lanes_per_bank = 4;
            design.*a.member = value_a;
            design.*b.member = value_b;
            const std::string what = complaint(design);
            if (possible(design) != what.empty()) {
              CAPTURE(a.name, value_a, b.name, value_b, huffman, what);
              CHECK(possible(design) == what.empty());
            }
            ++(what.empty() ? possible_designs : impossible_designs);
          }
  CHECK(possible_designs > 1000);
  CHECK(impossible_designs > 1000);
}
