#pragma once
#include <string>

namespace deltatwin {

/// A file or directory of the project's sources by its path in them, "rtl" or "traces/s15.json".
[[nodiscard]] std::string source_path(const std::string& path);

} // namespace deltatwin
