#pragma once
#include "blocks/scheduler.h"
#include "tlm/stream.h"
#include <optional>
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// Each layer's code book, carried by the START of a scheduler whose lanes have decoders.
struct BooksExtension : StackExtension<BooksExtension> {
  std::vector<CodeTable> books;
};

/// One inference to issue, carried by an IGNORE command: its input stream's last beat, and what the
/// scheduler does with it. The output FIFO is taken to have room.
struct IssueExtension : StackExtension<IssueExtension> {
  Cycle loaded = 0;                ///< cycle of the inference's last input beat
  std::vector<IssuedBlock> blocks; ///< filled by the target
  RunError error;                  ///< filled by the target
};

/// The scheduler: `program` is its table, memory-mapped, 4 bytes a word; `run` takes a WRITE of two
/// 32-bit words {layers, images}, with decoders a BooksExtension too, that starts it in the cycle of the
/// annotated delay (an illegal program or book answers TLM_GENERIC_ERROR_RESPONSE, error() says why), then an
/// IGNORE with an IssueExtension an inference; the delay returned is the cycle after its last slot. After an
/// error nothing starts before a reset.
class Scheduler : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<Scheduler> program{"program"};
  tlm_utils::simple_target_socket<Scheduler> run{"run"};

  Scheduler(const sc_core::sc_module_name& name, const SchedulerConfig& config, double clock_mhz);
  /// A soft reset: no run, no error; the program stays.
  void reset();
  [[nodiscard]] const RunError& error() const { return error_; }
  /// The earliest cycle in which the next inference's first input beat can be taken.
  [[nodiscard]] Cycle input_ready() const { return timing_->input_ready(); }
  [[nodiscard]] const SchedulerTiming& timing() const { return *timing_; }

private:
  void program_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void run_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool start(std::uint32_t layers, std::uint32_t images, const BooksExtension* books, Cycle cycle);

  SchedulerConfig config_;
  Clock clock_;
  std::vector<std::uint32_t> words_;
  std::optional<SchedulerTiming> timing_;
  RunError error_;
};

} // namespace deltatwin
