// The schedule that people look at is what the model does, and the page that draws it is whole.
#include "base/error.h"
#include "cosim/session.h"
#include "explore/timeline_page.h"
#include "random_graph.h"
#include "tops/array/schedule.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include "tops/array/workload.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace deltatwin;
using Kind = Timeline::Kind;

namespace {

struct Work {
  Graph graph;
  ArrayConfig config;
  std::shared_ptr<const ArrayProgram> program;
};

Work random_work(RandomWork& random) {
  for (;;) {
    RandomGraphLimits limits;
    limits.nodes = random.in(1, 7);
    limits.size = random.in(1, 12);
    limits.channels = random.in(1, 24);
    limits.int8 = true;
    Work work;
    work.graph = random_graph(random, limits);
    work.config.leave_open();
    const int size = random.in(2, 4), outputs = random.in(1, size);
    work.config.channels = 1 << size;
    work.config.outputs = 1 << outputs;
    work.config.results = 1 << random.in(0, outputs);
    work.config.rows = random.in(1, 4);
    work.config.pixels = 1 << random.in(0, 2);
    if (random.in(0, 1))
      work.config.stage_results = 1 << random.in(0, size);
    try {
      const ArrayOrder order = random.in(0, 2) ? ArrayOrder::depth_first : ArrayOrder::by_layers;
      work.program = std::make_shared<const ArrayProgram>(compile_to_fit(work.graph, work.config, order));
      return work;
    } catch (const InputError&) {
    }
  }
}

// What the model records of a lone image.
SessionTrace beats_of(const Work& work, RandomWork& random) {
  const Tensor& input = work.graph.tensors[work.graph.input];
  const ArrayTop top(work.config);
  const ArrayWorkload workload(work.graph, work.config, work.program,
                               make_inputs(input, 1, static_cast<std::uint64_t>(random.in(1, 1 << 20))));
  Session session;
  workload.load(session);
  workload.run(session, 0, 1);
  const TopPorts ports(top);
  const std::unique_ptr<TopModel> model = top.model();
  SessionTrace trace(ports.interfaces.size());
  run_model(session, ports, *model, trace);
  return trace;
}

const std::vector<Beat>& named(const SessionTrace& trace, const ArrayConfig& config,
                               const std::string& name) {
  const std::vector<Interface> interfaces = ArrayTop(config).interfaces();
  const auto found = std::find_if(interfaces.begin(), interfaces.end(),
                                  [&](const Interface& interface) { return interface.name == name; });
  return trace.beats.beats[static_cast<std::size_t>(found - interfaces.begin())];
}

bool is_work(const Timeline::Bar& bar) {
  return bar.kind == Kind::work || bar.kind == Kind::other || bar.kind == Kind::beside;
}

// Bars of an engine's layers, by time.
std::vector<Timeline::Bar> steps_of(const Timeline& timeline, bool stage) {
  std::vector<Timeline::Bar> bars;
  for (const Timeline::Line& line : timeline.lines)
    std::copy_if(line.bars.begin(), line.bars.end(), std::back_inserter(bars), [&](const Timeline::Bar& bar) {
      return is_work(bar) && !bar.aside && (bar.kind == Kind::beside) == stage;
    });
  std::sort(bars.begin(), bars.end(),
            [](const Timeline::Bar& a, const Timeline::Bar& b) { return a.first < b.first; });
  return bars;
}

Timeline::Line only(const Timeline::Line& line, Kind kind) {
  Timeline::Line result;
  std::copy_if(line.bars.begin(), line.bars.end(), std::back_inserter(result.bars),
               [&](const Timeline::Bar& bar) { return bar.kind == kind && !bar.aside; });
  return result;
}

// Words times cycles.
double integral(const Timeline& timeline, const Timeline::Area& area) {
  double sum = 0;
  for (std::size_t c = 0; c < area.changes.size(); ++c) {
    const Cycle until = c + 1 < area.changes.size() ? area.changes[c + 1].first : timeline.last + 1;
    sum += static_cast<double>(until - area.changes[c].first) * area.changes[c].second;
  }
  return sum;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++n;
  return n;
}

// Two convolutions of 1 x 1 over four rows of four pixels, on one bank.
Work two_layers() {
  Work work;
  work.graph.name = "two";
  work.graph.tensors = {{"in", {4, 4, 4}, {}, 0}, {"mid", {4, 4, 4}, {}, 0}, {"out", {4, 4, 4}, {}, 0}};
  Convolution convolution;
  convolution.window = {1, 1, 1, 1, 0, 0, 0, 0};
  convolution.outputs = 4;
  convolution.weights.assign(16, 1);
  convolution.bias.assign(4, 0);
  convolution.requantization.shifts = {2};
  work.graph.nodes = {{"a", {0}, 1, convolution}, {"b", {1}, 2, convolution}};
  work.graph.input = 0;
  work.graph.output = 2;
  work.config.leave_open();
  work.config.channels = work.config.outputs = work.config.results = 4;
  work.config.rows = 1;
  work.program = std::make_shared<const ArrayProgram>(compile_to_fit(work.graph, work.config));
  return work;
}

} // namespace

TEST_CASE("schedule: each bar stands where the model computes, takes and gives") {
  RandomWork random(base_seed());
  int engines = 0;
  for (int round = 0; round < repeats(40); ++round) {
    CAPTURE(base_seed(), round);
    const Work work = random_work(random);
    const ArrayProgram& program = *work.program;
    const Timeline lone = array_schedule(work.config, program)[1];
    const SessionTrace trace = beats_of(work, random);
    const std::vector<Beat>&in = named(trace, work.config, "values in"),
          &out = named(trace, work.config, "values out");
    REQUIRE(lone.lines.size() == program.order.size() + 2);
    const Cycle start = in.front().cycle;
    CHECK(lone.last == out.back().cycle - start);

    const std::vector<Timeline::Bar> rows = only(lone.lines.front(), Kind::in).bars;
    REQUIRE(rows.size() == static_cast<std::size_t>(program.input.rows));
    const auto width = static_cast<std::size_t>(program.input.row_values());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      CHECK(rows[r].first == in[r * width].cycle - start);
      CHECK(rows[r].last ==
            in[(r + 1) * width - 1].cycle + static_cast<Cycle>(program.input.row_padding()) - start);
    }

    for (const bool stage : {false, true}) {
      const ArrayTables& tables = stage ? program.stage : program;
      if (tables.steps.empty())
        continue;
      ++engines;
      const std::vector<Beat>& issue = named(trace, work.config, stage ? "stage issue" : "issue");
      const std::vector<Timeline::Bar> steps = steps_of(lone, stage);
      REQUIRE(steps.size() == tables.steps.size());
      std::size_t window = 0;
      for (std::size_t s = 0; s < steps.size(); ++s) {
        CAPTURE(stage, s, steps[s].text);
        const ArrayLayer& layer = tables.layers[static_cast<std::size_t>(tables.steps[s].layer)];
        CHECK(issue[window].cycle == start + steps[s].first + static_cast<Cycle>(layer.pause));
        window += static_cast<std::size_t>(layer.entries * layer.steps());
        CHECK(issue[window - 1].cycle == start + steps[s].last);
        CHECK(steps[s].text.find(tables.nodes[static_cast<std::size_t>(tables.steps[s].layer)] + ", row " +
                                 std::to_string(tables.rows[s]) + "\n") == 0);
      }
      CHECK(window == issue.size());
    }

    std::size_t value = 0;
    for (const Timeline::Bar& bar : only(lone.lines.back(), Kind::out).bars) {
      CHECK(out[value].cycle == start + bar.first);
      value += static_cast<std::size_t>(bar.last - bar.first + 1);
      CHECK(out[value - 1].cycle == start + bar.last);
    }
    CHECK(value == out.size());
  }
  CHECK(engines > repeats(40)); // some with a stage
}

TEST_CASE("schedule: nothing is computed twice at once, and what is waited for fills the gaps") {
  RandomWork random(base_seed() + 1);
  for (int round = 0; round < repeats(60); ++round) {
    CAPTURE(base_seed() + 1, round);
    const Work work = random_work(random);
    for (const Timeline& timeline : array_schedule(work.config, *work.program)) {
      CAPTURE(timeline.title);
      std::vector<Timeline::Bar> bars[2]; // by engine
      for (std::size_t l = 1; l + 1 < timeline.lines.size(); ++l) {
        const std::vector<Timeline::Bar>& of_line = timeline.lines[l].bars;
        std::copy(of_line.begin(), of_line.end(),
                  std::back_inserter(bars[work.program->order[l - 1].on_stage]));
      }
      CHECK(steps_of(timeline, false).size() == work.program->steps.size());
      if (timeline.title == "A lone image")
        CHECK(steps_of(timeline, true).size() == work.program->stage.steps.size());
      for (std::vector<Timeline::Bar>& of : bars) {
        std::sort(of.begin(), of.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t b = 0; b < of.size(); ++b) {
          CHECK(of[b].first <= of[b].last);
          CHECK(of[b].last <= timeline.last);
          if (b)
            CHECK(of[b].first > of[b - 1].last);
        }
      }
    }
  }
}

TEST_CASE("schedule: a word of a bank counts from its write to its last read") {
  const Work work = two_layers();
  ArrayEvents events;
  (void)array_run(work.config, *work.program, 1, &events);
  const Timeline lone = array_schedule(work.config, *work.program)[1];
  REQUIRE(lone.areas.size() == 2);
  CHECK(lone.areas[0].name == "maps, bank 0");
  CHECK(lone.areas[1].name == "image, bank 0");
  Cycle begins[2][4] = {};
  for (std::size_t s = 0; s < work.program->steps.size(); ++s)
    begins[work.program->steps[s].layer][work.program->rows[s]] = events.steps[s].begin;
  double maps = 0, image = 0;
  for (std::size_t y = 0; y < 4; ++y) {
    maps += 4 * static_cast<double>(begins[1][y] + 1 - begins[0][y] -
                                    static_cast<Cycle>(work.config.write_latency()));
    for (Cycle x = 0; x < 4; ++x)
      image += static_cast<double>(begins[0][y] + x + 1 - (events.rows[y].first + 4 * x + 4));
  }
  CHECK(integral(lone, lone.areas[0]) == maps);
  CHECK(integral(lone, lone.areas[1]) == image);
}

TEST_CASE("schedule: no bank holds more than it has, and nothing is left of a lone image") {
  RandomWork random(base_seed() + 2);
  for (int round = 0; round < repeats(60); ++round) {
    CAPTURE(base_seed() + 2, round);
    const Work work = random_work(random);
    for (const Timeline& timeline : array_schedule(work.config, *work.program))
      for (const Timeline::Area& area : timeline.areas) {
        CAPTURE(timeline.title, area.name);
        const auto begins = [&](const char* name) { return area.name.find(name) == 0; };
        const int most = begins("maps of")   ? work.program->stage_map_words
                         : begins("maps")    ? work.program->map_words
                         : begins("rows of") ? work.program->stage_row_words
                         : begins("image")   ? work.program->input_words
                                             : work.program->skip_words;
        for (const auto& [cycle, words] : area.changes) {
          CHECK(words >= 0);
          CHECK(words <= most);
        }
        if (timeline.title == "A lone image")
          CHECK(area.changes.back().second == 0);
        CHECK(std::is_sorted(area.changes.begin(), area.changes.end()));
      }
  }
}

TEST_CASE("schedule: its page refers to nothing outside, and no name gets out of its place") {
  const Work work = two_layers();
  std::vector<Timeline> timelines = array_schedule(work.config, *work.program);
  const std::string page = render_timelines("two", {{"latency", "9 cycles"}}, timelines);
  for (const char* reference :
       {"http:", "https:", "//cdn", " src=", "<link", "@import", "url(", "import(", "fetch("})
    CHECK(count(page, reference) == 0);
  CHECK(count(page, "default-src 'none'") == 1);
  CHECK(count(page, "class=\"drawing\"") == 2);
  CHECK(count(page, "<svg") == count(page, "</svg>"));
  CHECK(count(page, "<div") == count(page, "</div>"));
  std::size_t bars = 0;
  for (const Timeline& timeline : timelines) {
    bars += timeline.areas.size();
    for (const Timeline::Line& line : timeline.lines)
      bars += line.bars.size();
  }
  CHECK(count(page.substr(page.find("<main>")), "<title>") == bars);
  for (const std::string name : {"</script><b>", "<!--", "\"'&lt;", "@TIMELINES@", "]]>"}) {
    CAPTURE(name);
    std::vector<Timeline> others = timelines;
    others[0].lines[1].name = others[0].lines[2].detail = others[1].areas[0].name = others[0].note = name;
    others[0].lines[0].bars[0].text = name;
    const std::string other = render_timelines(name, {{name, name}}, others);
    CHECK(count(other, "<") == count(page, "<"));
    CHECK(count(other, "\"") == count(page, "\""));
  }
}
