#pragma once
#include "base/resources.h"
#include "blocks/huffman_decoder.h"
#include "blocks/program_table.h"
#include <algorithm>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `huffman_weights`: all coded banks, with their decoders and code books.
struct HuffmanWeightsConfig {
  int lanes = 16;         ///< 1..255, each with its own stream of 36-bit words
  int lanes_per_bank = 4; ///< 1..4
  int delta_bits = 4;     ///< D, 1..8
  int bank_depth = 2048;  ///< words of a bank
  int max_layers = 4;     ///< code books, a power of two up to 16
  int symbol_deltas = 1;  ///< 2: a symbol is a pair of deltas
  int symbol_depth = 128; ///< with pairs: entries of a decoder's symbol table, all layers' behind another

  [[nodiscard]] int banks() const { return (lanes + lanes_per_bank - 1) / lanes_per_bank; }
  [[nodiscard]] int symbol_bits() const { return symbol_deltas * delta_bits; }
  /// Turns at a bank's read port.
  [[nodiscard]] int turns() const { return std::max(lanes_per_bank, 2); }
};

/// Where a lane's stream lies in its bank.
struct StreamBounds {
  std::uint32_t first = 0, last = 0; ///< word addresses
};

/// Words that a bank's addresses can name, rounded up from its depth.
[[nodiscard]] std::uint32_t bank_addresses(std::size_t depth);
/// The words of a lane's stream, first to last, around the end of the bank's address space; beyond
/// the bank's depth they are 0.
[[nodiscard]] std::vector<std::uint64_t> read_stream(const std::vector<std::uint64_t>& bank,
                                                     const StreamBounds& bounds);

/// Whose word is read: the lanes of a bank take turns, all banks in step. A word is offered to its
/// lane's decoder a cycle after its turn.
class ReadTurns {
public:
  explicit ReadTurns(int turns) : turns_(turns) {}
  /// Held in reset up to `first`, which is lane 0's turn.
  void reset(Cycle first) { before_ = never, first_ = first; }
  /// It is lane 0's turn in `first`, whatever came before.
  void restart(Cycle first) { before_ = first_, first_ = first; }
  /// The first cycle from `from` on in which a lane of a bank is offered a word.
  [[nodiscard]] Cycle offer(int lane_of_bank, Cycle from) const;

private:
  [[nodiscard]] int turn(Cycle cycle) const;
  int turns_;
  Cycle before_ = never, first_ = 0; ///< cycles of a turn of lane 0: before the restart, and from it on
};

/// The decoders of all lanes at their banks, beat by beat: when each takes which word.
class BankDecoders {
public:
  explicit BankDecoders(const HuffmanWeightsConfig& config)
      : lanes_per_bank_(config.lanes_per_bank), turns_(config.turns()) {}
  /// Out of reset in cycle `clean`; a lane's words are the same in every inference.
  void start(std::vector<std::vector<std::uint64_t>> words, Cycle clean);
  /// A slot with a symbol's first delta: the first `active` lanes take one.
  void take(const CodeTable& book, int active, Cycle cycle);
  /// The inference's last slot was in `cycle`: the streams begin anew.
  void end(Cycle cycle);
  /// Calls visit(lane, cycle) for each word beat that became known since the last call.
  template <class Visit> void for_each_new_fetch(Visit visit) {
    for (std::size_t lane = 0; lane < decoders_.size(); ++lane)
      for (std::size_t& next = seen_[lane]; next < decoders_[lane].accepted().size(); ++next)
        if (const Cycle cycle = decoders_[lane].accepted()[next]; cycle < decoders_[lane].failed_from())
          visit(lane, cycle);
  }

  template <class Archive> void archive(Archive& bytes) {
    bytes(turns_, words_, decoders_, seen_);
    if constexpr (Archive::restores)
      for (std::size_t lane = 0; lane < decoders_.size(); ++lane)
        decoders_[lane].offered_by(offer(lane));
  }

private:
  void begin_streams();
  [[nodiscard]] HuffmanDecoderCore::Offer offer(std::size_t lane) const;
  int lanes_per_bank_;
  ReadTurns turns_;
  std::vector<std::vector<std::uint64_t>> words_; ///< [lane]
  std::vector<HuffmanDecoderCore> decoders_;      ///< [lane]
  std::vector<std::size_t> seen_;                 ///< word beats of each lane
};

/// What the decoders make of an inference's streams: the same in every inference.
struct DecodedStreams {
  template <class Archive> void archive(Archive& bytes) { bytes(banks, fault, slot, delay); }

  std::vector<std::vector<std::uint64_t>> banks; ///< [bank][slot], as words of raw deltas
  /// What goes wrong first, the lowest code if in several lanes: raised `delay` cycles after a slot.
  StreamFault fault = StreamFault::none;
  std::size_t slot = 0;
  Cycle delay = 0;
};

/// `books`: one a layer; `lane_words`: each lane's stream.
[[nodiscard]] DecodedStreams decode_streams(const HuffmanWeightsConfig& config,
                                            const std::vector<LayerDescriptor>& layers,
                                            const std::vector<CodeTable>& books,
                                            const std::vector<std::vector<std::uint64_t>>& lane_words);

/// What all coded banks take, with their decoders and code books.
[[nodiscard]] Resources huffman_weights_resources(const HuffmanWeightsConfig& config);

} // namespace deltatwin
