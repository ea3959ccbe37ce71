// The C interface of a Verilated model. Compiled into each RTL twin's library between the generated
// `Top`, top_signals(), top_memories() and Verilator's code.
#include "verilated.h"
#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>
#if VM_TRACE
#include "verilated_vcd_c.h"
#include <fcntl.h>
#include <unistd.h>
#endif
#if VM_SAVABLE
#include "verilated_save.h"
#endif

namespace {

#if VM_TRACE
// A file that takes what it is given and remembers the first error: Verilator's own would end the
// program or never end.
class TraceFile final : public VerilatedVcdFile {
public:
  int error = 0;
  bool open(const std::string& name) override {
    file_ = ::open(name.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0)
      error = errno;
    return true;
  }
  void close() override {
    if (file_ >= 0 && ::close(file_) != 0 && !error)
      error = errno;
    file_ = -1;
  }
  ssize_t write(const char* data, ssize_t size) override {
    for (ssize_t done = 0; done < size && !error;) {
      const ssize_t now = ::write(file_, data + done, static_cast<std::size_t>(size - done));
      if (now < 0 && errno != EINTR && errno != EAGAIN)
        error = errno;
      done += now > 0 ? now : 0;
    }
    return size;
  }

private:
  int file_ = -1;
};
#endif

struct Model {
  VerilatedContext context;
  Top* top = nullptr;
  bool ended = false, broken = false; ///< broken: left in the middle of an evaluation
  Ending ending{};
  std::string kind, place, message;
  std::string printed; ///< the line that is being printed, and the last whole one
  std::string last_line;
  std::uint64_t edges = 0;
  std::vector<Signal> signals;
  std::vector<Memory> memories;
  std::string saved;
#if VM_TRACE
  TraceFile file;
  VerilatedVcdC* vcd = nullptr;
  std::uint64_t time = 0, period = 0;
#endif
};

thread_local Model* current = nullptr;

// Verilator's library functions, which ask for no model, mean this one from here on.
Model& use(void* handle) {
  current = static_cast<Model*>(handle);
  Verilated::threadContextp(&current->context);
  return *current;
}

struct Fatal {};

void end(const char* kind, const char* file, int line, const std::string& message) {
  Model& m = *current;
  if (m.ended)
    return;
  m.ended = true;
  m.kind = kind;
  m.place = file && *file ? std::string(file) + ":" + std::to_string(line) : "";
  if (m.place.rfind("rtl/", 0) == 0) // where the build has a link to the RTL
    m.place.erase(0, 4);
  m.message = message;
  m.ending = {m.kind.c_str(), m.place.c_str(), m.message.c_str(), m.edges};
}

void evaluate(Model& m) {
  if (m.broken)
    return;
  if (!m.last_line.empty())
    m.last_line.clear();
  try {
    m.top->eval();
  } catch (const Fatal&) {
    m.broken = true;
  }
}

#if VM_TRACE
void dump(Model& m, std::uint64_t time) {
  if (m.vcd)
    m.vcd->dump(time);
}
#endif

bool is_error(const std::string& line) { return line.find("%Error: ") != std::string::npos; }

#if VM_SAVABLE
class Save final : public VerilatedSerialize {
public:
  explicit Save(std::string& bytes) : bytes_(bytes) {
    m_isOpen = true;
    header();
  }
  ~Save() override {
    trailer();
    flush();
  }
  void flush() override {
    bytes_.append(reinterpret_cast<const char*>(m_bufp), static_cast<std::size_t>(m_cp - m_bufp));
    m_cp = m_bufp;
  }

private:
  std::string& bytes_;
};

class Restore final : public VerilatedDeserialize {
public:
  Restore(const char* data, std::size_t size) : data_(data), left_(size) {
    m_isOpen = true;
    m_endp = m_bufp;
    header();
  }
  void finish() {
    trailer();
    check();
  }
  void fill() override {
    check();
    const auto kept = static_cast<std::size_t>(m_endp - m_cp);
    std::memmove(m_bufp, m_cp, kept);
    const std::size_t more = std::min(left_, bufferSize() - kept);
    std::memcpy(m_bufp + kept, data_, more);
    m_cp = m_bufp;
    m_endp = m_bufp + kept + more;
    data_ += more;
    left_ -= more;
  }

private:
  void check() const {
    if (m_cp > m_endp) // more was taken than there is
      throw Fatal();
  }

  const char* data_;
  std::size_t left_;
};
#endif

} // namespace

void vl_finish(const char* file, int line, const char*) { end("$finish", file, line, current->last_line); }

void vl_stop(const char* file, int line, const char*) {
  const std::string& text = current->last_line;
  const bool error = is_error(text);
  end(error ? "error" : "$stop", file, line, text.substr(error ? text.find("%Error: ") + 8 : 0));
}

// Verilator's code does not go on after this.
void vl_fatal(const char* file, int line, const char*, const char* message) {
  end("error", file, line, message);
  throw Fatal();
}

extern "C" {

// Whole lines go to stderr, but for errors: they are findings.
int deltatwin_print(const char* format, ...) {
  char text[4096];
  va_list list;
  va_start(list, format);
  const int length = std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (!current) {
    std::fputs(text, stderr);
    return length;
  }
  std::string& line = current->printed;
  line += text;
  for (std::size_t end; (end = line.find('\n')) != std::string::npos; line.erase(0, end + 1)) {
    current->last_line = line.substr(0, end);
    if (!is_error(current->last_line))
      std::fprintf(stderr, "%s\n", current->last_line.c_str());
  }
  return length;
}

void* dt_create(int seed) {
  auto* m = new Model;
  use(m);
  m->context.traceEverOn(VM_TRACE);
  if (seed) {
    m->context.randReset(2);
    m->context.randSeed(seed);
  }
  m->top = new Top(&m->context);
  m->signals = top_signals(*m->top);
  m->memories = top_memories(*m->top);
  return m;
}

void dt_destroy(void* handle) {
  Model& m = use(handle);
  try {
    m.top->final();
  } catch (const Fatal&) {
  }
#if VM_TRACE
  delete m.vcd;
#endif
  delete m.top;
  delete &m;
  current = nullptr;
}

const Signal* dt_signals(void* handle, std::size_t* count) {
  Model& m = *static_cast<Model*>(handle);
  *count = m.signals.size();
  return m.signals.data();
}

const Memory* dt_memories(void* handle, std::size_t* count) {
  Model& m = *static_cast<Model*>(handle);
  *count = m.memories.size();
  return m.memories.data();
}

// Whether the RTL has ended the simulation, and how.
const std::uint64_t* dt_edges(void* handle) { return &static_cast<Model*>(handle)->edges; }
const bool* dt_ended(void* handle) { return &static_cast<Model*>(handle)->ended; }
const Ending* dt_ending(void* handle) { return &static_cast<Model*>(handle)->ending; }

// With inputs driven after the rising edge that began the cycle: outputs settle, the clock falls.
void dt_settle(void* handle) {
  Model& m = use(handle);
#if VM_TRACE
  evaluate(m);
  dump(m, m.time);
#endif
  m.top->clk_i = 0;
  evaluate(m);
#if VM_TRACE
  dump(m, m.time + m.period / 2);
  m.time += m.period;
#endif
}

void dt_edge(void* handle) {
  Model& m = use(handle);
  m.top->clk_i = 1;
  evaluate(m);
  ++m.edges;
}

#if VM_TRACE
void dt_open(void* handle, const char* path, std::uint64_t time, std::uint64_t period) {
  Model& m = use(handle);
  m.file.error = 0;
  m.vcd = new VerilatedVcdC(&m.file);
  m.top->trace(m.vcd, 99);
  m.vcd->set_time_unit("ps");
  m.vcd->set_time_resolution("ps");
  m.vcd->open(path);
  m.time = time;
  m.period = period;
}

// 0, or the first error in writing, as errno has it.
int dt_close(void* handle) {
  Model& m = use(handle);
  if (m.vcd)
    m.vcd->close();
  delete m.vcd;
  m.vcd = nullptr;
  return m.file.error;
}
#endif

#if VM_SAVABLE
const char* dt_save(void* handle, std::size_t* size) {
  Model& m = use(handle);
  m.saved.clear();
  {
    Save save(m.saved);
    save.write(&m.edges, sizeof m.edges);
    save << *m.top;
  }
  *size = m.saved.size();
  return m.saved.data();
}

// False when the bytes are not of such a model.
bool dt_restore(void* handle, const char* data, std::size_t size) {
  Model& m = use(handle);
  const bool ended = m.ended;
  try {
    Restore restore(data, size);
    restore.read(&m.edges, sizeof m.edges);
    restore >> *m.top;
    restore.finish();
  } catch (const Fatal&) {
    m.ended = ended;
    return false;
  }
  return true;
}
#endif
}
