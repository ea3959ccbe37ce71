#include "cosim/wave_files.h"
#include "base/cache.h"
#include "base/file.h"
#include "base/tool.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

bool is_axi_lite(const Interface& interface) {
  const char* const channels[] = {"aw", "w", "b", "ar", "r"};
  return std::find(std::begin(channels), std::end(channels), interface.name) != std::end(channels);
}

void move_into_place(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    throw ToolError(to + ": cannot be written: " + error.message());
}

} // namespace

std::string view_text(const std::string& waves, const WaveView& view) {
  constexpr double pixels_per_cycle = 24;
  constexpr Cycle before_marker = 20;
  const double period = static_cast<double>(view.window.period_ps);
  const Cycle from = view.marker && *view.marker > view.window.first + before_marker
                         ? *view.marker - before_marker
                         : view.window.first;
  std::ostringstream text;
  text << "[dumpfile] \"" << fs::absolute(waves).string() << "\"\n[timestart] "
       << from * view.window.period_ps << "\n[size] 1400 900\n*"
       << -std::log2(std::max(period / pixels_per_cycle, 1.0)) << " ";
  if (view.marker)
    text << *view.marker * view.window.period_ps;
  else
    text << -1;
  for (int named = 0; named < 26; ++named) // the other markers
    text << " -1";
  text << "\n[sst_expanded] 0\n[signals_width] 260\n";
  std::map<std::string, int> widths = signal_widths(view.interfaces); // of those still to be shown, once each
  const auto signal = [&](const std::string& stem, const std::string& format) {
    const auto found = widths.find(stem);
    if (found == widths.end())
      return std::string();
    const std::string name =
        stem + (found->second > 1 ? "[" + std::to_string(found->second - 1) + ":0]" : "");
    widths.erase(found);
    return format + "[color] 2\n+{model " + name + "} model." + view.module + "." + name + "\n" + format +
           "[color] 3\n+{rtl " + name + "} rtl.TOP." + view.module + "." + name + "\n";
  };
  if (!view.notes.empty())
    text << "@200\n-what it is\n";
  for (const WaveNote& note : view.notes)
    text << (note.width ? "@24\n" : "@20\n") << "[color] 6\nmodel." << view.module << "." << note.signal
         << (note.width > 1 ? "[" + std::to_string(note.width - 1) + ":0]" : "") << "\n";
  for (const bool axi_lite : {false, true})
    for (const Interface& interface : view.interfaces) {
      if (is_axi_lite(interface) != axi_lite)
        continue;
      std::string signals;
      for (const Field& strobe : interface.strobes)
        signals += signal(strobe.signal, "@28\n");
      for (const Field& field : interface.fields)
        signals += signal(field.signal, "@22\n");
      if (!signals.empty())
        text << "@200\n-" << interface.name << "\n" << signals;
    }
  return text.str();
}

bool write_wave_files(const std::string& stem, const WaveView& view,
                      const std::function<void(const std::string&)>& write) {
  const WorkDirectory work = WorkDirectory::beside(stem);
  const std::string vcd = work.path() + "/waves.vcd", fst = work.path() + "/waves.fst",
                    save_file = work.path() + "/waves.gtkw";
  write(vcd);
  const bool has_fst = convert_to_fst(vcd, fst);
  write_file(save_file, view_text(stem + (has_fst ? ".fst" : ".vcd"), view));
  move_into_place(vcd, stem + ".vcd");
  if (has_fst)
    move_into_place(fst, stem + ".fst");
  move_into_place(save_file, stem + ".gtkw");
  return has_fst;
}

} // namespace deltatwin
