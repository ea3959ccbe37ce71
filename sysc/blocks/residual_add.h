#pragma once
#include "blocks/scaler.h"
#include <cstddef>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `residual_add`, which has the contract.
struct ResidualAddConfig {
  int pages = 1;        ///< of each table, 0..16; 0: every value passes
  bool multiply = true; ///< the sum's scaler does, or shifts alone
  bool direct = false;  ///< there may be a sum instead of a value
};

struct ResidualAddTiming {
  static constexpr Cycle latency = 10;
};

/// The tables of what a value and its skip count in a sum, of one scale.
class ResidualTables {
public:
  static constexpr int values = 256;

  explicit ResidualTables(const ResidualAddConfig& config)
      : pages_(config.pages), scaler_{32, config.multiply} {
    for (std::vector<std::int32_t>& table : tables_)
      table.resize(static_cast<std::size_t>(values * pages_));
  }

  /// The address of a value's word: the table of values, or that of skips.
  [[nodiscard]] static constexpr int address(bool skip, int page, int value) {
    return (skip ? 1 << 12 : 0) | page << 8 | (value & (values - 1));
  }
  /// Of a page that is not there nothing is kept.
  void write(int address, std::int32_t word) {
    if (has(address >> 8 & 15))
      tables_[address >> 12 & 1][static_cast<std::size_t>(address & 0xfff)] = word;
  }
  /// What y and skip come to, held in 32 bits; of a page that is not there 0.
  [[nodiscard]] std::int32_t sum(int page, int y, int skip) const {
    if (!has(page))
      return 0;
    const auto word = [&](int table, int value) {
      return std::int64_t{tables_[table][static_cast<std::size_t>(address(false, page, value))]};
    };
    return saturated(word(0, y) + word(1, skip), 32);
  }
  /// A beat with add_i and direct_i.
  [[nodiscard]] std::int8_t added_to(std::int32_t sum, int page, int skip, const Scaling& scaling) const {
    const std::int64_t more =
        has(page) ? tables_[1][static_cast<std::size_t>(address(false, page, skip))] : std::int32_t{0};
    return scaled(scaler_, scaling, has(page) ? saturated(sum + more, 32) : 0);
  }
  /// A beat with add_i.
  [[nodiscard]] std::int8_t added(int page, int y, int skip, const Scaling& scaling) const {
    return static_cast<std::int8_t>(pages_ ? scaled(scaler_, scaling, sum(page, y, skip)) : y);
  }

private:
  [[nodiscard]] bool has(int page) const { return page < pages_; }

  int pages_;
  ScalerConfig scaler_;
  std::vector<std::int32_t> tables_[2];
};

/// What it takes: its scaler, two tables, each with a register behind it, and what waits for them.
[[nodiscard]] Resources residual_add_resources(const ResidualAddConfig& config);

} // namespace deltatwin
