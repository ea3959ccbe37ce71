#include "base/tool.h"
#include "block_bench.h"
#include "blocks/noisy_lanes.h"
#include "refused_parameters.h"

using namespace deltatwin;

namespace {

std::uint64_t low(std::int64_t value, int bits) {
  return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

} // namespace

TEST_CASE("noisy_lanes twins multiply a matrix by columns, sums in order, with gaps and resets") {
  for (const NoisyLanesConfig& config :
       {NoisyLanesConfig{3, 7, 16, 24}, NoisyLanesConfig{1, 9, 8, 14}, NoisyLanesConfig{8, 8, 16, 26},
        NoisyLanesConfig{2, 5, 12, 20}, NoisyLanesConfig{2, 2, 8, 14}, NoisyLanesConfig{1, 64, 8, 14}}) {
    CAPTURE(config.lanes, config.max_width);
    const Interface sums{"", "sums", {"sum_valid_o", "rst_ni"}, {{"sum_o", config.sum_bits()}, "end_o"}};
    BlockBench bench({"noisy_lanes",
                      {{"Lanes", config.lanes},
                       {"MaxWidth", config.max_width},
                       {"DataBits", config.data_bits},
                       {"ErrorBits", config.error_bits}},
                      false,
                      ""},
                     {sums});
    for (int round = 0; round < repeats(4); ++round) {
      CAPTURE(round, base_seed());
      RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
      const std::int64_t x_range = std::int64_t{1} << (config.data_bits - 1),
                         e_range = std::int64_t{1} << (config.error_bits - 1);
      const auto any = [&](std::int64_t range) { // the extremes often
        return random.in(0, 3)   ? static_cast<std::int64_t>(random.word(30)) % (2 * range) - range
               : random.in(0, 1) ? 1 - range
                                 : range - 1;
      };
      struct Step {
        bool write = false, valid = false, reset = false;
        int lane = 0, address = 0;
        std::int64_t word = 0;
        NoisyLanesCore::Beat beat;
      };
      std::vector<Step> steps;
      NoisyLanesCore model(config);
      std::vector<NoisyLanesCore::Sum> modelled, plain;
      BeatTrace trace = bench.trace();
      const auto reset = [&] {
        Step step;
        step.reset = true;
        steps.push_back(step);
        const Cycle now = steps.size() - 1;
        trace.resets.push_back(now);
        for (auto* list : {&modelled, &plain})
          while (!list->empty() && list->back().cycle >= now)
            list->pop_back();
      };
      for (int matrix = 0; matrix < 3; ++matrix) {
        const int width = random.in(1, config.max_width), groups = config.groups(width);
        std::vector<std::vector<std::int64_t>> x(static_cast<std::size_t>(width));
        for (int row = 0; row < width; ++row)
          for (int column = 0; column < width; ++column) {
            Step step;
            step.write = true;
            step.lane = row % config.lanes;
            step.address = row / config.lanes * width + column;
            step.word = any(x_range);
            x[static_cast<std::size_t>(row)].push_back(step.word);
            model.write(step.lane, step.address, step.word);
            steps.push_back(step);
          }
        for (int column = 0; column < 6; ++column) {
          std::vector<std::int64_t> errors;
          for (int k = 0; k < width; ++k)
            errors.push_back(any(e_range));
          for (int group = 0; group < groups; ++group)
            for (int k = 0; k < width; ++k) {
              while (random.in(0, 3) == 0)
                steps.push_back({});
              Step step;
              step.valid = true;
              step.beat = {errors[static_cast<std::size_t>(k)],
                           group * width + k,
                           k == 0,
                           k + 1 == width,
                           k + 1 == width && group + 1 == groups && column % 2 == 1,
                           group + 1 < groups ? config.lanes : config.last_rows(width)};
              const Cycle now = steps.size();
              model.beat(step.beat, now, modelled);
              for (int row = 0; step.beat.last && row < step.beat.rows; ++row) {
                std::int64_t sum = 0;
                for (int e = 0; e < width; ++e)
                  sum +=
                      x[static_cast<std::size_t>(group * config.lanes + row)][static_cast<std::size_t>(e)] *
                      errors[static_cast<std::size_t>(e)];
                plain.push_back(
                    {now + 4 + static_cast<Cycle>(row), sum, step.beat.end && row + 1 == step.beat.rows});
              }
              steps.push_back(step);
            }
        }
        if (matrix == 1)
          reset();
        else
          steps.resize(steps.size() + 12);
      }
      REQUIRE(modelled.size() == plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) {
        CHECK(modelled[i].cycle == plain[i].cycle);
        CHECK(modelled[i].value == plain[i].value);
        CHECK(modelled[i].end == plain[i].end);
        trace.add(0, {modelled[i].cycle,
                      low(modelled[i].value, config.sum_bits()) | std::uint64_t{modelled[i].end}
                                                                      << config.sum_bits(),
                      {},
                      0});
      }
      bench.set("valid_i", 0);
      bench.set("we_i", 0);
      bench.reset();
      bench.run(trace, steps.size(), [&](Cycle cycle) {
        const Step& step = steps[cycle];
        bench.set("rst_ni", !step.reset);
        bench.set("we_i", step.write);
        bench.set("lane_i", static_cast<std::uint64_t>(step.lane));
        bench.set("waddr_i", static_cast<std::uint64_t>(step.address));
        bench.set("wdata_i", low(step.word, config.data_bits));
        bench.set("valid_i", step.valid);
        bench.set("error_i", low(step.beat.error, config.error_bits));
        bench.set("raddr_i", static_cast<std::uint64_t>(step.beat.address));
        bench.set("first_i", step.beat.first);
        bench.set("last_i", step.valid && step.beat.last);
        bench.set("rows_i", static_cast<std::uint64_t>(step.beat.rows));
        bench.set("end_i", step.beat.end);
      });
    }
  }
}

TEST_CASE("noisy_lanes: impossible parameters stop elaboration") {
  check_refused("noisy_lanes", {{"Lanes", {57}}, {"MaxWidth", {1, 65}}});
  CHECK_THROWS_AS(build_rtl({"noisy_lanes", {{"Lanes", 0}}, false, ""}), ToolError); // a division by zero
}
