// The C interface of a Verilated model; compiled into each RTL twin's shared library, together
// with the generated rtl_top.h: `Top`, and top_signals(), its ports and nets by name.
#include "rtl_top.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

struct Model {
  VerilatedContext context;
  Top* top = nullptr;
#if VM_TRACE
  VerilatedVcdC* vcd = nullptr;
  std::uint64_t time = 0, period = 0;
#endif
};

Model& model(void* handle) { return *static_cast<Model*>(handle); }

#if VM_TRACE
void dump(Model& m, std::uint64_t time) {
  if (m.vcd)
    m.vcd->dump(time);
}
#endif

} // namespace

extern "C" {

void* dt_create() {
  auto* m = new Model;
  m->context.traceEverOn(VM_TRACE);
  m->top = new Top(&m->context);
  return m;
}

void dt_destroy(void* handle) {
  Model& m = model(handle);
  m.top->final();
#if VM_TRACE
  delete m.vcd;
#endif
  delete m.top;
  delete &m;
}

int dt_signals(void* handle, Signal* out) { return top_signals(*model(handle).top, out); }

// With inputs driven after the rising edge that began the cycle: outputs settle, the clock falls.
void dt_settle(void* handle) {
  Model& m = model(handle);
#if VM_TRACE
  m.top->eval();
  dump(m, m.time);
#endif
  m.top->clk_i = 0;
  m.top->eval();
#if VM_TRACE
  dump(m, m.time + m.period / 2);
  m.time += m.period;
#endif
}

void dt_edge(void* handle) {
  model(handle).top->clk_i = 1;
  model(handle).top->eval();
}

#if VM_TRACE
void dt_open(void* handle, const char* path, std::uint64_t time, std::uint64_t period) {
  Model& m = model(handle);
  m.vcd = new VerilatedVcdC;
  m.top->trace(m.vcd, 99);
  m.vcd->set_time_unit("ps");
  m.vcd->set_time_resolution("ps");
  m.vcd->open(path);
  m.time = time;
  m.period = period;
}

void dt_close(void* handle) {
  Model& m = model(handle);
  if (m.vcd)
    m.vcd->close();
  delete m.vcd;
  m.vcd = nullptr;
}
#endif
}
