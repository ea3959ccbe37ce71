#include "tops/accelerator/session.h"
#include "tops/accelerator/accelerator.h"
#include <type_traits>

namespace deltatwin {

void load_program(Session& session, const Program& program) {
  const auto memory = [&](Memory target, std::size_t bank, const auto& words) {
    if (words.empty())
      return;
    session.write(reg::load_address,
                  static_cast<std::uint32_t>(target) << 28 | static_cast<std::uint32_t>(bank) << 20);
    std::uint64_t high = ~std::uint64_t{0};
    for (const auto& word : words) {
      const auto value =
          static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<std::decay_t<decltype(word)>>>(word));
      if (value >> 32 != high)
        session.write(reg::load_high, static_cast<std::uint32_t>(high = value >> 32));
      session.write(reg::load_data, static_cast<std::uint32_t>(value));
    }
  };
  for (std::size_t bank = 0; bank < program.banks.size(); ++bank)
    memory(Memory::weights, bank, program.banks[bank]);
  memory(Memory::references, 0, program.references);
  memory(Memory::parameters, 0, program.parameters);
  std::vector<std::uint32_t> table;
  for (const LayerDescriptor& layer : program.layers) {
    table.push_back(layer.word(0));
    table.push_back(layer.word(1));
  }
  memory(Memory::program, 0, table);
  memory(Memory::code_books, 0, program.code_lengths);
  std::vector<std::uint32_t> bounds;
  for (const StreamBounds& stream : program.streams) {
    bounds.push_back(stream.first);
    bounds.push_back(stream.last);
  }
  memory(Memory::streams, 0, bounds);
  session.write(reg::layers, static_cast<std::uint32_t>(program.layers.size()));
}

void run_images(Session& session, const std::vector<std::int8_t>& inputs, int images) {
  session.write(reg::images, static_cast<std::uint32_t>(images));
  session.write(reg::control, control_start);
  HostAction& stream = session.add(HostAction::stream);
  stream.values.assign(inputs.begin(), inputs.end());
  stream.tlast.assign(inputs.size(), 0);
  const std::size_t length = inputs.size() / static_cast<std::size_t>(images);
  for (std::size_t i = length; i <= inputs.size(); i += length)
    stream.tlast[i - 1] = 1;
  session.add(HostAction::wait_stop);
  for (const std::uint32_t address : {reg::status, reg::cycles_lo, reg::cycles_hi, reg::inferences})
    session.read(address);
}

} // namespace deltatwin
