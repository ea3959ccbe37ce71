#pragma once

/// Of a function with a loop: it is compiled for several processors, and the right one is called.
#if defined(__x86_64__)
#define DELTATWIN_CLONES __attribute__((target_clones("arch=icelake-server", "avx2", "default")))
#else
#define DELTATWIN_CLONES
#endif
