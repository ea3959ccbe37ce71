#pragma once
#include "net/inference.h"
#include "net/network.h"
#include "tops/accelerator/program.h"
#include "tops/family.h"

namespace deltatwin {

/// Inferences of a network whose program an accelerator holds.
class AcceleratorWorkload : public Workload {
public:
  /// `inputs` [images * the network's inputs].
  AcceleratorWorkload(const Network& network, Program program, std::vector<std::int8_t> inputs);

  [[nodiscard]] std::string unit() const override { return "image"; }
  [[nodiscard]] int items() const override;
  void load(Session& session) const override;
  void run(Session& session, int first, int count) const override;
  [[nodiscard]] Cycle cycles(const RunRecord& record) const override;
  [[nodiscard]] std::string operation() const override { return "MAC"; }
  [[nodiscard]] double operations(int count) const override;
  [[nodiscard]] std::vector<std::uint8_t> expected(int first, int count) const override;

private:
  Program program_;
  double macs_;
  mutable IntegerInference inference_; ///< its buffers are scratch
  std::vector<std::int8_t> inputs_;
  std::size_t length_; ///< inputs of an image
};

} // namespace deltatwin
