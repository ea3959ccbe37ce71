#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// The paper's Table 1: what makes a channel's shifting errors smaller.
enum class Compressor { huffman, deflate, lzma, zstd };
inline constexpr Compressor compressors[] = {Compressor::huffman, Compressor::deflate, Compressor::lzma,
                                             Compressor::zstd};
[[nodiscard]] const char* to_string(Compressor compressor);
/// Whether this build has it.
[[nodiscard]] bool is_there(Compressor compressor);

/// Symbols of so many bits each, the first in the highest bits, as bytes; a last one is filled with zeros.
[[nodiscard]] std::string pack_bits(const std::vector<std::uint8_t>& symbols, int bits);

/// Bits that the symbols take. Huffman: the stream of the project's encoder, in whole words, and its book;
/// the others: of the packed symbols, with the released code's settings (zlib's default level, LZMA's
/// preset 9 in the xz container, ZSTD's level 22).
[[nodiscard]] std::uint64_t compressed_bits(Compressor compressor, const std::vector<std::uint8_t>& symbols,
                                            int bits);

} // namespace deltatwin
