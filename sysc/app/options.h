#pragma once
#include "app/images.h"
#include "app/output.h"
#include "app/text.h"
#include "base/device.h"
#include "net/dataset.h"
#include "net/network.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include <boost/json.hpp>
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// What most commands take: which network on which accelerator, over which images.
struct CommonOptions {
  std::string network = "s15";
  std::string device = "xc7s15";
  std::string preset;
  std::string multiplier; ///< empty: dsp
  std::string code;       ///< empty: as the network's layers say
  int lanes = 0;          ///< 0: 16
  int lanes_per_bank = 0;
  int bank_depth = 0;
  double clock_mhz = 0;     ///< 0: 100
  std::string images = "0"; ///< as parse_images() takes it
  std::string dataset = default_dataset;
  std::string json;
};

/// `images_help` says what --images means; empty: the command has no such option.
void add_common_options(CLI::App& command, CommonOptions& options, const std::string& images_help);

/// Everything that follows from the options, checked.
struct Setup {
  Network network;
  Device device;
  Design design;
  Program program;

  explicit Setup(const CommonOptions& options);
};

/// The images that --images asks for.
[[nodiscard]] Dataset load_test_images(const CommonOptions& options, const Network& network);

/// A line on stderr that is rewritten in place: what is being done, how far, and how long is left.
/// Silent for work of under a second or two, and where stderr is no terminal it prints every ten seconds.
class Progress {
public:
  explicit Progress(std::string what);
  ~Progress();
  /// `detail`: more to say behind the time left.
  void update(double done, double all, const std::string& detail = {});
  void message(const std::string& text);
  /// What is to be done begins only now: the time before says nothing of the time left.
  void restart();
  /// Takes the line away, before what stdout is told.
  void clear();

private:
  std::string what_;
  double begin_, shown_;
  bool terminal_, line_ = false;
};

} // namespace deltatwin
