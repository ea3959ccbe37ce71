#pragma once
#include <string>
#include <vector>

namespace deltatwin {

enum class Family {
  real,      ///< float32: nothing is quantized
  uniform,   ///< Direct, eDQA, plain unsigned: one arithmetic
  power,     ///< powers of two
  noisy_bias ///< NoisyQuant
};
/// What has a scale of its own.
enum class Per { layer, channel, channel_image };
/// How a scale comes from values: their largest, or where the squared error is least.
enum class Fit { maximum, least_squares };
/// How channels are ranked by importance.
enum class Ranking {
  greedy, ///< the paper's Algorithm 3
  energy, ///< by the energy of the error that N bits make, in one pass
  random
};

/// How values are quantized. With K = N + m - 1 for signed values and N + m for unsigned ones, a value a
/// becomes v = round(a 2^K / maximum), halves to even, clamped to -2^K (0) .. 2^K - 1; it is stored as
/// q = v >> m and se = v mod 2^m, and comes back as maximum v / 2^K. Channels that are not important have
/// m = 0.
struct Quantization {
  Family family = Family::uniform;
  int bits = 3;     ///< N
  int extra = 0;    ///< m, of important channels
  double ratio = 0; ///< of channels that are important
  Ranking ranking = Ranking::greedy;
  bool is_signed = true;
  Per per = Per::channel;
  /// Scales are taken from the values themselves (over a batch, or over each image with
  /// Per::channel_image); else once, from calibration images.
  bool dynamic = true;
  Fit fit = Fit::maximum;
  bool normalized = false; ///< Family::power: by the layer's maximum, as the released script does
  bool online = false;     ///< Family::noisy_bias: searched for every batch, else once
  int steps = 100;         ///< Family::noisy_bias: scales, and offsets, that are tried

  /// Bits of a stored value: of v.
  [[nodiscard]] int value_bits(bool important) const { return bits + (important ? extra : 0); }
  /// K
  [[nodiscard]] int scale_bits(bool important) const { return value_bits(important) - (is_signed ? 1 : 0); }
};
[[nodiscard]] bool operator==(const Quantization& a, const Quantization& b);

/// What a Huffman code is for.
enum class Coded {
  nothing, ///< N bits a value, and m for se of important channels
  errors,  ///< se alone; q has N bits
  whole    ///< v
};
/// Which values share a code book.
enum class Books {
  layer,   ///< static: a layer's important channels, and its others
  channel, ///< static: a channel
  batch,   ///< dynamic: a channel's values of a batch; the book is stored with them
  image    ///< dynamic: a channel's values of an image; the book is stored with them
};

/// How quantized values are stored.
struct Storage {
  Coded coded = Coded::nothing;
  Books books = Books::channel;
  int contexts = 1; ///< with Coded::whole: 1, 2, 4 or 8 books, chosen by the value above in the row before

  [[nodiscard]] bool is_static() const { return books == Books::layer || books == Books::channel; }
};
[[nodiscard]] bool operator==(const Storage& a, const Storage& b);

struct Method {
  Quantization quantization;
  Storage storage;
};

/// From "direct:n=4", "edqa:n=3,m=3,r=0.4,rank=energy,code=whole,book=channel,contexts=4" and the like (see
/// method_help); throws InputError that names what is wrong and what would be right.
[[nodiscard]] Method parse_method(const std::string& text);
/// The text that gives the same method, without what is as its name says.
[[nodiscard]] std::string to_string(const Method& method);
/// The same without how values are stored.
[[nodiscard]] std::string to_string(const Quantization& quantization);
/// What a method says of one key, "code": "whole"; empty: its family has no such key.
[[nodiscard]] std::string word(const Method& method, const std::string& key);
/// The words that a method is made of, for --help.
[[nodiscard]] std::string method_help();

} // namespace deltatwin
