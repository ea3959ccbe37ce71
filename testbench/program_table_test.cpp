#include "block_bench.h"
#include "blocks/program_table.h"

using namespace deltatwin;

TEST_CASE(
    "program_table's cursors show every layer's fields, lengths less one, and begin anew after the last") {
  for (const int depth : {1, 2, 16}) {
    CAPTURE(depth);
    PinBench pins("program_table", {{"MaxLayers", depth}},
                  {"prog_we_i", "restart_i", "issue_next_i", "sum_next_i"});
    RandomWork random(base_seed());
    for (int i = 0; i < repeats(20); ++i) {
      std::vector<std::uint32_t> words;
      for (int word = 0; word < 2 * depth; ++word) {
        words.push_back(static_cast<std::uint32_t>(random.word(32)));
        pins.set("prog_we_i", 1);
        pins.set("prog_addr_i", static_cast<std::uint64_t>(word));
        pins.set("prog_data_i", words.back());
        pins.settle();
        pins.edge();
      }
      pins.set("prog_we_i", 0);
      const std::vector<LayerDescriptor> layers = read_table(words);
      const auto bits = [&words](int layer, int word, int lsb,
                                 int width) { // by the contract, without the model
        return words[static_cast<std::size_t>(2 * layer + word)] >> lsb & ((1u << width) - 1);
      };
      const auto less_one = [](std::uint64_t length) { return (length - 1) & 0x1fff; };
      const int count = random.in(1, depth);
      int issue = 0, sum = 0;
      bool restart = true;
      for (int cycle = 0; cycle < 60; ++cycle) {
        const bool issue_next = !restart && random.in(0, 1), sum_next = !restart && random.in(0, 1);
        pins.set("restart_i", restart);
        pins.set("layers_i", restart ? static_cast<std::uint64_t>(count) : random.word(8));
        pins.set("issue_next_i", issue_next);
        pins.set("sum_next_i", sum_next);
        pins.settle();
        const int ahead = restart || issue + 1 == count ? 0 : issue + 1;
        CAPTURE(count, cycle, issue, sum);
        REQUIRE(pins.get("ahead_layer_o") == static_cast<std::uint64_t>(ahead));
        REQUIRE(pins.get("ahead_outputs_o") == less_one(bits(ahead, 0, 13, 13)));
        REQUIRE(pins.get("ahead_huffman_o") == bits(ahead, 0, 29, 1));
        if (!restart) {
          const LayerDescriptor& shown = layers[static_cast<std::size_t>(issue)];
          REQUIRE(pins.get("last_layer_o") == static_cast<std::uint64_t>(count - 1));
          REQUIRE(pins.get("issue_layer_o") == static_cast<std::uint64_t>(issue));
          REQUIRE(pins.get("issue_first_o") == (issue == 0));
          REQUIRE(pins.get("issue_last_o") == (issue + 1 == count));
          const std::pair<const char*, std::pair<std::uint64_t, std::uint64_t>> fields[] = {
              {"issue_inputs_o",
               {less_one(bits(issue, 0, 0, 13)), less_one(static_cast<std::uint64_t>(shown.inputs))}},
              {"issue_outputs_o",
               {less_one(bits(issue, 0, 13, 13)), less_one(static_cast<std::uint64_t>(shown.outputs))}},
              {"issue_block_o",
               {less_one(bits(issue, 1, 0, 13)), less_one(static_cast<std::uint64_t>(shown.block_length))}},
              {"issue_activation_o", {bits(issue, 0, 26, 2), static_cast<std::uint64_t>(shown.activation)}},
              {"issue_consecutive_o", {bits(issue, 0, 28, 1), shown.consecutive}},
              {"issue_huffman_o", {bits(issue, 0, 29, 1), shown.huffman}},
              {"issue_shift_o", {bits(issue, 1, 13, 3), static_cast<std::uint64_t>(shown.delta_shift)}},
              {"sum_outputs_o",
               {less_one(bits(sum, 0, 13, 13)),
                less_one(static_cast<std::uint64_t>(layers[static_cast<std::size_t>(sum)].outputs))}},
              {"sum_activation_o",
               {bits(sum, 0, 26, 2),
                static_cast<std::uint64_t>(layers[static_cast<std::size_t>(sum)].activation)}},
              {"sum_shift_o",
               {bits(sum, 1, 16, 5),
                static_cast<std::uint64_t>(layers[static_cast<std::size_t>(sum)].shift)}},
          };
          for (const auto& [pin, expected] : fields) {
            CAPTURE(pin);
            REQUIRE(pins.get(pin) == expected.first);
            REQUIRE(expected.second == expected.first);
          }
          REQUIRE(pins.get("sum_odd_o") == static_cast<std::uint64_t>(sum % 2));
          REQUIRE(pins.get("sum_last_o") == (sum + 1 == count));
        }
        pins.edge();
        restart = false;
        if (issue_next)
          issue = ahead;
        if (sum_next)
          sum = sum + 1 == count ? 0 : sum + 1;
      }
    }
  }
}
