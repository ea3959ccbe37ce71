#include "activations/compression.h"
#include "activations/storage_meter.h"
#include "base/error.h"
#include "base/huffman.h"
#include <cstddef>
#include <zlib.h>
#ifdef DELTATWIN_LZMA
#include <lzma.h>
#endif
#ifdef DELTATWIN_ZSTD
#include <zstd.h>
#endif

namespace deltatwin {
namespace {

std::uint64_t huffman_bits(const std::vector<std::uint8_t>& symbols, int bits) {
  std::vector<std::uint64_t> histogram(std::size_t{1} << bits);
  for (const std::uint8_t symbol : symbols)
    ++histogram[symbol];
  const std::vector<int> lengths = huffman_lengths(histogram);
  const std::vector<unsigned> codes = canonical_codes(lengths);
  BitPacker packer;
  std::uint64_t words = 0;
  for (const std::uint8_t symbol : symbols)
    words += packer.put(codes[symbol], lengths[symbol]).has_value();
  words += !packer.empty();
  return words * stream_word_bits + lengths.size() * length_bits;
}

std::uint64_t deflate_bits(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string result(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                text.size(), Z_DEFAULT_COMPRESSION) != Z_OK)
    throw InputError("zlib cannot compress");
  return 8 * static_cast<std::uint64_t>(size);
}

std::uint64_t lzma_bits([[maybe_unused]] const std::string& text) {
#ifdef DELTATWIN_LZMA
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 9);
  // A dictionary of this preset's 64 MiB finds no more in less than that, and takes its time.
  options.dict_size = LZMA_DICT_SIZE_MIN;
  while (options.dict_size < text.size() && options.dict_size < (1U << 26))
    options.dict_size *= 2;
  lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::string result(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  if (lzma_stream_buffer_encode(
          filters, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
          reinterpret_cast<std::uint8_t*>(result.data()), &size, result.size()) != LZMA_OK)
    throw InputError("liblzma cannot compress");
  return 8 * static_cast<std::uint64_t>(size);
#else
  return 0;
#endif
}

std::uint64_t zstd_bits([[maybe_unused]] const std::string& text) {
#ifdef DELTATWIN_ZSTD
  std::string result(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(result.data(), result.size(), text.data(), text.size(), 22);
  if (ZSTD_isError(size))
    throw InputError("libzstd cannot compress");
  return 8 * static_cast<std::uint64_t>(size);
#else
  return 0;
#endif
}

} // namespace

const char* to_string(Compressor compressor) {
  constexpr const char* names[] = {"Huffman", "Deflate", "LZMA", "ZSTD"};
  return names[static_cast<int>(compressor)];
}

bool is_there(Compressor compressor) {
#ifndef DELTATWIN_LZMA
  if (compressor == Compressor::lzma)
    return false;
#endif
#ifndef DELTATWIN_ZSTD
  if (compressor == Compressor::zstd)
    return false;
#endif
  static_cast<void>(compressor);
  return true;
}

std::string pack_bits(const std::vector<std::uint8_t>& symbols, int bits) {
  std::string bytes;
  unsigned rest = 0;
  int count = 0;
  for (const std::uint8_t symbol : symbols) {
    rest = rest << bits | symbol;
    for (count += bits; count >= 8; count -= 8)
      bytes += static_cast<char>(rest >> (count - 8));
    rest &= (1U << count) - 1;
  }
  if (count)
    bytes += static_cast<char>(rest << (8 - count));
  return bytes;
}

std::uint64_t compressed_bits(Compressor compressor, const std::vector<std::uint8_t>& symbols, int bits) {
  switch (compressor) {
  case Compressor::huffman:
    return huffman_bits(symbols, bits);
  case Compressor::deflate:
    return deflate_bits(pack_bits(symbols, bits));
  case Compressor::lzma:
    return lzma_bits(pack_bits(symbols, bits));
  case Compressor::zstd:
    return zstd_bits(pack_bits(symbols, bits));
  }
  return 0;
}

} // namespace deltatwin
