#pragma once
#include <cstddef>
#include <string>

namespace deltatwin {

/// A file's whole text; throws InputError when it cannot be read, is empty, has more than `most` bytes,
/// or is a device: those need not end.
[[nodiscard]] std::string read_file(const std::string& path, std::size_t most = std::size_t{1} << 30);

/// Writes a file whole or not at all (a temporary beside it is renamed into place and gets the mode of
/// the file that was there; a link, device or pipe is written through instead); throws InputError when
/// the place cannot be written.
void write_file(const std::string& path, const std::string& text);

/// Throws InputError unless a file can be created or replaced at `path`: for commands that work
/// long before they write.
void check_writable(const std::string& path);

} // namespace deltatwin
