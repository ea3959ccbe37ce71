#pragma once
#include "activations/method.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Bits of a code length in a stored book: 0..8.
inline constexpr int length_bits = 4;

/// Which of `contexts` books codes a value: by the value above it (0 in the first row), min(|above|,
/// contexts - 1).
[[nodiscard]] constexpr int context_of(int above, int contexts) {
  const int size = above < 0 ? -above : above;
  return size < contexts ? size : contexts - 1;
}

/// A layer's values are shown to it, channel by channel, and it tells what they take in a storage.
///
///   StorageMeter meter(quantization, storage, important);
///   meter.add(channel, codes, rows, columns);   // each channel of each image
///   meter.end_batch();                          // each batch
///   meter.bits({})                              // dynamic books; static ones: meter.bits(books)
class StorageMeter {
public:
  /// `important`: one a channel.
  StorageMeter(const Quantization& quantization, const Storage& storage, std::vector<char> important);

  void add(int channel, const std::int16_t* codes, int rows, int columns);
  void end_batch();
  void add(const StorageMeter& other);

  /// Books with every symbol, as what calibration images lack may come: optimal for these counts plus one.
  [[nodiscard]] std::vector<std::vector<int>> static_books() const;
  /// All bits, those of dynamic books included; `books`: of static_books(), empty where there are none.
  [[nodiscard]] std::uint64_t bits(const std::vector<std::vector<int>>& books) const;
  [[nodiscard]] std::uint64_t header_bits() const { return header_bits_; }
  /// How often each shifting error of important channels is there.
  [[nodiscard]] std::vector<std::uint64_t> error_counts() const { return errors_; }

private:
  [[nodiscard]] std::size_t book_of(int channel, int context) const;
  [[nodiscard]] bool is_coded(int channel) const;
  [[nodiscard]] std::size_t symbols(int channel) const;
  void settle(std::size_t first, std::size_t last); ///< builds the dynamic books of counts, and clears them

  Quantization quantization_;
  Storage storage_;
  std::vector<char> important_;
  std::vector<std::vector<std::uint64_t>> counts_; ///< [book][symbol]
  std::vector<std::uint64_t> errors_;
  std::uint64_t flat_bits_ = 0, coded_bits_ = 0, header_bits_ = 0;
};

} // namespace deltatwin
