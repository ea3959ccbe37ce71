#pragma once
#include "base/trace.h"
#include "blocks/channel_decoder.h"
#include "blocks/channel_store.h"
#include "blocks/edqa_dequantizer.h"
#include "blocks/huffman_encoder.h"
#include "tops/edqa/beat_runs.h"
#include "tops/edqa/config.h"
#include "tops/top.h"
#include <array>
#include <string>
#include <vector>

namespace deltatwin {

/// The eDQA accelerator, cycle for cycle; rtl/edqa.sv and rtl/edqa_lane.sv have the contract. Values are
/// followed one by one through queues of known depth; what happens to a channel depends on earlier ones
/// alone, so that its whole way is computed when its last value is taken, and in the modes with static
/// scales, where values do not wait for that, its way into the store when each of them is.
class EdqaCore : public TopModel {
public:
  explicit EdqaCore(const EdqaConfig& config);

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
    bytes(tables_, registers_, old_registers_, registers_since_, books_, entries_, now_, before_, pipe_);
  }

  /// The interfaces whose beats are recorded, those of AXI4-Lite first, which the host records.
  [[nodiscard]] static std::vector<Interface> interfaces(const EdqaConfig& config);

private:
  static constexpr std::size_t output_depth = 16; ///< values between their takes and their beats
  static constexpr std::size_t most_channels = 16;

  // What hosts write, and no reset clears.
  struct Tables {
    std::array<std::uint32_t, edqa_entries> scales{};
    std::array<std::uint8_t, edqa_entries> direct{}, book_of{};
    std::array<std::array<std::uint8_t, edqa_entries>, 8> lengths{};
  };
  struct Registers {
    EdqaSettings settings;
    Cycle ready_from = never;
  };
  struct Injection {
    bool armed = false;
    unsigned bit = 0, word = 0;
  };

  // What the registers tell of a group.
  struct Group {
    Cycle first_in, last_in, out; ///< beats
    Cycle busy;                   ///< until then, in which a group or a part of one was inside
  };
  struct Size {
    Cycle encoded;
    std::uint32_t bits;
    int row;
  };
  struct Span {
    Cycle from, until;
  };
  // What happened from one reset to the next.
  struct Epoch {
    Cycle begin = 0; ///< the reset's first cycle: reads up to it still see the epoch before
    std::vector<Group> groups;
    std::size_t started = 0;  ///< groups before the latest START
    Cycle open = never;       ///< the first value's beat of a group that is not whole
    std::vector<Span> builds; ///< of static books
    EdqaError error = EdqaError::none;
    StreamFault fault = StreamFault::none;
    Cycle error_at = never;
    std::array<Cycle, 5> flags{never, never, never, never, never}; ///< when each was seen
    std::vector<std::vector<Size>> sizes;                          ///< by lane
    std::array<std::uint32_t, edqa_entries> old_sizes{};           ///< at its begin
    [[nodiscard]] std::size_t left_before(Cycle cycle) const;
    [[nodiscard]] bool running(Cycle cycle) const;
    [[nodiscard]] std::uint32_t size(int entry, int lane_bits, Cycle cycle) const;
    [[nodiscard]] Cycle busy(std::size_t left, Cycle first_in, Cycle until) const;
    [[nodiscard]] std::uint32_t cycles(Cycle cycle) const;
    template <class Archive> void archive(Archive& bytes) {
      bytes(begin, groups, started, open, builds, error, fault, error_at, flags, sizes, old_sizes);
    }
  };

  // A lane: the latest events, by what later ones wait for, and the channel that comes in.
  struct Lane {
    explicit Lane(const EdqaConfig& config);
    BeatRuns popped, encoded, taken;          ///< of values
    std::array<Cycle, 4> begun{};             ///< by number of the channel
    std::array<Cycle, most_channels> ended{}; ///< its last take
    Cycle quantized = 0;                      ///< the latest channel's last pop
    std::array<Cycle, 2> counted{};           ///< last counts, by number of the coded channel
    std::uint64_t coded = 0;                  ///< coded channels since START
    Cycle builder_free = 0, book_free = 0;
    Cycle last_encoded = 0;
    EncoderTiming encoder;
    BitPacker packer;
    ChannelStoreTiming store;
    ChannelDecoderCore decoder;
    Cycle decoded = 0;    ///< the latest take
    bool stopped = false; ///< nothing is taken any more

    // The channel that comes in.
    std::uint32_t maximum = 0;
    bool direct = false, unfinished = false; ///< it is never whole, or has a value without a code
    std::vector<EdqaMagnitude> values;
    std::vector<std::int16_t> quantities; ///< v
    std::vector<std::uint64_t> words;
    std::uint32_t bits = 0;
    bool flipped = false;
    CodeTable book; ///< its own
    Cycle book_ready = 0;
    unsigned slot = 0; ///< of its book

    std::vector<std::uint64_t> waiting; ///< words that the decoder has not accepted
    std::size_t accepted = 0;           ///< of them

    template <class Archive> void archive(Archive& bytes) {
      bytes(popped, encoded, taken, begun, ended, quantized, counted, coded, builder_free, book_free,
            last_encoded, encoder, packer, store, decoder, decoded, stopped, maximum, direct, unfinished,
            values, quantities, words, bits, flipped, book, book_ready, slot, waiting, accepted);
    }
  };
  struct Pipe {
    explicit Pipe(const EdqaConfig& config);
    std::vector<Lane> lanes;
    Cycle input_free = 0;                   ///< of the next value
    std::uint64_t values = 0;               ///< that were taken
    std::uint64_t channels = 0;             ///< whole groups that were taken
    std::vector<Cycle> beats;               ///< of the group that comes in
    std::array<Cycle, output_depth> outs{}; ///< by number of the value: when it left
    Cycle code_stop = never;                ///< no encode beats after it
    Cycle take_stop = never;                ///< no takes after it
    Injection injection;
    template <class Archive> void archive(Archive& bytes) {
      for (Lane& lane : lanes)
        bytes(lane);
      bytes(input_free, values, channels, beats, outs, code_stop, take_stop, injection);
    }
  };
  [[nodiscard]] static Cycle after(Cycle cycle) { return cycle == never ? never : cycle + 1; }
  // The cycle after the beat of the value whose place in a queue value `number` takes.
  [[nodiscard]] static Cycle behind(const BeatRuns& beats, std::uint64_t number, int depth) {
    const auto places = static_cast<std::uint64_t>(depth);
    return number < places ? 0 : after(beats.at(number - places));
  }
  [[nodiscard]] static Cycle behind(Cycle event, bool is_there) { return is_there ? after(event) : 0; }
  [[nodiscard]] const Registers& registers(Cycle cycle) const {
    return cycle > registers_since_ ? registers_ : old_registers_;
  }
  void set(const Registers& registers, Cycle cycle);
  void reset(Cycle cycle);
  bool write_idle(std::uint32_t address, std::uint32_t data, Cycle cycle);
  bool write_table(std::uint32_t address, std::uint32_t data);
  void start(Cycle cycle);
  void take_back(Cycle cycle);
  void fail(EdqaError error, Cycle cycle, StreamFault fault = StreamFault::none);
  void flag(unsigned flags, unsigned first, Cycle cycle);
  [[nodiscard]] Cycle room(const Lane& lane) const;
  // A group that nothing holds up, at once: burst.cpp.
  struct Burst;
  struct Run {
    std::size_t first;
    Cycle cycle;
  };
  struct Queue {
    const BeatRuns* left; ///< when values left it
    std::uint64_t places;
  };
  [[nodiscard]] std::vector<Run> runs_behind(const std::vector<Queue>& queues, std::size_t count,
                                             Cycle cycle) const;
  [[nodiscard]] static Cycle last_of(const std::vector<Run>& runs, std::size_t count);
  [[nodiscard]] std::size_t offer_group(const StreamBurst& burst, std::size_t first, Cycle beat,
                                        std::vector<Cycle>* taken);
  [[nodiscard]] bool plan(std::size_t lane, Burst& burst);
  void mark(Burst& burst, const CodeTable* books) const;
  void store(std::size_t lane, Burst& burst);
  [[nodiscard]] std::vector<std::uint8_t> dequantized(const std::vector<Burst>& bursts) const;
  void decode_burst(std::size_t lane, const Burst& burst, const std::vector<Cycle>& outs);
  [[nodiscard]] bool is_coded(const Lane& lane) const;
  [[nodiscard]] int entry(std::size_t lane) const;
  void take(std::size_t lane, std::uint32_t value, Cycle beat, bool last);
  void finish_group();
  void quantize_paper(std::size_t lane);
  void quantized(std::size_t lane, int v, Cycle cycle, bool last);
  void encode(std::size_t lane, std::size_t index, Cycle offered, bool last,
              const std::vector<CodeEntry>* entries, unsigned book);
  [[nodiscard]] unsigned symbol(int v) const;
  [[nodiscard]] unsigned context(unsigned above) const;
  [[nodiscard]] bool has_contexts() const;
  void prepare_book(std::size_t lane, const std::vector<std::uint64_t>& counts, Cycle last_symbol);
  [[nodiscard]] Cycle begin_of(const Lane& lane, Cycle last_in) const;
  [[nodiscard]] Cycle first_encode(Lane& lane) const;
  void forget(Lane& lane) const;
  void decode();
  [[nodiscard]] const CodeTable* book_of(const Lane& lane, const std::vector<std::uint8_t>& symbols) const;
  [[nodiscard]] EdqaResult result(const Lane& lane, std::size_t index, unsigned symbol) const;
  void decode_lane(std::size_t lane, Cycle take, const std::vector<Cycle>& outs);
  void add(std::size_t interface, Cycle cycle, std::uint64_t payload) {
    if (trace_ && cycle != never)
      trace_->add(interface, {cycle, payload, {}, cycle});
  }
  void add_stream(std::size_t first, std::size_t more, Cycle cycle, const std::uint8_t* data, int bits,
                  bool last);
  [[nodiscard]] std::size_t port(std::size_t lane, std::size_t which) const;

  EdqaConfig config_;
  OutputSink sink_;
  BeatTrace* trace_ = nullptr;
  std::size_t more_in_, more_out_, first_lane_; ///< interfaces

  Tables tables_;
  Registers registers_, old_registers_;
  Cycle registers_since_ = 0;
  std::vector<CodeTable> books_;                ///< static ones, since START
  std::vector<std::vector<CodeEntry>> entries_; ///< theirs
  std::vector<EncodedWord> packed_;             ///< of a symbol
  Epoch now_, before_;
  Pipe pipe_;
};

} // namespace deltatwin
