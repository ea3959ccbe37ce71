#pragma once
#include "tops/family.h"
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a method makes of a network's activations, as `deltatwin activations --json FILE` tells it.
struct ActivationMethod {
  std::string text; ///< its words
  enum Family { real, uniform, power, noisy } family = real;
  int bits = 0, extra = 0; ///< N, m
  double ratio = 0;        ///< of channels with m more bits
  bool is_signed = false, dynamic_scale = false;
  int contexts = 1;
  double bits_per_value = 0, accuracy = 0;
  // Of `uniform`.
  enum Per { layer, channel, image } per = layer; ///< what has a scale: image is a channel of an image
  bool least_squares = false; ///< the scale is that of least squared error, not the largest value
  enum Code { nothing, errors, whole } code = nothing;
  enum Book { layer_book, channel_book, batch_book, image_book } book = layer_book;
  // Of `noisy`.
  bool online = false; ///< searched for every batch
};

/// Such a file: methods on one network.
struct ActivationResults {
  std::string network, dataset;
  int images = 0;
  double float_accuracy = 0;
  int rows = 0, columns = 0, values = 0; ///< of a channel, of each the most
  int least_columns = 0;
  std::vector<ActivationMethod> methods;
};

/// Throws InputError, which names the file and what is missing in it or wrong.
[[nodiscard]] ActivationResults load_activation_results(const std::string& file);

/// Bits per value and accuracy of designs that store activations: those of the method that a design runs,
/// from the files that a space names as its "activations", one a network. Without files there is none of
/// it.
class ActivationFigures {
public:
  /// Loads the files. `known`: figures that must be known. Throws InputError.
  ActivationFigures(const AxisValues& files, const std::vector<std::string>& known);

  /// The axis, only of spaces.
  [[nodiscard]] static Axis axis();
  /// Throughput, latency and cycles per value, which a family sets itself, and behind them these.
  [[nodiscard]] static std::vector<Figure> figures();

  /// Sets figures and what is stored of a point from place `figure` and `stored` on, by the most accurate of
  /// the methods that `suits` takes, with equal accuracy by the one with fewest bits; without one they are
  /// not known. `file` is the axis's value.
  using Suits = std::function<bool(const ActivationResults& results, const ActivationMethod& method)>;
  void set(double file, const Suits& suits, std::size_t figure, std::size_t stored, Evaluation& result) const;
  /// Adds columns, if there are files: to what is stored behind all others.
  void extend(ResultSchema& schema) const;

private:
  std::vector<ActivationResults> results_;
  std::vector<std::size_t> first_; ///< of each file's methods among all
};

} // namespace deltatwin
