#pragma once
#include "base/trace.h"
#include "blocks/noisy_search.h"
#include "tops/noisyquant/config.h"
#include "tops/top.h"
#include <array>
#include <string>
#include <vector>

namespace deltatwin {

/// NoisyQuant, to the cycle; rtl/noisyquant.sv has the contract. What becomes of a channel is computed
/// when its last value is taken, of a value offline at once.
class NoisyQuantCore : public TopModel {
public:
  explicit NoisyQuantCore(const NoisyQuantConfig& config);

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
    bytes(now_, before_, input_free_, values_, reads_, credits_, sent_, output_free_);
  }

  /// The interfaces whose beats are recorded, those of AXI4-Lite first, which the host records.
  [[nodiscard]] static std::vector<Interface> interfaces(const NoisyQuantConfig& config);

private:
  struct Settings {
    std::uint32_t channels = 1, width = 0, mode = 0, step = 1, offset = 0;
  };
  // What the registers tell of a channel.
  struct Channel {
    Cycle found; ///< when its choice is recorded; offline: never
    Cycle out;   ///< its last value's beat
    std::uint32_t choice;
  };
  // What the registers are made of, from one change to the next.
  struct State {
    Cycle begin = 0; ///< reads up to it still see the state before
    Settings settings, of_run;
    Cycle start = never; ///< the write that began the run
    std::vector<Channel> channels{};
    NoisyQuantError error = NoisyQuantError::none;
    Cycle error_at = never;
    std::array<std::uint32_t, noisyquant_found> found{}; ///< before the run

    [[nodiscard]] bool all_in() const { return start != never && channels.size() == of_run.channels; }
    [[nodiscard]] NoisyQuantStatus status(Cycle cycle) const;
    [[nodiscard]] std::uint32_t cycles(Cycle cycle) const;
    [[nodiscard]] std::uint32_t choice(unsigned index, Cycle cycle) const;
    [[nodiscard]] std::uint32_t done_before(Cycle cycle) const;
    template <class Archive> void archive(Archive& bytes) {
      bytes(begin, settings, of_run, start, channels, error, error_at, found);
    }
  };

  [[nodiscard]] const State& state(Cycle cycle) const { return cycle > now_.begin ? now_ : before_; }
  [[nodiscard]] bool is_offline() const {
    return now_.of_run.mode == static_cast<std::uint32_t>(NoisyQuantMode::offline);
  }
  [[nodiscard]] std::int64_t static_offset() const { return static_cast<std::int32_t>(now_.of_run.offset); }
  [[nodiscard]] bool set(std::uint32_t address, std::uint32_t data);
  void forget(Cycle cycle, const Settings& settings);
  void start(Cycle cycle);
  [[nodiscard]] std::size_t good_beats(const StreamBurst& burst, std::size_t first) const;
  [[nodiscard]] Cycle room(std::size_t index) const;
  void err(bool last, Cycle beat);
  void search(Cycle last_in);
  void record_search(const NoisyChoice& choice, Cycle first_slot);
  void send(std::size_t first, std::int64_t step, std::int64_t offset, bool last, Cycle offered);
  [[nodiscard]] bool flows(Cycle beat) const;
  void leave(std::size_t index, Cycle pushed, Cycle out, std::int64_t step, std::int64_t offset);
  void add(std::size_t interface, Cycle cycle, std::uint64_t payload);

  NoisyQuantConfig config_;
  OutputSink sink_;
  BeatTrace* trace_ = nullptr;
  std::vector<std::uint32_t> words_; ///< of a burst that leaves
  std::vector<Cycle> out_;           ///< and when

  State now_, before_;
  Cycle input_free_ = 0;                          ///< of the next value
  std::vector<std::int16_t> values_;              ///< of the channel that comes in
  std::vector<Cycle> reads_;                      ///< of the values of the one before; none: all are free
  std::array<Cycle, noisyquant_credits> credits_; ///< by value: from when it may be read
  std::uint64_t sent_ = 0;                        ///< values since the reset
  Cycle output_free_ = 0;                         ///< behind the last value's beat
};

} // namespace deltatwin
