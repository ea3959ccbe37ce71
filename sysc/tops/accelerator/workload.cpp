#include "tops/accelerator/workload.h"
#include "tops/accelerator/session.h"

namespace deltatwin {

AcceleratorWorkload::AcceleratorWorkload(const Network& network, Program program,
                                         std::vector<std::int8_t> inputs)
    : program_(std::move(program)), macs_(static_cast<double>(network.macs())), inference_(network),
      inputs_(std::move(inputs)), length_(static_cast<std::size_t>(program_.layers.front().inputs)) {}

int AcceleratorWorkload::items() const { return static_cast<int>(inputs_.size() / length_); }

void AcceleratorWorkload::load(Session& session) const { load_program(session, program_); }

void AcceleratorWorkload::run(Session& session, int first, int count) const {
  const auto begin =
      inputs_.begin() + static_cast<std::ptrdiff_t>(first) * static_cast<std::ptrdiff_t>(length_);
  run_images(session,
             {begin, begin + static_cast<std::ptrdiff_t>(count) * static_cast<std::ptrdiff_t>(length_)},
             count);
}

// STATUS, CYCLES and INFERENCES are what run_images() reads.
Cycle AcceleratorWorkload::cycles(const RunRecord& record) const {
  const std::vector<std::uint32_t>& reads = record.reads;
  return reads.size() < 4 ? 0 : reads[1] + (Cycle{reads[2]} << 32);
}

double AcceleratorWorkload::operations(int count) const { return macs_ * count; }

std::vector<std::uint8_t> AcceleratorWorkload::expected(int first, int count) const {
  std::vector<std::int16_t> outputs(static_cast<std::size_t>(count) *
                                    static_cast<std::size_t>(inference_.outputs()));
  inference_.run(&inputs_[static_cast<std::size_t>(first) * length_], count, outputs.data());
  std::vector<std::uint8_t> bytes;
  bytes.reserve(2 * outputs.size());
  for (const std::int16_t value : outputs) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(value) >> 8));
  }
  return bytes;
}

} // namespace deltatwin
