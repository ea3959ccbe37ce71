#include "cosim/netlist.h"
#include "base/json.h"
#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace deltatwin {
namespace {

using boost::json::object;

// Nets by Yosys's numbers; constants are strings there, and none here.
constexpr std::int64_t no_net = -1;
std::int64_t net_of(const boost::json::value& bit) { return bit.is_int64() ? bit.as_int64() : no_net; }

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// A cell's LUTs: LUT-RAM cells take more than one (UG474).
Resources cell_resources(std::string_view type) {
  const auto is = [&](const char* prefix) { return starts_with(type, prefix); };
  Resources result;
  result.ramb18 = is("RAMB18");
  result.ramb36 = is("RAMB36");
  result.dsp = is("DSP48");
  result.ff = is("FD") || is("LD");
  result.lut_ram = is("RAM32M") || is("RAM64M") || is("RAM128X1D") || is("RAM256X1S") ? 4
                   : is("RAM32X1D") || is("RAM64X1D") || is("RAM128X1S")              ? 2
                   : is("RAM32X1S") || is("RAM64X1S") || is("SRL16") || is("SRLC32")  ? 1
                                                                                      : 0;
  result.lut = result.lut_ram + (is("LUT") || type == "INV");
  return result;
}

using PartIndex = std::optional<std::size_t>;

// Which part a hierarchical name belongs to, by the instance with which it begins.
class Names {
public:
  explicit Names(const std::vector<Part>& parts) {
    for (std::size_t part = 0; part < parts.size(); ++part)
      for (const std::string& instance : parts[part].instances)
        parts_.emplace_back(instance, part);
  }
  [[nodiscard]] PartIndex part_of(std::string_view name) const {
    constexpr std::string_view flattened = "$flatten\\";
    if (starts_with(name, flattened))
      name.remove_prefix(flattened.size());
    for (const auto& [instance, part] : parts_)
      if (starts_with(name, instance) && (name.size() == instance.size() || name[instance.size()] == '.'))
        return part;
    return std::nullopt;
  }

private:
  std::vector<std::pair<std::string_view, std::size_t>> parts_;
};

void take_first(PartIndex& best, PartIndex other) {
  if (other && (!best || *other < *best))
    best = other;
}

class Netlist {
public:
  Netlist(const object& module, const std::vector<Part>& parts) : names_(parts) {
    for (const auto& net : module.at("netnames").as_object()) {
      const std::string_view name(net.key().data(), net.key().size());
      const bool input = name.size() > 2 && name.substr(name.size() - 2) == "_i";
      if (const auto part = input ? std::nullopt : names_.part_of(name))
        for (const auto& bit : net.value().at("bits").as_array())
          take_first(named_[net_of(bit)], part);
    }
    for (const auto& cell : module.at("cells").as_object())
      add(std::string_view(cell.key().data(), cell.key().size()), cell.value().as_object());
  }

  // Each cell's type and part.
  template <class Visit> void for_each_cell(Visit visit) {
    for (std::size_t c = 0; c < cells_.size(); ++c)
      visit(cells_[c].type, part(c));
  }

private:
  struct Cell {
    std::string_view type;
    PartIndex part;
    std::vector<std::int64_t> drives;
    bool settled = false;
  };

  void add(std::string_view name, const object& description) {
    Cell cell;
    const auto& type = description.at("type").as_string();
    cell.type = {type.data(), type.size()};
    cell.part = names_.part_of(name);
    const bool named = cell.part.has_value();
    const object& directions = description.at("port_directions").as_object();
    for (const auto& port : description.at("connections").as_object())
      for (const auto& bit : port.value().as_array()) {
        const std::int64_t net = net_of(bit);
        if (net == no_net)
          continue;
        if (directions.at(port.key()) == "input") {
          loads_[net].push_back(cells_.size());
          continue;
        }
        cell.drives.push_back(net);
        if (const auto found = named_.find(net); !named && found != named_.end())
          take_first(cell.part, found->second);
      }
    cell.settled = cell.part.has_value();
    cells_.push_back(std::move(cell));
  }

  PartIndex part(std::size_t index) {
    Cell& cell = cells_[index];
    if (cell.settled)
      return cell.part;
    cell.settled = true; // before the walk: a loop of unnamed cells ends here
    for (const std::int64_t net : cell.drives)
      for (const std::size_t load : loads_[net])
        take_first(cell.part, part(load));
    return cell.part;
  }

  Names names_;
  std::unordered_map<std::int64_t, PartIndex> named_;
  std::unordered_map<std::int64_t, std::vector<std::size_t>> loads_;
  std::vector<Cell> cells_;
};

} // namespace

std::vector<Resources> count_cells(const std::string& text, const std::string& origin,
                                   const std::string& module, const std::vector<Part>& parts) {
  const boost::json::value document = parse_json(text, origin);
  const object& modules = document.at("modules").as_object();
  const auto rest = static_cast<std::size_t>(
      std::find_if(parts.begin(), parts.end(), [](const Part& part) { return part.instances.empty(); }) -
      parts.begin());
  std::vector<Resources> totals(std::max(parts.size(), rest + 1));
  Netlist netlist(modules.at(module).as_object(), parts);
  netlist.for_each_cell([&](std::string_view type, PartIndex part) {
    Resources& total = totals[part.value_or(rest)];
    const auto* inside = modules.if_contains({type.data(), type.size()});
    if (!inside) {
      total += cell_resources(type);
      return;
    }
    for (const auto& cell : inside->at("cells").as_object()) { // one that synthesis keeps
      const auto& inner = cell.value().at("type").as_string();
      total += cell_resources({inner.data(), inner.size()});
    }
  });
  return totals;
}

} // namespace deltatwin
