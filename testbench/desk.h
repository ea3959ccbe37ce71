#pragma once
#include "base/file.h"
#include "net/network.h"
#include "random_work.h"
#include "temporary_directory.h"
#include <algorithm>
#include <boost/json.hpp>
#include <boost/process.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>

namespace deltatwin {

using Words = std::vector<std::string>;

inline Words words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

struct Outcome {
  bool exited = false; ///< rather than crashed
  int code = -1;
  std::string out, err;
};

/// A directory to work in: networks, a data set of three 28 x 28 images, and broken ones of both.
class Desk {
public:
  static constexpr int images = 3;

  Desk() {
    RandomWork random(base_seed());
    const DeltaFormat fixed4{Scheme::fixed_reference, 4, Group::neuron, 0, 3};
    save("small.json", random.network({784, 10}, fixed4));
    save("tiny.json", random.network({784, 4}, {Scheme::consecutive, 4, Group::layer, 0, 3}));
    save("narrow.json", random.network({100, 10}, fixed4));
    const std::string text = read_file(path("small.json"));
    write("cut.json", text.substr(0, text.size() / 2));
    write("wrong.json",
          "{\"format\": \"deltatwin-network-1\", \"name\": \"wrong\", \"layers\": [{\"inputs\": 0}]}");
    write("empty.json", "");
    for (const char* directory : {"boards", "bad-boards", "twice"})
      std::filesystem::create_directory(path(directory));
    const std::string board = R"({"name": "my_board", "description": "mine", "lut": 12345, "ff": 9, )";
    write("boards/my_board.json", board + R"("dsp": 11, "bram36": 6})");
    write("bad-boards/no-dsp.json", board + R"("bram36": 6})");
    write("bad-boards/half-dsp.json", board + R"("dsp": 0.5, "bram36": 6})");
    write("twice/lut.json", R"({"name": "my_board", "lut": 1, "lut": 2})");
    write("bad-boards/formula.json",
          R"({"name": "=1+1", "description": "", "lut": 9, "ff": 9, "dsp": 1, "bram36": 6})");
    write("bad-boards/two-dsp.json", board + R"("dsp": 2, "dsps": 2, "bram36": 6})");
    pixels_ = random.bytes(images * 784);
    const std::string pixels(pixels_.begin(), pixels_.end());
    const std::string header = big_endian(0x803) + big_endian(images) + big_endian(28) + big_endian(28);
    write_dataset("data", header + pixels);
    write_dataset("cut-data", (header + pixels).substr(0, 2000));
  }

  [[nodiscard]] std::string path(const std::string& name) const { return work_.path() + "/" + name; }
  [[nodiscard]] Network network(const std::string& name) const { return load_network(path(name)); }
  [[nodiscard]] boost::json::value json_file(const std::string& name) const {
    return boost::json::parse(read_file(path(name)));
  }
  /// What the images are to a network: pixel - 128.
  [[nodiscard]] std::vector<std::int8_t> inputs() const {
    std::vector<std::int8_t> result;
    for (const std::int8_t pixel : pixels_)
      result.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(pixel) - 128));
    return result;
  }

  /// Everything below the directory: names and contents.
  [[nodiscard]] std::set<std::pair<std::string, std::string>> everything() const {
    std::set<std::pair<std::string, std::string>> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(work_.path()))
      all.insert({entry.path().string(), entry.is_regular_file() ? text_of(entry.path().string()) : ""});
    return all;
  }

  /// Runs the program in the directory. `environment` is NAME=VALUE, one at most.
  [[nodiscard]] Outcome run(const Words& arguments, const std::string& environment = "") const {
    boost::process::child child = start(arguments, environment);
    child.wait();
    const int status = child.native_exit_code();
    return {WIFEXITED(status), child.exit_code(), text_of(out()), text_of(err())};
  }
  /// The same where no file can have more than so many blocks of 1,024 bytes.
  [[nodiscard]] Outcome run_without_room(const Words& arguments, int blocks) const {
    const rlimit before = file_limit(static_cast<rlim_t>(blocks) * 1024);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN); // as on a full disk, write() tells
    Outcome outcome = run(arguments);
    std::signal(SIGXFSZ, handler);
    setrlimit(RLIMIT_FSIZE, &before);
    return outcome;
  }
  [[nodiscard]] boost::process::child start(const Words& arguments,
                                            const std::string& environment = "") const {
    boost::process::environment variables = boost::this_process::environment();
    variables["DELTATWIN_NETWORKS"] = work_.path();
    if (!environment.empty())
      variables[environment.substr(0, environment.find('='))] = environment.substr(environment.find('=') + 1);
    std::filesystem::remove(out()); // Boost.Process writes over what is there
    std::filesystem::remove(err());
    return boost::process::child(std::string(DELTATWIN_BINARY), boost::process::args(arguments),
                                 boost::process::std_out > out(), boost::process::std_err > err(),
                                 boost::process::std_in < boost::process::null,
                                 boost::process::start_dir(work_.path()), variables);
  }
  void write(const std::string& name, const std::string& text) const { write_file(path(name), text); }

private:
  static rlimit file_limit(rlim_t bytes) {
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit now{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
    return before;
  }
  void save(const std::string& name, Network network) {
    network.name = name.substr(0, name.find('.'));
    save_network(network, path(name));
  }
  void write_dataset(const std::string& name, const std::string& image_file) {
    std::filesystem::create_directory(path(name));
    write(name + "/t10k-images-idx3-ubyte", image_file);
    write(name + "/t10k-labels-idx1-ubyte", big_endian(0x801) + big_endian(images) + "\x01\x02\x03");
  }
  static std::string text_of(const std::string& file) {
    return std::filesystem::file_size(file) ? read_file(file) : "";
  }

  [[nodiscard]] std::string out() const { return streams_.path() + "/out"; }
  [[nodiscard]] std::string err() const { return streams_.path() + "/err"; }

  TemporaryDirectory work_{"deltatwin-cli"}, streams_{"deltatwin-cli"};
  std::vector<std::int8_t> pixels_;
};

/// A copy of the RTL with one text of a file replaced: unless told otherwise its requantizer truncates
/// instead of rounding.
class BrokenRtl {
public:
  explicit BrokenRtl(const std::string& file = "requantizer.sv",
                     const std::string& right = "(RoundedBits + 8)'(128)",
                     const std::string& wrong = "(RoundedBits + 8)'(0)") {
    for (const auto& entry : std::filesystem::directory_iterator(DELTATWIN_RTL_DIRECTORY))
      std::filesystem::copy(entry.path(), path());
    std::string text = read_file(path() + "/" + file);
    REQUIRE(text.find(right) != std::string::npos);
    write_file(path() + "/" + file, text.replace(text.find(right), right.size(), wrong));
  }
  [[nodiscard]] std::string path() const { return directory_.path(); }

private:
  TemporaryDirectory directory_{"deltatwin-rtl"};
};

struct BadInput {
  std::string command; ///< its words; options that make it complete are added
  std::string message; ///< a part of what stderr says
  std::string environment = "";
};

// Exit code 2, one line on stderr, nothing on stdout, no file made or changed.
inline void require_refused(const Desk& desk, const BadInput& bad) {
  CAPTURE(bad.command, bad.environment);
  const auto before = desk.everything();
  const Outcome outcome = desk.run(words(bad.command), bad.environment);
  CAPTURE(outcome.err, outcome.out);
  REQUIRE(outcome.exited);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK_THAT(outcome.err, Catch::StartsWith("deltatwin: ") && Catch::EndsWith("\n"));
  CHECK_THAT(outcome.err, Catch::Contains(bad.message));
  CHECK_THAT(outcome.err, !Catch::Contains("internal error"));
  CHECK(desk.everything() == before);
}

} // namespace deltatwin
