#include "cosim/netlist.h"
#include "base/json.h"
#include <algorithm>
#include <map>
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

// The block whose instance a hierarchical name begins with.
std::optional<Block> block_of(std::string_view name) {
  static const std::map<std::string_view, Block> instances = {
      {"u_scheduler", Block::scheduler},    {"u_control", Block::axi_control},
      {"gen_huffman", Block::huffman_bank}, {"gen_words", Block::weight_bank},
      {"u_mac", Block::delta_mac},          {"u_requantizer", Block::requantizer},
      {"u_input", Block::buffers},          {"u_activation", Block::buffers},
      {"u_reference", Block::buffers},      {"u_parameter", Block::buffers},
      {"u_output", Block::output_fifo}};
  constexpr std::string_view flattened = "$flatten\\";
  if (starts_with(name, flattened))
    name.remove_prefix(flattened.size());
  const auto found = instances.find(name.substr(0, name.find('.')));
  return found == instances.end() ? std::nullopt : std::optional<Block>(found->second);
}

void take_first(std::optional<Block>& best, std::optional<Block> other) {
  if (other && (!best || *other < *best))
    best = other;
}

class Netlist {
public:
  explicit Netlist(const object& module) {
    for (const auto& net : module.at("netnames").as_object()) {
      const std::string_view name(net.key().data(), net.key().size());
      const bool input = name.size() > 2 && name.substr(name.size() - 2) == "_i";
      if (const auto block = input ? std::nullopt : block_of(name))
        for (const auto& bit : net.value().at("bits").as_array())
          take_first(named_[net_of(bit)], block);
    }
    for (const auto& cell : module.at("cells").as_object())
      add(std::string_view(cell.key().data(), cell.key().size()), cell.value().as_object());
  }

  // Each cell's type and block.
  template <class Visit> void for_each_cell(Visit visit) {
    for (std::size_t c = 0; c < cells_.size(); ++c)
      visit(cells_[c].type, block(c).value_or(Block::accelerator));
  }

private:
  struct Cell {
    std::string_view type;
    std::optional<Block> block;
    std::vector<std::int64_t> drives;
    bool settled = false;
  };

  void add(std::string_view name, const object& description) {
    Cell cell;
    const auto& type = description.at("type").as_string();
    cell.type = {type.data(), type.size()};
    cell.block = block_of(name);
    const bool named = cell.block.has_value();
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
          take_first(cell.block, found->second);
      }
    cell.settled = cell.block.has_value();
    cells_.push_back(std::move(cell));
  }

  std::optional<Block> block(std::size_t index) {
    Cell& cell = cells_[index];
    if (cell.settled)
      return cell.block;
    cell.settled = true; // before the walk: a loop of unnamed cells ends here
    for (const std::int64_t net : cell.drives)
      for (const std::size_t load : loads_[net])
        take_first(cell.block, block(load));
    return cell.block;
  }

  std::unordered_map<std::int64_t, std::optional<Block>> named_;
  std::unordered_map<std::int64_t, std::vector<std::size_t>> loads_;
  std::vector<Cell> cells_;
};

} // namespace

BlockResources count_cells(const std::string& text, const std::string& origin) {
  const boost::json::value document = parse_json(text, origin);
  const object& modules = document.at("modules").as_object();
  BlockResources blocks;
  Netlist(modules.at("accelerator").as_object()).for_each_cell([&](std::string_view type, Block block) {
    Resources& total = blocks[static_cast<std::size_t>(block)];
    const auto* module = modules.if_contains({type.data(), type.size()});
    if (!module) {
      total += cell_resources(type);
      return;
    }
    for (const auto& cell : module->at("cells").as_object()) { // one that synthesis keeps
      const auto& inner = cell.value().at("type").as_string();
      total += cell_resources({inner.data(), inner.size()});
    }
  });
  return blocks;
}

} // namespace deltatwin
