#include "cosim/waves.h"
#include "base/error.h"
#include "base/file.h"
#include <algorithm>
#include <boost/process.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

namespace deltatwin {
namespace {

// A signal of the VCD; several interfaces may share one (a strobe, parts of a vector).
struct Wave {
  int width = 0;
  std::string value;
  [[nodiscard]] char& bit(int index) { return value[static_cast<std::size_t>(width - 1 - index)]; }
};

// A VCD in two parts: declarations inside its outermost scopes, and changes by time.
struct Vcd {
  std::string declarations;
  std::ifstream body;
  std::string line; ///< the next line of the body that is not consumed
  std::uint64_t time = 0;
  bool more = true;

  explicit Vcd(const std::string& path, char prefix) : body(path), prefix_(prefix) {
    if (!body)
      throw InputError(path + ": cannot be read");
    while (std::getline(body, line) && line.find("$enddefinitions") == std::string::npos) {
      std::istringstream words(line);
      std::string word, type, width, id, rest;
      words >> word;
      if (word == "$scope" || word == "$upscope") {
        declarations += line + "\n";
      } else if (word == "$var") {
        words >> type >> width >> id;
        std::getline(words, rest);
        declarations += "$var " + type + " " + width + " " + prefix_ + id + rest + "\n";
      }
    }
    next_time();
  }

  // Copies the changes of the current time.
  void copy(std::ostream& out) {
    while (std::getline(body, line) && line[0] != '#') {
      if (line.empty() || line[0] == '$')
        continue;
      const std::size_t id = line[0] == 'b' || line[0] == 'r' || line[0] == 's' ? line.find(' ') + 1 : 1;
      out << line.substr(0, id) << prefix_ << line.substr(id) << "\n";
    }
    more = static_cast<bool>(body);
    if (more)
      time = std::stoull(line.substr(1));
  }

private:
  void next_time() {
    while ((more = static_cast<bool>(std::getline(body, line))) && (line.empty() || line[0] != '#'))
      ;
    if (more)
      time = std::stoull(line.substr(1));
  }
  char prefix_;
};

// As a change of a VCD says it.
std::string value_of(const WaveNote& note, const WaveNote::Change& change) {
  if (!note.width) {
    std::string text = change.text.empty() ? "-" : change.text;
    for (char& c : text)
      if (c <= ' ' || c > '~')
        c = '_';
    return "s" + text;
  }
  std::string bits = "b";
  for (int bit = note.width; bit-- > 0;)
    bits += static_cast<char>('0' + (change.number >> bit & 1));
  return bits;
}

} // namespace

std::map<std::string, int> signal_widths(const std::vector<Interface>& interfaces) {
  std::map<std::string, int> widths;
  for (const Interface& interface : interfaces)
    for (const auto* fields : {&interface.strobes, &interface.fields})
      for (const Field& field : *fields)
        widths[field.signal] = std::max(widths[field.signal], field.lsb + field.width);
  return widths;
}

void write_beats_vcd(const std::string& path, const std::string& block,
                     const std::vector<Interface>& interfaces, const BeatTrace& beats,
                     const WaveWindow& window, const std::vector<WaveNote>& notes) {
  std::map<std::string, Wave> waves;
  for (const auto& [name, width] : signal_widths(interfaces))
    waves[name].width = width;
  std::ostringstream out;
  out << "$timescale 1ps $end\n$scope module " << block << " $end\n$var wire 1 clk clk_i $end\n";
  for (auto& [name, wave] : waves) {
    out << "$var wire " << wave.width << " " << name << " " << name
        << (wave.width > 1 ? " [" + std::to_string(wave.width - 1) + ":0]" : "") << " $end\n";
    wave.value.assign(static_cast<std::size_t>(wave.width), '0');
  }
  for (const WaveNote& note : notes)
    out << "$var " << (note.width ? "wire " + std::to_string(note.width) : "string 1") << " " << note.signal
        << " " << note.signal << (note.width > 1 ? " [" + std::to_string(note.width - 1) + ":0]" : "")
        << " $end\n";
  out << "$upscope $end\n$enddefinitions $end\n";
  std::map<std::string, std::string> shown;
  std::vector<std::size_t> next(interfaces.size()), next_note(notes.size(), 0);
  for (std::size_t i = 0; i < interfaces.size(); ++i)
    next[i] = static_cast<std::size_t>(
        std::lower_bound(beats.beats[i].begin(), beats.beats[i].end(), window.first,
                         [](const Beat& beat, Cycle cycle) { return beat.cycle < cycle; }) -
        beats.beats[i].begin());
  for (Cycle cycle = window.first; cycle <= window.last; ++cycle) {
    for (const Interface& interface : interfaces)
      for (const Field& strobe : interface.strobes)
        waves[strobe.signal].bit(strobe.lsb) = '0';
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
      if (next[i] == beats.beats[i].size() || beats.beats[i][next[i]].cycle != cycle)
        continue;
      const std::uint64_t payload = beats.beats[i][next[i]++].payload;
      for (const Field& strobe : interfaces[i].strobes)
        waves[strobe.signal].bit(strobe.lsb) = '1';
      int lsb = 0;
      for (const Field& field : interfaces[i].fields) {
        Wave& wave = waves[field.signal];
        for (int bit = 0; bit < field.width; ++bit)
          wave.bit(field.lsb + bit) = static_cast<char>('0' + (payload >> (lsb + bit) & 1));
        lsb += field.width;
      }
    }
    out << "#" << cycle * window.period_ps << "\n1clk\n";
    for (const auto& [name, wave] : waves)
      if (auto& last = shown[name]; last != wave.value) {
        out << (wave.width == 1 ? wave.value : "b" + wave.value + " ") << name << "\n";
        last = wave.value;
      }
    for (std::size_t n = 0; n < notes.size(); ++n) {
      const std::vector<WaveNote::Change>& changes = notes[n].changes;
      const std::size_t before = next_note[n];
      while (next_note[n] < changes.size() && changes[next_note[n]].cycle <= cycle)
        ++next_note[n];
      if (next_note[n] == before)
        continue;
      std::string value = value_of(notes[n], changes[next_note[n] - 1]);
      if (std::string& last = shown[notes[n].signal]; last != value)
        out << (last = std::move(value)) << " " << notes[n].signal << "\n";
    }
    out << "#" << cycle * window.period_ps + window.period_ps / 2 << "\n0clk\n";
  }
  write_file(path, out.str());
}

void merge_vcds(const std::string& model, const std::string& rtl, const std::string& output) {
  Vcd vcds[] = {Vcd(model, 'm'), Vcd(rtl, 'r')};
  const std::string partial = output + ".part";
  std::ofstream out(partial);
  out << "$timescale 1ps $end\n$scope module model $end\n"
      << vcds[0].declarations << "$upscope $end\n$scope module rtl $end\n"
      << vcds[1].declarations << "$upscope $end\n$enddefinitions $end\n";
  while (vcds[0].more || vcds[1].more) {
    const std::uint64_t time = !vcds[1].more   ? vcds[0].time
                               : !vcds[0].more ? vcds[1].time
                                               : std::min(vcds[0].time, vcds[1].time);
    out << "#" << time << "\n";
    for (Vcd& vcd : vcds)
      if (vcd.more && vcd.time == time)
        vcd.copy(out);
  }
  out.close();
  if (!out || std::rename(partial.c_str(), output.c_str()) != 0) {
    std::remove(partial.c_str());
    throw InputError(output + ": cannot be written");
  }
}

bool convert_to_fst(const std::string& vcd, const std::string& fst) {
  namespace process = boost::process;
  const auto program = process::search_path("vcd2fst");
  const std::string partial = fst + ".part";
  const bool made =
      !program.empty() && process::system(program, vcd, partial, process::std_out > process::null,
                                          process::std_err > process::null) == 0;
  return made && std::rename(partial.c_str(), fst.c_str()) == 0;
}

} // namespace deltatwin
