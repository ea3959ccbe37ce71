#include "activations/storage_meter.h"
#include "base/huffman.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {

StorageMeter::StorageMeter(const Quantization& quantization, const Storage& storage,
                           std::vector<char> important)
    : quantization_(quantization), storage_(storage), important_(std::move(important)),
      errors_(std::size_t{1} << quantization.extra) {
  if (storage_.coded == Coded::nothing)
    return;
  const int channels = static_cast<int>(important_.size());
  counts_.resize(book_of(channels - 1, 0) + static_cast<std::size_t>(storage_.contexts));
  if (storage_.books == Books::layer)
    counts_.resize(2 * static_cast<std::size_t>(storage_.contexts));
  for (int channel = 0; channel < channels; ++channel)
    for (int context = 0; context < storage_.contexts; ++context)
      counts_[book_of(channel, context)].resize(symbols(channel));
}

std::size_t StorageMeter::book_of(int channel, int context) const {
  const int group = storage_.books == Books::layer ? important_[static_cast<std::size_t>(channel)] : channel;
  return static_cast<std::size_t>(group * storage_.contexts + context);
}

bool StorageMeter::is_coded(int channel) const {
  return storage_.coded == Coded::whole ||
         (storage_.coded == Coded::errors && important_[static_cast<std::size_t>(channel)] &&
          quantization_.extra > 0);
}

std::size_t StorageMeter::symbols(int channel) const {
  const bool important = important_[static_cast<std::size_t>(channel)] != 0;
  return std::size_t{1} << (storage_.coded == Coded::errors ? quantization_.extra
                                                            : quantization_.value_bits(important));
}

void StorageMeter::add(int channel, const std::int16_t* codes, int rows, int columns) {
  const bool important = important_[static_cast<std::size_t>(channel)] != 0;
  const int count = rows * columns;
  const int error_mask = (1 << quantization_.extra) - 1;
  if (important)
    for (int i = 0; i < count; ++i)
      ++errors_[static_cast<std::size_t>(codes[i] & error_mask)];
  const auto values = static_cast<std::uint64_t>(count);
  if (!is_coded(channel)) {
    flat_bits_ += values * static_cast<std::uint64_t>(quantization_.value_bits(important));
    return;
  }
  const std::size_t book = book_of(channel, 0);
  if (storage_.coded == Coded::errors) {
    flat_bits_ += values * static_cast<std::uint64_t>(quantization_.bits);
    for (int i = 0; i < count; ++i)
      ++counts_[book][static_cast<std::size_t>(codes[i] & error_mask)];
  } else {
    const int mask = (1 << quantization_.value_bits(important)) - 1; // two's complement
    for (int i = 0; i < count; ++i) {
      const int above = i < columns ? 0 : codes[i - columns];
      const auto context = static_cast<std::size_t>(context_of(above, storage_.contexts));
      ++counts_[book + context][static_cast<std::size_t>(codes[i] & mask)];
    }
  }
  if (storage_.books == Books::image)
    settle(book, book + static_cast<std::size_t>(storage_.contexts));
}

void StorageMeter::end_batch() {
  if (storage_.books == Books::batch)
    settle(0, counts_.size());
}

void StorageMeter::settle(std::size_t first, std::size_t last) {
  for (std::size_t book = first; book < last; ++book) {
    auto& counts = counts_[book];
    if (std::all_of(counts.begin(), counts.end(), [](std::uint64_t n) { return n == 0; }))
      continue;
    const std::uint64_t header = counts.size() * length_bits;
    coded_bits_ += coded_bits(counts, huffman_lengths(counts)) + header;
    header_bits_ += header;
    std::fill(counts.begin(), counts.end(), std::uint64_t{0});
  }
}

void StorageMeter::add(const StorageMeter& other) {
  for (std::size_t book = 0; book < counts_.size(); ++book)
    for (std::size_t symbol = 0; symbol < counts_[book].size(); ++symbol)
      counts_[book][symbol] += other.counts_[book][symbol];
  for (std::size_t i = 0; i < errors_.size(); ++i)
    errors_[i] += other.errors_[i];
  flat_bits_ += other.flat_bits_;
  coded_bits_ += other.coded_bits_;
  header_bits_ += other.header_bits_;
}

std::vector<std::vector<int>> StorageMeter::static_books() const {
  std::vector<std::vector<int>> books;
  for (std::vector<std::uint64_t> counts : counts_) {
    for (std::uint64_t& count : counts)
      ++count;
    books.push_back(huffman_lengths(counts));
  }
  return books;
}

std::uint64_t StorageMeter::bits(const std::vector<std::vector<int>>& books) const {
  std::uint64_t sum = flat_bits_ + coded_bits_;
  for (std::size_t book = 0; book < books.size(); ++book)
    sum += coded_bits(counts_[book], books[book]);
  return sum;
}

} // namespace deltatwin
