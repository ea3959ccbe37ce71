#pragma once
#include "base/trace.h"
#include "blocks/histogram.h"
#include "tops/codec/config.h"
#include "tops/top.h"
#include <array>
#include <deque>
#include <string>
#include <vector>

namespace deltatwin {

/// The codec, cycle for cycle; rtl/codec.sv has the contract. A block's whole way is computed when
/// its last symbol is taken, block by block: what happens to it depends on earlier ones alone.
class CodeTable;

class CodecCore : public TopModel {
public:
  explicit CodecCore(const CodecConfig& config);

  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) override;
  [[nodiscard]] ReadResult read(std::uint32_t address, Cycle cycle) const override;
  std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                    std::vector<Cycle>* taken) override;
  void set_sink(std::size_t stream, OutputSink sink) override;
  void hard_reset(Cycle cycle) override;
  [[nodiscard]] Cycle stop_cycle() const override;
  void record(BeatTrace* trace) override { trace_ = trace; }
  [[nodiscard]] std::vector<MemoryImage> memories() const override;
  [[nodiscard]] std::string save() const override;
  void restore(const std::string& state) override;
  template <class Archive> void archive(Archive& bytes) {
    bytes(now_, before_, pipe_, input_free_, symbols_, taken_, runs_);
  }

  /// The interfaces whose beats are recorded, those of AXI4-Lite first, which the host records.
  [[nodiscard]] static std::vector<Interface> interfaces(const CodecConfig& config);

private:
  // What the registers tell of a block.
  struct Block {
    Cycle first_in, encoded, out; ///< beats of its first symbol in, its last one coded, its last one out
    Cycle busy;                   ///< until then, in which a block or a part of one was inside
    std::uint32_t bits;
  };
  // What happened from one reset to the next.
  struct Epoch {
    Cycle begin = 0; ///< the reset's first cycle: reads up to it still see the epoch before
    std::vector<Block> blocks;
    Cycle open = never; ///< the first symbol's beat of a block that is not whole
    CodecError error = CodecError::none;
    Cycle error_at = never;
    std::array<std::uint32_t, codec_sizes> sizes{}; ///< at its begin
    [[nodiscard]] std::size_t encoded_before(Cycle cycle) const;
    [[nodiscard]] std::size_t left_before(Cycle cycle) const;
    [[nodiscard]] std::uint32_t size(unsigned index, Cycle cycle) const;
    [[nodiscard]] std::uint32_t status(Cycle cycle) const;
    [[nodiscard]] Cycle busy(std::size_t left, Cycle first_in, Cycle until) const;
    [[nodiscard]] std::uint32_t cycles(Cycle cycle) const;
    template <class Archive> void archive(Archive& bytes) {
      bytes(begin, blocks, open, error, error_at, sizes);
    }
  };
  // A block's symbols on their way to the encoder, one per cycle.
  struct Run {
    std::uint64_t first; ///< number of its first symbol since the reset
    Cycle beat;          ///< of that symbol
  };
  // The latest events of the interior, by what later ones wait for.
  struct Pipe {
    HistogramCore histogram;
    Cycle builder_free = 0;         ///< takes counts
    Cycle book_free = 0;            ///< takes lengths
    Cycle encoder_free = 0;         ///< nothing is begun any more
    Cycle encoder_ready = 0;        ///< takes the next block's first symbol
    Cycle released[2] = {0, 0};     ///< a half of the store is free: the next block's, the other one
    Cycle decoded = 0;              ///< the latest block's last symbol is taken from the decoder; 0: none
    std::array<Cycle, 4> credits{}; ///< by symbol: from when it may be taken from the decoder
    std::uint64_t sent = 0;         ///< symbols since the reset
    explicit Pipe(int symbols) : histogram(symbols) {}
  };

  void reset(Cycle cycle);
  [[nodiscard]] Cycle room(std::uint64_t symbol);
  void finish_block();
  struct Coded;
  [[nodiscard]] Cycle build(std::vector<int>& lengths);
  void record_table(const CodeTable& table, Cycle first);
  [[nodiscard]] Coded encode(const CodeTable& table, Cycle from);
  [[nodiscard]] Cycle decode(const CodeTable& table, const Coded& coded);
  void add(std::size_t interface, Cycle cycle, std::uint64_t payload);

  CodecConfig config_;
  OutputSink sink_;
  BeatTrace* trace_ = nullptr;

  Epoch now_, before_;
  Pipe pipe_;
  Cycle input_free_ = 0;              ///< of the next symbol
  std::vector<std::uint8_t> symbols_; ///< of the block that comes in
  std::uint64_t taken_ = 0;           ///< symbols since the reset
  std::deque<Run> runs_;              ///< those that later symbols may wait for
};

} // namespace deltatwin
