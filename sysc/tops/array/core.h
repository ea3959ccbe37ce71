#pragma once
#include "base/trace.h"
#include "blocks/sweep_starts.h"
#include "tops/array/config.h"
#include "tops/array/layer_results.h"
#include "tops/array/whole_layers.h"
#include "tops/top.h"
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// The array, to the cycle; rtl/array.sv has the contract. A step is computed, and when it happens, as soon
/// as the rows of the image that it needs, and the other engine's steps, are: nothing later has an effect on
/// it.
class ArrayCore : public TopModel {
public:
  explicit ArrayCore(const ArrayConfig& config);

  bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle cycle) override;
  [[nodiscard]] ReadResult read(std::uint32_t address, Cycle cycle) const override;
  std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                    std::vector<Cycle>* taken) override;
  void set_sink(std::size_t stream, OutputSink sink) override;
  void hard_reset(Cycle cycle) override;
  [[nodiscard]] Cycle stop_cycle() const override;
  void record(BeatTrace* trace) override;
  [[nodiscard]] std::vector<MemoryImage> memories() const override;
  [[nodiscard]] std::string save() const override;
  void restore(const std::string& state) override;
  template <class Archive> void archive(Archive& bytes) {
    bytes(registers_, registers_before_, registers_set_, now_, before_, held_, memories_, input_free_, row_,
          rows_in_, rows_there_, first_there_, credits_, engines_[0], engines_[1], stage_memories_, pops_,
          first_pop_, entries_, output_free_, sweeps_);
    if (Archive::restores)
      forget_prepared();
  }

  /// The interfaces whose beats are recorded, those of AXI4-Lite first, which the host records.
  [[nodiscard]] static std::vector<Interface> interfaces(const ArrayConfig& config);

private:
  struct Registers {
    PixelInput::Words input{};
    std::uint32_t steps = 0, load_address = 0;
  };
  // An image, from its first value's beat to that of its last result.
  struct Image {
    Cycle first, last;
    Cycle busy; ///< cycles with images inside before
  };
  // What happened from one reset or start to the next.
  struct Epoch {
    Cycle begin = 0; ///< reads up to it still see the epoch before
    bool started = false;
    bool closed = false; ///< by a wrong TLAST
    std::vector<Image> images;
    ArrayError error = ArrayError::none;
    Cycle error_at = never;
    std::uint32_t images_before = 0, cycles_before = 0; ///< since the reset

    [[nodiscard]] std::size_t left_before(Cycle cycle) const;
    [[nodiscard]] TopStatus status(Cycle cycle) const;
    [[nodiscard]] std::uint32_t cycles(Cycle cycle) const;
    template <class Archive> void archive(Archive& bytes) {
      bytes(begin, started, closed, images, error, error_at, images_before, cycles_before);
    }
  };
  struct Held { ///< pieces of a word that is not written yet
    std::uint32_t low = 0;
    std::int32_t bias = 0, multiplier = 0;
  };

  enum Side : std::size_t { array, stage };
  // What walks through a table of steps.
  struct Engine {
    explicit Engine(int written) : starts(written) {}
    ArrayStarts starts;
    std::uint32_t step = 0;  ///< the next one
    std::uint64_t image = 0; ///< whose it is
    bool stuck = false;      ///< it never begins
    Cycle stop = never;      ///< of a bad code, behind which none begins
    std::deque<Cycle> done;  ///< last writes, of step first_done since the start on
    std::uint64_t first_done = 0;
    template <class Archive> void archive(Archive& bytes) {
      bytes(starts, step, image, stuck, stop, done, first_done);
    }
  };
  // Of the tables, while they stand still.
  struct Prepared {
    ArrayLayer layer;
    std::shared_ptr<LayerResults> results;
    /// Where its stream has its first bad code: in a tile of weights, behind so many takes.
    std::optional<TileFault> fault;
    std::vector<Sweep> sweeps; ///< of a step
  };
  // A step that happens.
  struct Doing {
    Side side;
    const ArrayLayer& layer;
    const ArrayStep& step;
    Cycle begin;
    int windows, tiles; ///< that are issued; that are whole
  };

  [[nodiscard]] const Epoch& epoch(Cycle cycle) const { return cycle > now_.begin ? now_ : before_; }
  [[nodiscard]] bool is_free_to_write(Cycle cycle) const;
  [[nodiscard]] bool set(std::uint32_t address, std::uint32_t data);
  void load(std::uint32_t data);
  void load_piece(ArraySpace space, std::size_t word, std::size_t piece, std::uint32_t data);
  void begin_epoch(Cycle cycle);
  /// The memories are as a reset from `cycle` on leaves them.
  void take_back(Cycle cycle);
  void start(Cycle cycle);
  void fail(ArrayError error, Cycle cycle);
  [[nodiscard]] PixelInput input() const;
  [[nodiscard]] std::size_t good_beats(const StreamBurst& burst, std::size_t first, std::size_t most) const;
  void end_row(const PixelInput& input, Cycle last);
  [[nodiscard]] std::uint32_t steps(Side side) const {
    return side == array ? registers_.steps & 0xffff : registers_.steps >> 16;
  }
  [[nodiscard]] Engine& engine(Side side) { return engines_[side]; }
  [[nodiscard]] ArrayMemories& memories(Side side) { return side == array ? memories_ : stage_memories_; }
  [[nodiscard]] const ArrayConfig& config(Side side) const { return side == array ? config_ : stage_config_; }
  [[nodiscard]] int write_latency(Side side) const {
    return side == array ? config_.write_latency() : config_.stage_write_latency();
  }
  [[nodiscard]] ArrayBounds bounds(Side side) const;
  void advance();
  [[nodiscard]] bool advance(Side side);
  [[nodiscard]] std::optional<Cycle> begin(Side side, const ArrayStep& step, const ArrayLayer& layer);
  void end_step(Side side, const ArrayStep& step);
  void prepare();
  void begin_image();
  /// The memories become what they are by now.
  void settle() const;
  void leave_whole();
  /// Nothing of the engine's program is refused.
  [[nodiscard]] bool is_legal(Side side);
  void forget_prepared();
  void prepare_sweeps(Prepared& prepared);
  void advance_sweeps();
  void run_step(const Doing& doing);
  void compute(const Doing& doing);
  /// Of a pixel of the step's n-th tile, in results_ and sums_.
  [[nodiscard]] std::size_t first_output(const Doing& doing, int n, int pixel) const;
  /// When the latest step's results are written, with sweeps.
  [[nodiscard]] ArraySweeps sweep_writes() const;
  void send(const Doing& doing);
  void record_step(const Doing& doing);
  void record_sweeps(const Doing& doing);
  /// `last`: its last window, with sweeps its tag.
  void record_tile(const Doing& doing, const ArrayWalk& walk, int tile, Cycle last);
  void record_result(const Doing& doing, const ArrayWalk& walk, int tile, Cycle written);
  void add(std::size_t interface, Cycle cycle, std::uint64_t payload);

  ArrayConfig config_, stage_config_;
  OutputSink sink_;
  BeatTrace* trace_ = nullptr;

  Registers registers_, registers_before_; ///< reads up to the latter's change see what was before
  Cycle registers_set_ = 0;
  Epoch now_, before_;
  Held held_;
  /// With whole_: as they were, until settled. The stage's are of stage_config_, with weights of other
  /// channels 0.
  mutable ArrayMemories memories_, stage_memories_;
  std::vector<Prepared> prepared_[2];
  mutable std::optional<WholeLayers> whole_; ///< of the image that is computed as a whole
  bool checked_ = false;                     ///< whether the program can be
  std::vector<std::int8_t> results_;         ///< of a step
  LayerResults::Sums sums_;
  std::vector<std::uint8_t> entry_;
  std::vector<Cycle> out_;

  Cycle input_free_ = 0;         ///< of the next value
  std::vector<std::int8_t> row_; ///< that comes in
  std::vector<Cycle> row_beats_; ///< its values', and ...
  ArrayUndo undo_;               ///< ... what writes overwrote, while beats are recorded
  std::uint64_t rows_in_ = 0;    ///< whole ones since the start
  std::deque<Cycle> rows_there_; ///< the last value or padding, of row first_there_ on
  std::uint64_t first_there_ = 0;
  std::deque<Cycle> credits_; ///< of the rows to begin: when they may
  Engine engines_[2];
  SweepStarts sweeps_;     ///< instead of the array's starts
  std::deque<Cycle> pops_; ///< of entries of the output queue, from first_pop_ on
  std::uint64_t first_pop_ = 0, entries_ = 0;
  Cycle output_free_ = 0; ///< behind the last value's beat
};

} // namespace deltatwin
