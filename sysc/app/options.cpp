#include "app/options.h"
#include "base/error.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace deltatwin {
namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Refuses 0, which in CommonOptions says that an option was not given.
auto not_zero(const std::string& complaint) {
  return [complaint](const std::string& text) {
    char* end = nullptr;
    const bool zero = std::strtod(text.c_str(), &end) == 0 && end != text.c_str();
    return zero ? complaint : std::string();
  };
}

} // namespace

void add_common_options(CLI::App& command, CommonOptions& options, const std::string& images_help) {
  command.add_option("-n,--network", options.network, "name of a committed network, or a network file")
      ->capture_default_str();
  command
      .add_option("-d,--device", options.device,
                  "name of a known device, or a device file: whose budget to compare with")
      ->capture_default_str();
  command.add_option("--preset", options.preset,
                     "paper_s15: 1 lane, bit-serial, 32 MHz, for 4-bit networks: the paper's accelerator");
  command.add_option("-l,--lanes", options.lanes, "neurons in parallel, 1 to 255 [16]")
      ->check(not_zero("lanes is 0, possible are 1..255"));
  command
      .add_option("--lanes-per-bank", options.lanes_per_bank,
                  "lanes that share a weight bank [as many as fit its 36 bits, or 4 with a Huffman code]")
      ->check(not_zero("lanes per bank is 0, expected at least 1"));
  command.add_option("--bank-depth", options.bank_depth, "words a weight bank [what the network needs]")
      ->check(not_zero("bank depth is 0, possible are 2..1048576"));
  command.add_option("-m,--multiplier", options.multiplier, "lut, dsp, dsp_packed or serial [dsp]");
  command.add_option("--code", options.code,
                     "raw, huffman or huffman_pairs: how the deltas of all layers lie in the banks [as the "
                     "network says]");
  command.add_option("--clock", options.clock_mhz, "clock to assume, in MHz [100]")
      ->check(not_zero("clock is 0 MHz, possible are 0.001 to 10000"));
  if (!images_help.empty())
    add_images_option(command, options.images, images_help);
  command.add_option("--dataset", options.dataset, "directory of the IDX files")->capture_default_str();
  add_json_option(command, options.json);
}

Setup::Setup(const CommonOptions& options)
    : network(load_network(find_network(options.network))), device(find_device(options.device)) {
  DesignChoice choice;
  if (options.preset == "paper_s15") {
    choice.lanes = 1;
    choice.multiplier = Multiplier::serial;
    choice.clock_mhz = 32;
  } else if (!options.preset.empty()) {
    throw InputError("unknown preset \"" + options.preset + "\"; known is paper_s15");
  }
  if (options.lanes)
    choice.lanes = options.lanes;
  choice.lanes_per_bank = options.lanes_per_bank;
  choice.bank_depth = options.bank_depth;
  if (options.clock_mhz != 0)
    choice.clock_mhz = options.clock_mhz;
  if (!options.multiplier.empty()) {
    const auto& names = multiplier_names();
    const auto found = std::find(names.begin(), names.end(), options.multiplier);
    if (found == names.end())
      throw InputError("unknown multiplier \"" + options.multiplier +
                       "\"; known are lut, dsp, dsp_packed, serial");
    choice.multiplier = static_cast<Multiplier>(found - names.begin());
  }
  if (!options.code.empty()) {
    const auto* const found = std::find(code_names.begin(), code_names.end(), options.code);
    if (found == code_names.end())
      throw InputError("unknown code \"" + options.code + "\"; known are raw, huffman, huffman_pairs");
    recode(network, static_cast<Code>(found - code_names.begin()));
  }
  design = fit(network, choice);
  if (options.preset == "paper_s15" && design.delta_bits != 4)
    throw InputError("preset paper_s15 is for 4-bit deltas, network " + network.name + " has " +
                     std::to_string(design.delta_bits) + " bits (paper_fixed4 has 4)");
  program = compile(network, design);
  prepare_json(options.json);
}

Dataset load_test_images(const CommonOptions& options, const Network& network) {
  return load_images(parse_images(options.images), options.dataset, network);
}

Progress::Progress(std::string what)
    : what_(std::move(what)), begin_(seconds()), shown_(begin_), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (line_)
    std::fprintf(stderr, "\r\033[K");
  line_ = false;
}

void Progress::update(double done, double all, const std::string& detail) {
  const double now = seconds();
  if (now - shown_ < (terminal_ ? 0.5 : 10.0) || done <= 0)
    return;
  shown_ = now;
  const double left = (now - begin_) * (all - done) / done;
  std::fprintf(stderr, "%s%s: %.0f %%, %.0f s left%s%s%s", terminal_ ? "\r\033[K" : "", what_.c_str(),
               100 * done / all, left, detail.empty() ? "" : ", ", detail.c_str(), terminal_ ? "" : "\n");
  line_ = terminal_;
}

void Progress::restart() { begin_ = shown_ = seconds(); }

void Progress::message(const std::string& text) {
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

} // namespace deltatwin
