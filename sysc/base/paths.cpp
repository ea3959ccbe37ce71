#include "base/paths.h"

namespace deltatwin {

std::string source_path(const std::string& path) { return DELTATWIN_SOURCE_DIRECTORY "/" + path; }

} // namespace deltatwin
