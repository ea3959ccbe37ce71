#include "app/storage.h"
#include "app/options.h"
#include "base/huffman.h"
#include <cstdio>
#include <numeric>

namespace deltatwin {

Storage::Storage(const Network& network, const Design& design, const Program& program)
    : weights(network.weight_count()), stored_bits(network.stored_bits()),
      uncoded_bits(network.weight_bits()), lane_bits(static_cast<std::size_t>(design.lanes)),
      bank_depth(design.bank_depth), lanes_per_bank(design.lanes_per_bank) {
  for (const Layer& layer : network.layers) {
    entropy_bits += deltatwin::entropy_bits(layer.histogram());
    code_bits += layer.code_bits();
  }
  for (const auto& layer : stream_bits(network, design.lanes, design.delta_bits, design.symbol_deltas))
    for (std::size_t lane = 0; lane < lane_bits.size(); ++lane)
      lane_bits[lane] += layer[lane];
  for (const StreamBounds& stream : program.streams)
    lane_words.push_back(static_cast<int>(stream.last - stream.first) + 1);
  for (const auto& bank : program.banks)
    bank_words.push_back(static_cast<int>(bank.size()));
}

double Storage::bits_a_weight() const {
  return static_cast<double>(code_bits) / static_cast<double>(weights);
}
double Storage::entropy_a_weight() const { return entropy_bits / static_cast<double>(weights); }

double Storage::imbalance() const {
  const auto fullest = static_cast<double>(*std::max_element(lane_bits.begin(), lane_bits.end()));
  const auto all = std::accumulate(lane_bits.begin(), lane_bits.end(), std::uint64_t{0});
  return fullest * static_cast<double>(lane_bits.size()) / static_cast<double>(all) - 1;
}

void Storage::print() const {
  const auto line = [](const char* name, const std::string& text) {
    std::printf("  %-22s %s\n", name, text.c_str());
  };
  const auto int8_bits = 8 * weights;
  line("weight storage",
       grouped(stored_bits) + " bits, " +
           fixed(100.0 * static_cast<double>(stored_bits) / static_cast<double>(int8_bits), 1) + " % of " +
           grouped(int8_bits) + " at 8 bits" +
           (lane_words.empty() ? "" : "; without the code " + grouped(uncoded_bits)));
  line("bits a weight", fixed(bits_a_weight(), 3) + " (entropy " + fixed(entropy_a_weight(), 3) + ")");
  const int fullest = *std::max_element(bank_words.begin(), bank_words.end());
  line("weight banks", std::to_string(bank_words.size()) + " of " +
                           grouped(static_cast<std::uint64_t>(bank_depth)) + " words, the fullest uses " +
                           grouped(static_cast<std::uint64_t>(fullest)) + " (" +
                           fixed(100.0 * fullest / bank_depth, 1) + " %)");
  line("weight lanes", "the fullest is " + fixed(100 * imbalance(), 1) + " % above the mean");
  for (std::size_t bank = 0; bank < bank_words.size() && !lane_words.empty(); ++bank) {
    std::string lanes;
    for (std::size_t lane = bank * static_cast<std::size_t>(lanes_per_bank);
         lane < std::min((bank + 1) * static_cast<std::size_t>(lanes_per_bank), lane_words.size()); ++lane)
      lanes += (lanes.empty() ? "" : " + ") + std::to_string(lane_words[lane]);
    line(("  bank " + std::to_string(bank)).c_str(), bar(bank_words[bank], bank_depth) + " " +
                                                         std::to_string(bank_words[bank]) +
                                                         " words: lanes of " + lanes);
  }
}

boost::json::object Storage::json() const {
  return {{"weights", weights},
          {"stored_bits", stored_bits},
          {"uncoded_bits", uncoded_bits},
          {"int8_bits", 8 * weights},
          {"bits_per_weight", bits_a_weight()},
          {"entropy_bits_per_weight", entropy_a_weight()},
          {"bank_depth", bank_depth},
          {"bank_words", boost::json::value_from(bank_words)},
          {"lane_words", boost::json::value_from(lane_words)},
          {"lane_bits", boost::json::value_from(lane_bits)},
          {"lane_imbalance", imbalance()}};
}

} // namespace deltatwin
