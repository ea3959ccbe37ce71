#pragma once
#include "net/graph.h"
#include "net/input_set.h"
#include "tops/array/program.h"
#include "tops/family.h"
#include <memory>

namespace deltatwin {

/// Images, one behind the other.
class ArrayWorkload : public Workload {
public:
  ArrayWorkload(Graph graph, const ArrayConfig& config, std::shared_ptr<const ArrayProgram> program,
                InputSet inputs);

  [[nodiscard]] std::string unit() const override { return "image"; }
  [[nodiscard]] int items() const override;
  void load(Session& session) const override;
  void run(Session& session, int first, int count) const override;
  [[nodiscard]] Cycle cycles(const RunRecord& record) const override;
  [[nodiscard]] std::string operation() const override { return "MAC"; }
  [[nodiscard]] double operations(int count) const override;
  [[nodiscard]] std::vector<std::uint8_t> expected(int first, int count) const override;
  [[nodiscard]] std::vector<Fact> facts(const std::vector<std::uint8_t>& outputs) const override;
  /// Of the window issued, and of the result written, by either engine: layer, row, column, first channel of
  /// the tile.
  [[nodiscard]] std::vector<WaveNote> notes(const BeatTrace& beats) const override;
  [[nodiscard]] const Graph* graph() const override { return &graph_; }
  [[nodiscard]] std::vector<std::int32_t> integers(const std::vector<std::uint8_t>& outputs) const override;

private:
  [[nodiscard]] std::vector<WaveNote> notes_of(const ArrayTables& tables, const ArrayConfig& config,
                                               const BeatTrace& beats, const std::string& issue,
                                               const std::string& prefix) const;

  Graph graph_;
  ArrayConfig config_;
  std::shared_ptr<const ArrayProgram> program_;
  InputSet inputs_;
};

} // namespace deltatwin
