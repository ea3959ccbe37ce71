// Read before all that goes into an RTL twin's library: what the RTL prints and how it ends comes to
// rtl_shim.cpp, and the library's C interface.
#pragma once
#define VL_USER_FINISH
#define VL_USER_STOP
#define VL_USER_FATAL
#define VL_PRINTF deltatwin_print

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>

extern "C" {
int deltatwin_print(const char* format, ...) __attribute__((format(printf, 1, 2)));

struct Signal {
  const char* name;
  int width;
  void* data;
};
struct Memory {
  const char* name;
  int width;
  std::size_t depth, stride; ///< stride in bytes
  void* data;
};
/// How the RTL ended the simulation itself.
struct Ending {
  const char *kind, *place, *message;
  std::uint64_t edge; ///< the clock edges before
};
}
#endif
