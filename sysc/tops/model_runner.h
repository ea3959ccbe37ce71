#pragma once
#include "tops/session.h"
#include "tops/top.h"
#include <memory>
#include <vector>

namespace deltatwin {

/// Sessions on a top's model alone: the counterpart of RtlRunner. Stalls are left out.
class ModelRunner {
public:
  explicit ModelRunner(const Top& top);

  /// What the output streams carry, TDATA's bytes one stream behind the other, until the next run. Throws
  /// std::runtime_error when a stream is not taken whole.
  const std::vector<std::uint8_t>& run(const Session& session);
  /// Of the latest session.
  [[nodiscard]] const RunRecord& record() const { return record_; }

private:
  std::unique_ptr<TopModel> model_;
  std::vector<std::vector<std::uint8_t>> outputs_;
  RunRecord record_;
  Cycle now_ = 0;
};

} // namespace deltatwin
