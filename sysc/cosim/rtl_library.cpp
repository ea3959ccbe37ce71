#include "cosim/rtl_library.h"
#include "base/tool.h"
#include "cosim/rtl_shim.h"
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <map>

namespace deltatwin {

std::uint64_t RtlSignal::get(int lsb, int bits) const {
  std::uint64_t value = 0;
  if (width <= 8)
    value = *static_cast<std::uint8_t*>(data) >> lsb;
  else if (width <= 16)
    value = *static_cast<std::uint16_t*>(data) >> lsb;
  else if (width <= 32)
    value = *static_cast<std::uint32_t*>(data) >> lsb;
  else if (width <= 64)
    value = *static_cast<std::uint64_t*>(data) >> lsb;
  else
    for (int at = 0; at < bits;) { // 32-bit words
      const int offset = (lsb + at) % 32, chunk = std::min(32 - offset, bits - at);
      value |= static_cast<std::uint64_t>(static_cast<std::uint32_t*>(data)[(lsb + at) / 32] >> offset) << at;
      at += chunk;
    }
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

void RtlSignal::set(std::uint64_t value) const {
  if (width <= 8)
    *static_cast<std::uint8_t*>(data) = static_cast<std::uint8_t>(value);
  else if (width <= 16)
    *static_cast<std::uint16_t*>(data) = static_cast<std::uint16_t>(value);
  else if (width <= 32)
    *static_cast<std::uint32_t*>(data) = static_cast<std::uint32_t>(value);
  else
    *static_cast<std::uint64_t*>(data) = value;
}

void RtlSignal::set_bits(int lsb, int bits, std::uint64_t value) const {
  if (width <= 64) {
    const std::uint64_t mask = ((bits == 64 ? 0 : std::uint64_t{1} << bits) - 1) << lsb;
    set((get(0, width) & ~mask) | (value << lsb & mask));
    return;
  }
  auto* words = static_cast<std::uint32_t*>(data);
  for (int i = 0; i < bits; ++i) {
    const std::uint32_t bit = std::uint32_t{1} << ((lsb + i) % 32);
    std::uint32_t& word = words[(lsb + i) / 32];
    word = value >> i & 1 ? word | bit : word & ~bit;
  }
}

std::uint64_t RtlMemory::get(std::size_t word, int lsb, int bits) const {
  return RtlSignal{width, static_cast<char*>(data) + word * stride}.get(lsb, bits);
}

struct RtlModel::Library {
  boost::dll::shared_library file;
  void* model = nullptr;
  void (*settle)(void*) = nullptr;
  void (*edge)(void*) = nullptr;
  std::map<std::string, RtlSignal> signals;
  std::map<std::string, RtlMemory> memories;

  template <class Function> Function* get(const char* name) { return &file.get<Function>(name); }
};

RtlModel::RtlModel(const RtlSource& source, const std::function<void(const std::string&)>& progress)
    : library_(std::make_unique<Library>()) {
  Library& lib = *library_;
  lib.file.load(build_rtl(source, progress));
  lib.settle = lib.get<void(void*)>("dt_settle");
  lib.edge = lib.get<void(void*)>("dt_edge");
  const auto signals = lib.get<const Signal*(void*, std::size_t*)>("dt_signals");
  const auto memories = lib.get<const Memory*(void*, std::size_t*)>("dt_memories");
  const auto ended = lib.get<const bool*(void*)>("dt_ended");
  const auto edges = lib.get<const std::uint64_t*(void*)>("dt_edges");
  const std::uint64_t seed = source.reset_seed;
  lib.model = lib.get<void*(int)>("dt_create")(seed ? static_cast<int>((seed - 1) % 0x7fffffff) + 1 : 0);
  ended_ = ended(lib.model);
  edges_ = edges(lib.model);
  std::size_t count = 0;
  const Signal* signal = signals(lib.model, &count);
  for (; count > 0; --count, ++signal)
    lib.signals.insert({signal->name, {signal->width, signal->data}});
  const Memory* memory = memories(lib.model, &count);
  for (; count > 0; --count, ++memory)
    lib.memories.insert({memory->name, {memory->width, memory->depth, memory->stride, memory->data}});
}

RtlModel::~RtlModel() {
  if (library_->model)
    library_->get<void(void*)>("dt_destroy")(library_->model);
}

const RtlSignal& RtlModel::signal(const std::string& path) const {
  const auto found = library_->signals.find(path);
  if (found == library_->signals.end())
    throw ToolError("the RTL has no signal " + path);
  return found->second;
}

const RtlMemory& RtlModel::memory(const std::string& path) const {
  const auto found = library_->memories.find(path);
  if (found == library_->memories.end())
    throw ToolError("the RTL has no memory " + path);
  return found->second;
}

std::vector<std::string> RtlModel::memories() const {
  std::vector<std::string> paths;
  for (const auto& [path, memory] : library_->memories)
    paths.push_back(path);
  return paths;
}

void RtlModel::settle() { library_->settle(library_->model); }

void RtlModel::edge() { library_->edge(library_->model); }

RtlEnding RtlModel::ending() const {
  const Ending& ending = *library_->get<const Ending*(void*)>("dt_ending")(library_->model);
  return {ending.kind, ending.place, ending.message, ending.edge};
}

void RtlModel::open_trace(const std::string& path, std::uint64_t first_cycle, std::uint64_t period) {
  trace_ = path;
  library_->get<void(void*, const char*, std::uint64_t, std::uint64_t)>("dt_open")(
      library_->model, path.c_str(), first_cycle * period, period);
}

void RtlModel::close_trace() {
  if (const int error = library_->get<int(void*)>("dt_close")(library_->model))
    throw ToolError(trace_ + ": cannot be written: " + std::strerror(error));
}

std::string RtlModel::save() {
  std::size_t size = 0;
  const char* data = library_->get<const char*(void*, std::size_t*)>("dt_save")(library_->model, &size);
  return {data, size};
}

void RtlModel::restore(const std::string& state) {
  if (!library_->get<bool(void*, const char*, std::size_t)>("dt_restore")(library_->model, state.data(),
                                                                          state.size()))
    throw ToolError("the state was saved from another RTL model");
}

} // namespace deltatwin
