// Both twins of each top, beyond single sessions: the end state, and runs that go on from where they were
// saved.
#include "base/error.h"
#include "base/file.h"
#include "cosim/end_state.h"
#include "cosim/twins.h"
#include "random_work.h"
#include "temporary_directory.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include "tops/array/top.h"
#include "tops/array/workload.h"
#include "tops/codec/top.h"
#include "tops/codec/workload.h"
#include "tops/edqa/top.h"
#include "tops/edqa/workload.h"
#include "tops/noisyquant/top.h"
#include "tops/noisyquant/workload.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <tuple>

using namespace deltatwin;

namespace {

RtlSource savable() {
  RtlSource source;
  source.savable = true;
  return source;
}

void require_equal(const CosimResult& result) {
  if (result.divergence)
    FAIL(result.divergence->report());
}

// Cuts a session in mid-stream, behind `beats` beats; what is left is another session.
Session cut(Session& session, std::size_t beats) {
  Session rest;
  const auto at = std::find_if(session.actions.begin(), session.actions.end(),
                               [](const HostAction& action) { return action.kind == HostAction::stream; });
  rest.actions.assign(at, session.actions.end());
  session.actions.erase(at + 1, session.actions.end());
  HostAction &before = session.actions.back(), &behind = rest.actions.front();
  const std::size_t bytes = before.values.size() / before.tlast.size() * beats;
  behind.values.erase(behind.values.begin(), behind.values.begin() + static_cast<std::ptrdiff_t>(bytes));
  behind.tlast.erase(behind.tlast.begin(), behind.tlast.begin() + static_cast<std::ptrdiff_t>(beats));
  before.values.resize(bytes);
  before.tlast.resize(beats);
  return rest;
}

void append(Session& session, const Session& more) {
  session.actions.insert(session.actions.end(), more.actions.begin(), more.actions.end());
}

bool equal(const std::vector<Beat>& a, const std::vector<Beat>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Beat& x, const Beat& y) {
    return std::tie(x.cycle, x.payload) == std::tie(y.cycle, y.payload);
  });
}

// Runs work up to `beats` input beats; then the same twins, and others that were restored from a file, go on
// to its end, to the same beats.
void require_goes_on(const Top& top, Session work, std::size_t beats, std::uint64_t seed) {
  const TemporaryDirectory directory("twins");
  const std::string path = directory.path() + "/run";
  const Session rest = cut(work, beats);
  Twins twins(top, 0.2, seed, {}, savable());
  require_equal(twins.run([&](Session& session) { append(session, work); }));
  CHECK(twins.model().stop_cycle() > twins.trace().end); // it is under way
  write_file(path, twins.save());

  const auto go_on = [&](Twins& from) {
    const CosimResult result = from.run([&](Session& session) { append(session, rest); });
    require_equal(result);
    return result;
  };
  const CosimResult whole = go_on(twins);
  Twins others(top, 0.2, seed, {}, savable());
  others.restore(read_file(path));
  const CosimResult restored = go_on(others);
  CHECK(restored.beats == whole.beats);
  CHECK(restored.record.reads == whole.record.reads);
  for (std::size_t i = 0; i < twins.interfaces().size(); ++i) {
    INFO(twins.interfaces()[i].name);
    CHECK(equal(others.trace().beats.beats[i], twins.trace().beats.beats[i]));
  }

  // A model that was copied from a saved one is another one.
  const std::unique_ptr<TopModel> a = top.model(), b = top.model();
  a->restore(twins.model().save());
  b->restore(a->save());
  CHECK(a->save() == twins.model().save());
  CHECK(b->stop_cycle() == twins.model().stop_cycle());

  std::string state = read_file(path);
  CHECK_THROWS_AS(others.restore(state.substr(0, state.size() / 2)), InputError);
  ++state[state.size() / 2];
  CHECK_THROWS_AS(others.restore(state), InputError);
  CHECK_THROWS_AS(others.restore(""), InputError);
  Twins stalled(top, 0.3, seed, {}, savable());
  CHECK_THROWS_WITH(stalled.restore(read_file(path)), Catch::Contains("stalls"));
}

// A convolution, and one behind it: to which the first one's results are added, or a depthwise one between.
Graph small_residual(bool adds) {
  RandomWork random(base_seed());
  Graph graph;
  graph.name = "small";
  graph.tensors = {{"in", {5, 4, 3}, {}, 0}, {"first", {5, 4, 6}, {}, 0}, {"second", {5, 4, 6}, {}, 0}};
  const auto convolution = [&](int inputs, int groups = 1) {
    Convolution made;
    made.window = {3, 3, 1, 1, 1, 1, 1, 1};
    made.outputs = 6;
    made.groups = groups;
    for (int i = 0; i < 6 * 3 * 3 * inputs / groups; ++i)
      made.weights.push_back(static_cast<std::int16_t>(random.in(-128, 127)));
    for (int o = 0; o < 6; ++o)
      made.bias.push_back(random.in(-1000, 1000));
    made.requantization.shifts = {9};
    return made;
  };
  graph.nodes = {{"a", {0}, 1, convolution(3)}, {"b", {1}, 2, convolution(6)}};
  graph.input = 0;
  graph.output = 2;
  if (adds) {
    graph.tensors.push_back({"sum", {5, 4, 6}, {}, 0});
    Add add;
    add.output.shifts = {1};
    graph.nodes.push_back({"c", {1, 2}, 3, add});
    graph.output = 3;
  } else {
    graph.tensors.push_back({"between", {5, 4, 6}, {}, 0});
    graph.nodes = {
        {"a", {0}, 1, convolution(3)}, {"d", {1}, 3, convolution(6, 6)}, {"b", {3}, 2, convolution(6)}};
  }
  return graph;
}

} // namespace

TEST_CASE("twins: a run of the accelerator goes on from a file as if it had never been interrupted") {
  for (const bool huffman : {false, true}) {
    Design design;
    design.lanes = 6;
    design.lanes_per_bank = 4;
    design.huffman = huffman;
    design.bank_depth = 530;
    design.in_depth = 64;
    design.act_depth = 64;
    design.param_depth = 128;
    design.max_layers = 4;
    design.out_depth = 16;
    const std::uint64_t seed = base_seed();
    CAPTURE(huffman, seed);
    RandomWork random(seed);
    const std::vector<int> widths = {9, 14, 7};
    constexpr int images = 6;
    Session work;
    load_program(work, random.program(design, widths));
    run_images(work, random.bytes(9 * images), images);
    for (const std::size_t beats : {9 * 3, 9 * 2 + 4, 1})
      require_goes_on(AcceleratorTop(design), work, beats, seed);
  }
}

TEST_CASE("twins: a run of the codec goes on from a file as if it had never been interrupted") {
  CodecConfig config;
  config.depth = 64;
  const std::uint64_t seed = base_seed();
  CAPTURE(seed);
  Session work;
  CodecWorkload(config, 12, seed).run(work, 0, 12);
  for (const std::size_t beats : {40, 150})
    require_goes_on(CodecTop(config), work, beats, seed);
}

TEST_CASE("twins: a run of NoisyQuant goes on from a file as if it had never been interrupted") {
  const NoisyQuantConfig config{5, 2, 3, 16, 100};
  const std::uint64_t seed = base_seed();
  for (const NoisyQuantMode mode : {NoisyQuantMode::online, NoisyQuantMode::offline}) {
    CAPTURE(seed, mode == NoisyQuantMode::offline);
    Session work;
    NoisyQuantWorkload(config, mode, 5, seed).run(work, 0, 5);
    for (const std::size_t beats : {40, 75})
      require_goes_on(NoisyQuantTop(config), work, beats, seed);
  }
}

TEST_CASE("twins: a run of the array goes on from a file as if it had never been interrupted") {
  const std::uint64_t seed = base_seed();
  for (const bool adds : {false, true}) {
    CAPTURE(seed, adds);
    const Graph graph = small_residual(adds);
    ArrayConfig config;
    config.leave_open();
    config.channels = 8;
    config.outputs = 4;
    config.results = adds ? 2 : 4;
    config.rows = adds ? 3 : 2;
    if (!adds) { // with a depthwise layer between
      config.stage_results = 4;
      config.lut_ram = 1 << static_cast<int>(ArrayBuffer::stage_weights);
    }
    const auto program = std::make_shared<const ArrayProgram>(compile_to_fit(graph, config));
    CHECK(program->stage.steps.empty() == adds);
    constexpr int images = 5;
    const ArrayWorkload array(graph, config, program, make_inputs(graph.tensors[0], images, seed));
    Session work;
    array.load(work);
    array.run(work, 0, images);
    const std::size_t each = program->input_values;
    // Between images, in mid-image while the one before is computed, in a row, behind the first value.
    for (const std::size_t beats : {2 * each, 3 * each + each / 2, each + 1, std::size_t{1}})
      require_goes_on(ArrayTop(config), work, beats, seed);
  }
}

TEST_CASE("twins: a table that the twins of the array hold differently is found at the end of a session") {
  const Graph graph = small_residual(true);
  ArrayConfig config;
  config.leave_open();
  config.channels = 8;
  config.outputs = config.results = 4;
  config.rows = 2;
  config.pages = 2;
  config.layers = 4;
  config.param_depth = 520; // its last words lie in LUT-RAM
  config.stage_results = 8;
  const ArrayProgram program = compile_to_fit(graph, config);
  Twins twins(ArrayTop(config), 0, base_seed());
  require_equal(twins.run([&](Session& session) { load_array_program(session, config, program); }));
  std::vector<MemoryImage> images = twins.model().memories();
  CHECK(images.size() > 80);
  RandomWork random(base_seed());
  for (MemoryImage& image : images) {
    CAPTURE(image.path, image.lsb);
    RtlModel rtl({"array", ArrayTop(config).parameters(), false, ""}); // all zeros
    for (std::uint64_t& word : image.words)
      word = 0;
    CHECK_FALSE(compare_memories({image}, rtl, 0));
    const auto at = static_cast<std::size_t>(random.in(0, static_cast<int>(image.words.size()) - 1));
    image.words[at] = 1;
    const auto found = compare_memories({image}, rtl, 7);
    REQUIRE(found);
    CHECK(found->interface == "word " + std::to_string(at) + ", at the end");
  }
}

TEST_CASE("twins: a run of the edqa goes on from a file as if it had never been interrupted") {
  const std::uint64_t seed = base_seed();
  EdqaConfig config;
  config.depth = 40;
  config.whole = true;
  config.channels = 2;
  for (const EdqaMode mode : {EdqaMode::paper, EdqaMode::fixed, EdqaMode::whole}) {
    CAPTURE(seed, static_cast<int>(mode));
    EdqaSettings settings = EdqaSettings::initial(config);
    settings.mode = mode;
    const EdqaWorkload edqa(config, settings, made_up_channels(config, settings, 8, seed));
    Session work;
    edqa.load(work);
    edqa.run(work, 0, 8);
    for (const std::size_t beats : {20, 70})
      require_goes_on(EdqaTop(config), work, beats, seed);
  }
}
