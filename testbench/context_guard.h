#pragma once
#include <systemc>

namespace deltatwin {

/// A SystemC simulation context of its own, so that one process can elaborate many times. Declare
/// it before any module, so that it goes last.
struct ContextGuard {
  ContextGuard() {
    sc_core::sc_curr_simcontext = new sc_core::sc_simcontext;
    sc_core::sc_default_global_context = sc_core::sc_curr_simcontext;
  }
  ~ContextGuard() {
    delete sc_core::sc_curr_simcontext;
    sc_core::sc_curr_simcontext = nullptr;
    sc_core::sc_default_global_context = nullptr;
  }
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;
};

} // namespace deltatwin
