#include "base/error.h"
#include "base/file.h"
#include "base/huffman.h"
#include "base/paths.h"
#include "net/formats/formats.h"
#include "net/network.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <sys/resource.h>

using namespace deltatwin;
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

// A legal file with every scheme in it, small enough to read.
const std::string small_network = R"({
  "format": "deltatwin-network-1", "name": "small", "description": "all schemes",
  "layers": [
    {"inputs": 4, "outputs": 3, "scheme": "fixed_reference", "delta_bits": 4, "group": "block", "block": 3,
     "shift": 2, "references": [100, 1, 2, 3, -4, 5], "activation": "relu",
     "requantizer": {"shift": 16, "multiplier": [1, 2, 3], "bias": [-1, 0, 1]},
     "deltas": [[1, -8, 6, 0], [0, 0, 0, 0], [7, 7, 7, 7]]},
    {"inputs": 3, "outputs": 2, "scheme": "consecutive", "delta_bits": 8, "group": "neuron",
     "shift": 0, "references": [100, -100], "activation": "hardtanh",
     "requantizer": {"shift": 20, "multiplier": [1, 2], "bias": [-1, 0]},
     "deltas": [[27, -128, 1], [0, 100, 27]]},
    {"inputs": 2, "outputs": 2, "scheme": "plain", "delta_bits": 8, "activation": "none",
     "requantizer": {"shift": 8, "multiplier": [1, 2], "bias": [-1, 0]},
     "deltas": [[127, -128], [0, 1]]}]})";

// The same in format 2.
const std::string small_graph = R"({
  "format": "deltatwin-network-2", "name": "small", "description": "all schemes",
  "tensors": [
    {"name": "input", "shape": [2, 2], "bits": 8, "signed": true, "zero_point": 0},
    {"name": "hidden0", "shape": [3], "bits": 8, "signed": true, "zero_point": 0},
    {"name": "hidden1", "shape": [2], "bits": 8, "signed": true, "zero_point": 0},
    {"name": "output", "shape": [2], "bits": 16, "signed": true, "zero_point": 0}],
  "input": "input", "output": "output",
  "nodes": [
    {"name": "dense0", "op": "dense", "inputs": ["input"], "output": "hidden0", "activation": "relu",
     "requantizer": {"rounding": "half_up", "shift": 16, "multiplier": [1, 2, 3], "bias": [-1, 0, 1]},
     "weights": {"scheme": "fixed_reference", "delta_bits": 4, "group": "block", "block": 3, "shift": 2,
       "references": [100, 1, 2, 3, -4, 5], "code": "raw",
       "deltas": [[1, -8, 6, 0], [0, 0, 0, 0], [7, 7, 7, 7]]}},
    {"name": "dense1", "op": "dense", "inputs": ["hidden0"], "output": "hidden1", "activation": "hardtanh",
     "requantizer": {"rounding": "half_up", "shift": 20, "multiplier": [1, 2], "bias": [-1, 0]},
     "weights": {"scheme": "consecutive", "delta_bits": 8, "group": "neuron", "shift": 0,
       "references": [100, -100], "deltas": [[27, -128, 1], [0, 100, 27]]}},
    {"name": "dense2", "op": "dense", "inputs": ["hidden1"], "output": "output", "activation": "none",
     "requantizer": {"rounding": "half_up", "shift": 8, "multiplier": [1, 2], "bias": [-1, 0]},
     "weights": {"scheme": "plain", "delta_bits": 8, "deltas": [[127, -128], [0, 1]]}}]})";

// What the parser says of a text; "accepted" when it takes it.
std::string complaint(const std::string& text) {
  try {
    const Network network = parse_network(text, "net.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

// A network with the value at a JSON pointer replaced, or removed where `value` is null.
std::string changed(const std::string& pointer, const char* value, const std::string& text = small_network) {
  json::value document = json::parse(text);
  const std::size_t slash = pointer.rfind('/');
  json::value& parent = document.at_pointer(pointer.substr(0, slash));
  const std::string key = pointer.substr(slash + 1);
  if (parent.is_array())
    parent.as_array().at(std::stoul(key)) = json::parse(value);
  else if (value)
    parent.as_object()[key] = json::parse(value);
  else
    REQUIRE(parent.as_object().erase(key) == 1);
  return json::serialize(document);
}

// Where a complaint about the value at a JSON pointer should point.
std::string place(const std::string& pointer) {
  std::string result = "net.json:";
  std::istringstream parts(pointer.substr(1));
  for (std::string part; std::getline(parts, part, '/');)
    result += std::isdigit(static_cast<unsigned char>(part[0])) ? "[" + part + "]"
              : result.back() == ':'                            ? " " + part
                                                                : "." + part;
  return result;
}

// Every field of a network, array elements too, as JSON pointers.
void all_fields(const json::value& value, const std::string& pointer, std::vector<std::string>& list) {
  if (!pointer.empty())
    list.push_back(pointer);
  if (value.is_object())
    for (const auto& member : value.as_object())
      all_fields(member.value(), pointer + "/" + std::string(member.key().data(), member.key().size()), list);
  if (value.is_array())
    for (std::size_t i = 0; i < value.as_array().size(); ++i)
      all_fields(value.as_array()[i], pointer + "/" + std::to_string(i), list);
}

std::vector<std::string> all_fields(const std::string& text) {
  std::vector<std::string> list;
  all_fields(json::parse(text), "", list);
  return list;
}

void require_same(const Network& a, const Network& b) {
  REQUIRE(a.name == b.name);
  REQUIRE(a.description == b.description);
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const Layer &x = a.layers[l], &y = b.layers[l];
    REQUIRE(x.inputs == y.inputs);
    REQUIRE(x.outputs == y.outputs);
    REQUIRE(x.scheme == y.scheme);
    REQUIRE(x.delta_bits == y.delta_bits);
    REQUIRE(x.group == y.group);
    REQUIRE(x.block == y.block);
    REQUIRE(x.shift == y.shift);
    REQUIRE(x.references == y.references);
    REQUIRE(x.deltas == y.deltas);
    REQUIRE(x.requantizer.multiplier == y.requantizer.multiplier);
    REQUIRE(x.requantizer.bias == y.requantizer.bias);
    REQUIRE(x.requantizer.shift == y.requantizer.shift);
    REQUIRE(x.activation == y.activation);
    REQUIRE(x.code == y.code);
  }
}

Network network_of(Layer layer) {
  const auto outputs = static_cast<std::size_t>(layer.outputs);
  layer.requantizer.multiplier.assign(outputs, 1);
  layer.requantizer.bias.assign(outputs, 0);
  Network network;
  network.name = "one";
  network.layers.push_back(std::move(layer));
  return network;
}

DeltaFormat random_format(RandomWork& random) {
  DeltaFormat format;
  format.scheme = static_cast<Scheme>(random.in(0, 2));
  format.delta_bits = random.in(1, 8);
  format.group = static_cast<Group>(random.in(0, 2));
  format.block = format.group == Group::block ? random.in(1, 9) : 0;
  format.shift = random.in(0, 7);
  return format;
}

// Weights of one kind: in int8 and far outside it, equal, tiny, huge and no numbers at all.
float random_weight(RandomWork& random, int kind) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float extreme[] = {infinity,  -infinity, NAN,   std::numeric_limits<float>::max(),
                           -infinity, 1e-45F,    -0.5F, std::numeric_limits<float>::lowest()};
  switch (kind) {
  case 0:
    return static_cast<float>(random.in(-512, 511)) / 4; // int8, with ties
  case 1:
    return static_cast<float>(random.in(-100000, 100000)) / 100;
  case 2:
    return static_cast<float>(random.in(-100, 100)) / 64;
  case 3:
    return random.in(0, 1) ? 127.5F : -128.5F;
  case 4:
    return 99.5F;
  default:
    return extreme[random.in(0, 7)];
  }
}

// Walks a layer as decoding does: visit(at, reference, running delta before, index in its block).
template <class Visit> void for_each_weight(const Layer& layer, Visit visit) {
  std::size_t at = 0;
  for (int o = 0; o < layer.outputs; ++o)
    for (int i = 0, running = 0; i < layer.inputs; ++i, ++at) {
      const int length = layer.group == Group::block ? layer.block : layer.inputs;
      if (i % length == 0 || layer.scheme != Scheme::consecutive)
        running = 0;
      const int blocks = (layer.inputs + length - 1) / length;
      const int reference = layer.scheme == Scheme::plain ? 0
                            : layer.group == Group::layer
                                ? layer.references[0]
                                : layer.references[static_cast<std::size_t>(o * blocks + i / length)];
      visit(at, reference, running, i % length);
      running += layer.deltas[at];
    }
}

std::size_t entries(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

// While it lives, this process cannot write files of more than `bytes`.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_;
  void (*handler_)(int);
};

} // namespace

TEST_CASE("network file: what is saved is read back, in every scheme, group and D") {
  const TemporaryDirectory directory("deltatwin-network");
  const std::string path = directory.path() + "/network.json";
  RandomWork random(base_seed());
  for (const Scheme scheme : {Scheme::fixed_reference, Scheme::consecutive, Scheme::plain})
    for (const Group group : {Group::layer, Group::neuron, Group::block})
      for (int bits = 1; bits <= 8; ++bits) {
        CAPTURE(to_string(scheme), to_string(group), bits, base_seed());
        const DeltaFormat format{scheme, bits, group, group == Group::block ? random.in(1, 12) : 0,
                                 random.in(0, 7)};
        std::vector<int> widths;
        for (int i = random.in(2, 5); i > 0; --i)
          widths.push_back(random.in(1, 20));
        Network network = random.network(widths, format);
        network.name = "a-name_" + std::to_string(bits) + ".2";
        network.description = "a \"text\" \\ with \xc3\xa4, \n and \x01";
        save_network(network, path);
        require_same(load_network(path), network);
        const std::string text = read_file(path);
        save_network(load_network(path), path);
        REQUIRE(read_file(path) == text);
      }
  REQUIRE(entries(directory.path()) == 1);
}

TEST_CASE("network file: the small network says what it should") {
  const Network network = parse_network(small_network, "net.json");
  CHECK(network.name == "small");
  REQUIRE(network.layers.size() == 3);
  const auto weights = [&](std::size_t l) {
    const std::vector<std::int8_t> w = network.layers[l].weights();
    return std::vector<int>(w.begin(), w.end());
  };
  CHECK(weights(0) == std::vector<int>{104, 68, 124, 1, 2, 2, 2, 3, 24, 24, 24, 33});
  CHECK(weights(1) == std::vector<int>{127, -1, 0, -100, 0, 27});
  CHECK(weights(2) == std::vector<int>{127, -128, 0, 1});
  CHECK(network.weight_count() == 12 + 6 + 4);
  CHECK(network.macs() == 4 * 3 + 3 * 2 + 2 * 2);
  CHECK(network.weight_bits() == (12 * 4 + 6 * 8) + (6 * 8 + 2 * 8) + 4 * 8);
}

TEST_CASE("network file: a layer's code is raw, or as it says") {
  for (const Layer& layer : parse_network(small_network, "net.json").layers)
    CHECK(layer.code == Code::raw);
  const Network coded = parse_network(changed("/layers/1/code", "\"huffman\""), "net.json");
  CHECK(coded.layers[1].code == Code::huffman);
  CHECK(coded.layers[2].code == Code::raw);
  const TemporaryDirectory directory("deltatwin-network");
  save_network(coded, directory.path() + "/coded.json");
  require_same(load_network(directory.path() + "/coded.json"), coded);
  CHECK(load_network(directory.path() + "/coded.json").layers[1].code == Code::huffman);
  const Layer& layer = coded.layers[1];
  CHECK(layer.stored_bits() == coded_bits(layer.histogram(), layer.code_lengths()) +
                                   4 * (std::uint64_t{1} << layer.delta_bits) + 8 * layer.references.size());
  CHECK(complaint(changed("/layers/1/code", "\"zip\"")) ==
        place("/layers/1/code") + ": \"zip\" is none of \"raw\", \"huffman\", \"huffman_pairs\"");
}

TEST_CASE("network file: pairs of a neuron's deltas are one symbol, behind an odd input one with a 0") {
  const Network coded = parse_network(changed("/layers/0/code", "\"huffman_pairs\""), "net.json");
  CHECK(coded.layers[0].code == Code::huffman_pairs);
  const TemporaryDirectory directory("deltatwin-network");
  save_network(coded, directory.path() + "/coded.json");
  require_same(load_network(directory.path() + "/coded.json"), coded);
  Layer layer;
  layer.inputs = 3;
  layer.outputs = 4;
  layer.delta_bits = 2;
  layer.deltas = {1, -1, 0, 1, -1, -2, 0, 0, 1, 1, -1, -2};
  layer.code = Code::huffman_pairs;
  std::vector<std::uint64_t> pairs(16); // the second delta in the upper two bits
  pairs[0b1101] = 3;
  pairs[0b0010] = 2;
  pairs[0b0000] = 2;
  pairs[0b0001] = 1;
  CHECK(layer.histogram() == pairs);
  const std::vector<int> lengths = layer.code_lengths();
  CHECK(std::count(lengths.begin(), lengths.end(), 0) == 12);
  CHECK(layer.code_bits() == coded_bits(pairs, lengths));
  CHECK(layer.stored_bits() == layer.code_bits() + 4 * 16);
  CHECK(complaint(changed("/layers/2/code", "\"huffman_pairs\"")) ==
        place("/layers/2/code") + ": huffman_pairs is for deltas of at most 4 bits, these have 8");
  Network network = coded;
  CHECK(refusal([&] { recode(network, Code::huffman_pairs); }) ==
        "code huffman_pairs is for deltas of at most 4 bits, those of layer 1 of " + network.name +
            " have 8");
}

TEST_CASE("network file: a missing field is named") {
  for (const std::string& text : {small_network, small_graph}) {
    int fields = 0;
    for (const std::string& pointer : all_fields(text)) {
      const std::string parent = pointer.substr(0, pointer.rfind('/')),
                        key = pointer.substr(parent.size() + 1);
      if (std::isdigit(static_cast<unsigned char>(key[0])) || key == "description" || key == "code")
        continue;
      CAPTURE(pointer);
      CHECK(complaint(changed(pointer, nullptr, text)) ==
            (parent.empty() ? "net.json" : place(parent)) + ": \"" + key + "\" is missing");
      ++fields;
    }
    CHECK(fields ==
          (text == small_network ? 3 + (11 + 3) + (10 + 3) + (7 + 3) : 6 + 4 * 5 + 3 * (7 + 4) + 7 + 6 + 3));
    CHECK(complaint(changed("/description", nullptr, text)) == "accepted");
  }
}

TEST_CASE("network file: a field of the wrong type is named") {
  for (const std::string& text : {small_network, small_graph})
    for (const std::string& pointer : all_fields(text)) {
      const json::kind kind = json::parse(text).at_pointer(pointer).kind();
      for (const char* value :
           {"null", "true", "1.5", "1e2", "3.0", "99999999999999999999", "\"text\"", "[]", "{}"}) {
        CAPTURE(pointer, value);
        if (json::parse(value).kind() == kind)
          continue;
        const std::string message = complaint(changed(pointer, value, text));
        CHECK_THAT(message, Catch::StartsWith(place(pointer) + ": expected ") &&
                                (Catch::Contains(": expected a") || Catch::Contains(": expected true")));
      }
    }
  for (const char* root : {"[]", "7", "null", "\"text\""})
    CHECK(complaint(root) == "net.json: expected an object");
}

TEST_CASE("network file: an unknown field is named") {
  for (const std::string parent : {"", "/layers/0", "/layers/2", "/layers/1/requantizer"})
    CHECK(complaint(changed(parent + "/colour", "1")) ==
          (parent.empty() ? "net.json" : place(parent)) + ": unknown field \"colour\"");
  for (const std::string parent : {"", "/tensors/1", "/nodes/0", "/nodes/2/weights", "/nodes/1/requantizer"})
    CHECK(complaint(changed(parent + "/colour", "1", small_graph)) ==
          (parent.empty() ? "net.json" : place(parent)) + ": unknown field \"colour\"");
}

TEST_CASE("network file: a number out of range is named with its range") {
  struct Limit {
    std::string pointer;
    int low, high;
  };
  const Limit limits[] = {
      {"/layers/0/inputs", 1, 4096},
      {"/layers/1/outputs", 1, 4096},
      {"/layers/0/delta_bits", 1, 8},
      {"/layers/0/block", 1, 4},
      {"/layers/0/shift", 0, 7},
      {"/layers/0/references/3", -128, 127},
      {"/layers/0/deltas/1/3", -8, 7},
      {"/layers/1/deltas/0/1", -128, 127},
      {"/layers/2/deltas/1/0", -128, 127},
      {"/layers/2/requantizer/multiplier/1", 0, 65535},
      {"/layers/0/requantizer/bias/2", -(1 << 19), (1 << 19) - 1},
      {"/layers/1/requantizer/shift", 8, 39},
  };
  for (const Limit& limit : limits) {
    CAPTURE(limit.pointer);
    const std::string range = std::to_string(limit.low) + ".." + std::to_string(limit.high);
    for (const int wrong : {limit.low - 1, limit.high + 1})
      CHECK(complaint(changed(limit.pointer, std::to_string(wrong).c_str())) ==
            place(limit.pointer) + ": " + std::to_string(wrong) + " is outside " + range);
    for (const int right : {limit.low, limit.high}) // other fields may then disagree with it
      CHECK_THAT(complaint(changed(limit.pointer, std::to_string(right).c_str())),
                 !Catch::Contains(place(limit.pointer) + ": " + std::to_string(right) + " is outside"));
  }
}

TEST_CASE("network file: fields that contradict each other are named") {
  struct Case {
    std::string pointer;
    const char* value;
    std::string where, what; ///< `where` is below net.json; empty: where the pointer points
  };
  const Case cases[] = {
      {"/format", "\"deltatwin-network-3\"", "",
       "\"deltatwin-network-3\" is none of \"deltatwin-network-1\", \"deltatwin-network-2\""},
      {"/name", "\"\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"../small\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"a/b\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"a b\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\".hid\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"-n\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"=1+1\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"a\\u001b[31m\"", "", "expected 1 to 100 letters, digits"},
      {"/name", "\"S.m-a_1\"", "", "accepted"},
      {"/layers/0/scheme", "\"huffman\"", "",
       "\"huffman\" is none of \"fixed_reference\", \"consecutive\", \"plain\""},
      {"/layers/1/group", "\"row\"", "", "\"row\" is none of \"layer\", \"neuron\", \"block\""},
      {"/layers/2/activation", "\"sigmoid\"", "", "\"sigmoid\" is none of \"none\", \"relu\", \"hardtanh\""},
      // wrong counts
      {"/layers", "[]", "", "expected 1 to 16, got 0"},
      {"/layers/0/references", "[1, 2, 3, 4, 5]", "", "expected 6 integers, got 5"},
      {"/layers/1/references", "[1, 2, 3]", "", "expected 2 integers, got 3"},
      {"/layers/0/deltas", "[[0, 0, 0, 0]]", "", "expected 3 rows (one per output), got 1"},
      {"/layers/2/deltas", "[[1, 2], [3, 4], [5, 6]]", "", "expected 2 rows (one per output), got 3"},
      {"/layers/0/deltas/1", "[0, 0, 0]", "", "expected 4 integers, got 3"},
      {"/layers/0/deltas/2", "[0, 0, 0, 0, 0]", "", "expected 4 integers, got 5"},
      {"/layers/0/requantizer/multiplier", "[1, 2]", "", "expected 3 integers, got 2"},
      {"/layers/2/requantizer/bias", "[1, 2, 3]", "", "expected 2 integers, got 3"},
      // groups
      {"/layers/0/group", "\"layer\"", "layers[0].block", "has a meaning with group block only"},
      {"/layers/0/group", "\"neuron\"", "layers[0].block", "has a meaning with group block only"},
      {"/layers/1/group", "\"block\"", "layers[1]", "\"block\" is missing"},
      {"/layers/1/group", "\"layer\"", "layers[1].references", "expected 1 integers, got 2"},
      {"/layers/0/block", "2", "", "accepted"}, // two blocks a neuron as before
      {"/layers/0/block", "4", "layers[0].references", "expected 3 integers, got 6"},
      {"/layers/2/group", "\"layer\"", "", "has no meaning with scheme plain"},
      {"/layers/2/block", "1", "", "has no meaning with scheme plain"},
      {"/layers/2/shift", "0", "", "has no meaning with scheme plain"},
      {"/layers/2/references", "[]", "", "has no meaning with scheme plain"},
      // the chain
      {"/layers/1/inputs", "4", "layers[1].deltas[0]", "expected 4 integers, got 3"},
      {"/layers/0/activation", "\"none\"", "", "\"none\" is for the last layer only"},
      {"/layers/1/activation", "\"none\"", "", "\"none\" is for the last layer only"},
      // weights
      {"/layers/0/deltas/0/2", "7", "", "the weight, 128, is outside -128..127"},
      {"/layers/1/deltas/0/0", "28", "", "the weight, 128, is outside -128..127"},
      {"/layers/1/deltas/1/2", "28", "", "the running sum of deltas, 128, is outside -128..127"},
      {"/layers/1/references/1", "-128", "", "accepted"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.pointer, bad.value);
    const std::string where = bad.where.empty() ? place(bad.pointer) : "net.json: " + bad.where;
    const std::string message = complaint(changed(bad.pointer, bad.value));
    if (bad.what == "accepted")
      CHECK(message == "accepted");
    else
      CHECK_THAT(message, Catch::StartsWith(where + ": " + bad.what));
  }
}

TEST_CASE("network file, format 2: a chain of dense layers is one case of a graph") {
  const Network layers = parse_network(small_network, "net.json");
  const Graph graph = parse_graph(small_graph, "net.json");
  require_same(dense_chain(graph, "net.json"), layers);
  require_same(parse_network(small_graph, "net.json"), layers);
  require_same(dense_chain(parse_graph(small_network, "net.json"), "net.json"), layers);
  CHECK(graph.macs() == layers.macs());
  CHECK(graph.weights() == layers.weight_count());
  CHECK(graph.tensors[graph.input].shape == std::vector<int>{2, 2});
  CHECK(graph.tensors[graph.output].format.bits == 16);
  CHECK(graph.nodes[1].name == "dense1");
  const TemporaryDirectory directory("deltatwin-network");
  const std::string path = directory.path() + "/graph.json", again = directory.path() + "/again.json";
  save_graph(graph, path);
  const Graph read = load_graph(path); // names and shapes too
  save_graph(read, again);
  CHECK(read_file(again) == read_file(path));
  CHECK(read.tensors[read.input].shape == std::vector<int>{2, 2});
  save_network(layers, again);
  CHECK(read_file(again) ==
        read_file(path).replace(read_file(path).find("[2,2]"), 5, "[4]")); // all that a chain forgets
  CHECK(complaint(changed("/nodes/1/weights/code", "\"huffman\"", small_graph)) == "accepted");
}

TEST_CASE("network file, format 2: fields that contradict each other are named") {
  struct Case {
    std::string pointer;
    const char* value;
    std::string where, what; ///< `where` is below net.json; empty: where the pointer points
  };
  const Case cases[] = {
      {"/name", "\".hid\"", "", "expected 1 to 100 letters"},
      {"/input", "\"x\"", "", "no tensor has the name \"x\""},
      {"/output", "\"input\"", "", "it is the input"},
      {"/output", "\"hidden0\"", "the output,", "\"hidden0\", is not what the last node writes"},
      {"/tensors/1/name", "\"input\"", "", "\"input\" stands there twice"},
      {"/tensors/1/name", "\"a b\"", "", "expected 1 to 100 letters"},
      {"/tensors/1/name", "\"x\"", "nodes[0].output", "no tensor has the name \"hidden0\""},
      {"/tensors/0/shape", "[]", "", "expected 1 to 4 dimensions, got 0"},
      {"/tensors/0/shape", "[1, 1, 1, 4, 1]", "", "expected 1 to 4 dimensions, got 5"},
      {"/tensors/0/shape/0", "0", "", "0 is outside 1..32768"},
      {"/tensors/0/shape", "[32768, 32768, 32768, 32768]", "", "has more than 16777216 elements"},
      {"/tensors/0/shape", "[4097]", "nodes[0].inputs", "has 4097 elements, a dense node takes at most 4096"},
      {"/tensors/0/shape", "[1, 4]", "", "accepted"},
      {"/tensors/0/shape", "[3]", "nodes[0].weights.references", "expected 3 integers, got 6"},
      {"/tensors/1/shape", "[4]", "nodes[0].weights.references", "expected 8 integers, got 6"},
      {"/tensors/3/shape", "[1, 2]", "nodes[2].output", "tensor \"output\" has not the shape [2]"},
      {"/tensors/0/bits", "17", "", "17 is outside 1..16"},
      {"/tensors/0/zero_point", "128", "", "128 is outside -128..127"},
      {"/tensors/0/zero_point", "1", "nodes[0].inputs",
       "tensor \"input\" has 8 signed bits, zero point 1; a dense node reads 8 signed bits, zero point 0"},
      {"/tensors/1/signed", "false", "nodes[0].output",
       "tensor \"hidden0\" has 8 unsigned bits, zero point 0; activation relu gives 8 signed bits"},
      {"/tensors/3/bits", "8", "nodes[2].output", "tensor \"output\" has 8 signed bits"},
      {"/nodes", "[]", "", "expected 1 to 1000, got 0"},
      {"/nodes/1/name", "\"dense0\"", "", "\"dense0\" stands there twice"},
      {"/nodes/0/op", "\"conv2d\"", "", "\"conv2d\" is none of \"dense\""},
      {"/nodes/0/inputs", "[]", "", "expected 1 tensor, got 0"},
      {"/nodes/0/inputs", "[\"input\", \"input\"]", "", "expected 1 tensor, got 2"},
      {"/nodes/1/inputs/0", "\"nothing\"", "", "no tensor has the name \"nothing\""},
      {"/nodes/1/output", "\"hidden0\"", "nodes[1].weights.references", "expected 3 integers, got 2"},
      {"/nodes/2/output", "\"hidden1\"", "nodes[2].output", "tensor \"hidden1\" is written already"},
      {"/nodes/0/activation", "\"none\"", "nodes[0].output", "tensor \"hidden0\" has 8 signed bits"},
      {"/nodes/2/activation", "\"relu\"", "nodes[2].output", "tensor \"output\" has 16 signed bits"},
      {"/nodes/0/requantizer/rounding", "\"half_even\"", "", "\"half_even\" is none of \"half_up\""},
      {"/nodes/0/requantizer/shift", "7", "", "7 is outside 8..39"},
      {"/nodes/0/weights/group", "\"neuron\"", "nodes[0].weights.block",
       "has a meaning with group block only"},
      {"/nodes/0/weights/deltas/0/2", "7", "", "the weight, 128, is outside -128..127"},
      {"/nodes/0/weights/deltas/1/3", "-9", "", "-9 is outside -8..7"},
      {"/nodes/1/weights/deltas/1/2", "28", "", "the running sum of deltas, 128, is outside -128..127"},
      {"/nodes/2/weights/shift", "0", "", "has no meaning with scheme plain"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.pointer, bad.value);
    const std::string where = bad.where.empty() ? place(bad.pointer) : "net.json: " + bad.where;
    const std::string message = complaint(changed(bad.pointer, bad.value, small_graph));
    if (bad.what == "accepted")
      CHECK(message == "accepted");
    else
      CHECK_THAT(message, Catch::Contains(where) && Catch::Contains(bad.what));
  }
}

TEST_CASE("network file, format 2: graphs that are no chain are told from those that are no graph") {
  const Graph good = parse_graph(small_graph, "net.json");
  const auto refused = [&good](void (*spoil)(Graph&)) {
    Graph graph = good;
    spoil(graph);
    return refusal([&] { validate(graph, "memory"); });
  };
  CHECK(refused([](Graph&) {}) == "accepted");
  CHECK(refused([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }) ==
        "memory: nodes[0].inputs: tensor \"hidden0\" is read before a node writes it");
  CHECK(refused([](Graph& g) { g.tensors.push_back(g.tensors[0]), g.tensors[4].name = "more"; }) ==
        "memory: tensors[4]: no node writes it");
  CHECK(refused([](Graph& g) { g.nodes[2].output = 9; }) == "memory: nodes[2].output: there is no tensor 9");
  CHECK(refused([](Graph& g) { g.nodes[1].inputs = {7}; }) ==
        "memory: nodes[1].inputs: there is no tensor 7");
  CHECK(refused([](Graph& g) { g.input = 4; }) == "memory: input: there is no tensor 4");
  CHECK_THAT(refused([](Graph& g) { std::get<Layer>(g.nodes[0].op).inputs = 5; }),
             Catch::StartsWith("memory: nodes[0].inputs: tensor \"input\" has 4 elements"));
  CHECK_THAT(refused([](Graph& g) { std::get<Layer>(g.nodes[0].op).delta_bits = 9; }),
             Catch::StartsWith("memory: nodes[0].weights.delta_bits: 9 is outside 1..8"));
  CHECK_THAT(refused([](Graph& g) { g.nodes[1].inputs.clear(); }),
             Catch::StartsWith("memory: nodes[1].inputs: expected 1 tensor, got 0"));
  Graph fork = good; // two nodes read the input: a graph, but no chain
  fork.nodes.insert(fork.nodes.begin() + 1, fork.nodes[0]);
  fork.nodes[1].name = "side";
  fork.tensors.push_back(fork.tensors[1]);
  fork.tensors[4].name = "more";
  fork.nodes[1].output = 4;
  CHECK_NOTHROW(validate(fork, "memory"));
  CHECK(fork.macs() == good.macs() + 12);
  CHECK_THAT(refusal([&] { (void)dense_chain(fork, "memory"); }),
             Catch::StartsWith("memory: node \"side\" does not read what the one before writes"));
}

TEST_CASE("network file: the committed networks are as they would be written today") {
  const TemporaryDirectory directory("deltatwin-network");
  const std::string again = directory.path() + "/again.json";
  int networks = 0;
  for (const auto& entry : fs::directory_iterator(source_path("traces")))
    if (entry.path().extension() == ".json") {
      CAPTURE(entry.path().string());
      save_graph(load_graph(entry.path().string()), again);
      CHECK(read_file(again) == read_file(entry.path().string()));
      ++networks;
    }
  CHECK(networks >= 10);
}

TEST_CASE("network file: layers that do not chain and too many of them are named") {
  json::value document = json::parse(small_network);
  json::array& layers = document.as_object()["layers"].as_array();
  const json::value last = layers.back();
  layers.erase(layers.begin() + 1);
  CHECK(complaint(json::serialize(document)) ==
        "net.json: layers[1].inputs: 2, but the layer before has 3 outputs");
  layers.clear();
  for (int i = 0; i < 16; ++i) {
    layers.push_back(last);
    layers.back().at_pointer("/activation") = i < 15 ? "relu" : "none";
  }
  CHECK(complaint(json::serialize(document)) == "accepted");
  layers.push_back(last);
  CHECK(complaint(json::serialize(document)) == "net.json: layers: expected 1 to 16, got 17");
}

TEST_CASE("network file: what is no JSON document is refused with its line and column") {
  struct Case {
    std::string text, message;
  };
  const std::string deep(100000, '[');
  const Case cases[] = {
      {"", "line 1"},
      {"\n\n  ", "line 3"},
      {"lanes: 16", "line 1"},
      {"{\n\"name\": \"x\",\n}", "line 3"},
      {"{\"name\": NaN}", "line 1"},
      {"{\"name\": 'x'}", "line 1"},
      {"// comment\n{}", "line 1"},
      {std::string("\0\0\0\0", 4), "line 1"},
      {"{\"name\": \"\xff\"}", "line 1"},
      {deep, "line 1"},
      {small_network + "\n\n}", "line 16"},
      {small_network + small_network, "line 14"},
      {small_network + " 0", "line 14"},
      {small_network + std::string(1, '\0'), "line 14"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.text.substr(0, 60));
    CHECK_THAT(complaint(bad.text), Catch::StartsWith("net.json: " + bad.message + ", column ") &&
                                        Catch::Contains(": is no valid JSON: "));
  }
  CHECK(complaint(small_network + " \r\n\t\n") == "accepted");
}

TEST_CASE("network file: a file that ends too early is refused wherever it ends") {
  for (std::size_t length = 0; length < small_network.size(); ++length)
    REQUIRE_THAT(complaint(small_network.substr(0, length)), Catch::Contains(": is no valid JSON: "));
}

TEST_CASE("network file: random damage gives a complaint or a valid network, never a crash") {
  RandomWork random(base_seed());
  CAPTURE(base_seed());
  const std::string alphabet = "0123456789-.eE[]{}\",: \\nulltrue\xff";
  int accepted = 0;
  for (int i = 0; i < repeats(3000); ++i) {
    std::string text = small_network;
    for (int edits = random.in(1, 3); edits > 0; --edits) {
      const auto at = static_cast<std::size_t>(random.in(0, static_cast<int>(text.size()) - 1));
      text[at] = alphabet[static_cast<std::size_t>(random.in(0, static_cast<int>(alphabet.size()) - 1))];
    }
    const std::string message = complaint(text);
    if (message == "accepted") {
      CHECK_NOTHROW(validate(parse_network(text, "net.json"), "net.json"));
      ++accepted;
    } else {
      CHECK_THAT(message, Catch::StartsWith("net.json: "));
    }
  }
  CHECK(accepted > 0);
}

TEST_CASE("network file: a missing file, a directory and an empty file are named") {
  const TemporaryDirectory directory("deltatwin-network");
  const auto message = [](const std::string& path) {
    try {
      const Network network = load_network(path);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const std::string missing = directory.path() + "/missing.json", empty = directory.path() + "/empty.json";
  CHECK(message(missing) == missing + ": cannot be read: No such file or directory");
  CHECK(message(directory.path()) == directory.path() + ": is a directory, expected a file");
  std::ofstream{empty};
  CHECK(message(empty) == empty + ": cannot be read: the file is empty");
}

TEST_CASE("network file: it is written whole or not at all") {
  const TemporaryDirectory directory("deltatwin-network");
  Network network = parse_network(small_network, "net.json");
  const std::string kept = directory.path() + "/kept.json", folder = directory.path() + "/folder";
  save_network(network, kept);
  const std::string before = read_file(kept);
  fs::create_directory(folder);
  network.name = "other";
  for (const std::string& path :
       {directory.path() + "/missing/network.json", kept + "/network.json", folder}) {
    CAPTURE(path);
    CHECK_THROWS_AS(save_network(network, path), InputError);
    CHECK_THROWS_WITH(save_network(network, path), Catch::StartsWith(path + ": cannot be written: "));
    CHECK_THROWS_WITH(check_writable(path), Catch::StartsWith(path + ": cannot be written: "));
  }
  std::string full;
  {
    const FileSizeLimit limit(100); // a disk that fills up
    try {
      save_network(network, kept);
    } catch (const InputError& error) {
      full = error.what();
    }
  }
  CHECK(full == kept + ": cannot be written: File too large");
  CHECK(read_file(kept) == before);
  CHECK(entries(directory.path()) == 2);
  check_writable(kept);
  CHECK(read_file(kept) == before);
  save_network(network, kept);
  CHECK(load_network(kept).name == "other");
  CHECK(entries(directory.path()) == 2);
}

TEST_CASE("network file: a device is written to, never replaced by a file") {
  const TemporaryDirectory directory("deltatwin-network");
  const std::string link = directory.path() + "/null"; // as /dev/null or /dev/stdout given to --json
  fs::create_symlink("/dev/null", link);
  check_writable(link);
  save_network(parse_network(small_network, "net.json"), link);
  CHECK(fs::is_symlink(link));
  CHECK(fs::is_character_file(link));
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("quantize: every format gives a valid network for every kind of weights") {
  for (int kind = 0; kind <= 5; ++kind)
    for (int i = 0; i < repeats(400); ++i) {
      const std::uint64_t seed = base_seed() * 10000 + static_cast<std::uint64_t>(i * 10 + kind);
      RandomWork random(seed);
      const DeltaFormat wanted = random_format(random);
      const int inputs = random.in(std::max(1, wanted.block), 20), outputs = random.in(1, 6);
      CAPTURE(seed, kind, to_string(wanted.scheme), to_string(wanted.group), wanted.delta_bits, wanted.shift);
      std::vector<float> scaled(static_cast<std::size_t>(inputs * outputs));
      for (float& weight : scaled)
        weight = random_weight(random, kind);
      const Layer layer = quantize(inputs, outputs, scaled, wanted);
      REQUIRE(layer.scheme == wanted.scheme);
      REQUIRE(layer.delta_bits == wanted.delta_bits);
      const TemporaryDirectory directory("deltatwin-network");
      const std::string path = directory.path() + "/network.json";
      REQUIRE_NOTHROW(validate(network_of(layer), "random"));
      save_network(network_of(layer), path);
      require_same(load_network(path), network_of(layer));
    }
}

TEST_CASE("quantize: each weight becomes the nearest one that its format can hold there") {
  for (int kind = 0; kind <= 4; ++kind)
    for (int i = 0; i < repeats(400); ++i) {
      const std::uint64_t seed = base_seed() * 10000 + static_cast<std::uint64_t>(i * 10 + kind);
      RandomWork random(seed);
      const DeltaFormat wanted = random_format(random);
      const int inputs = random.in(std::max(1, wanted.block), 20), outputs = random.in(1, 6);
      CAPTURE(seed, kind, to_string(wanted.scheme), to_string(wanted.group), wanted.delta_bits, wanted.shift);
      std::vector<float> scaled(static_cast<std::size_t>(inputs * outputs));
      for (float& weight : scaled)
        weight = random_weight(random, kind);
      const Layer layer = quantize(inputs, outputs, scaled, wanted);
      const std::vector<std::int8_t> decoded = layer.weights();
      const int step = 1 << layer.shift, lowest = -(1 << (layer.delta_bits - 1));
      for_each_weight(layer, [&](std::size_t at, int reference, int running, int) {
        const double target = static_cast<double>(scaled[at]);
        double best = std::numeric_limits<double>::infinity();
        for (int delta = lowest; delta < -lowest; ++delta) {
          const int sum = running + delta, weight = reference + sum * step;
          if (in_int8(weight) && in_int8(sum))
            best = std::min(best, std::abs(target - weight));
        }
        const double error = std::abs(target - decoded[at]);
        REQUIRE(error == best);
        const bool saturated = layer.deltas[at] == lowest || layer.deltas[at] == -lowest - 1 ||
                               !in_int8(decoded[at] - step) || !in_int8(decoded[at] + step);
        if (layer.scheme == Scheme::fixed_reference && !saturated)
          REQUIRE(error <= step / 2.0);
      });
    }
}

TEST_CASE("quantize: a reference is its group's mean, consecutive its first weight") {
  RandomWork random(base_seed());
  CAPTURE(base_seed());
  for (const Scheme scheme : {Scheme::fixed_reference, Scheme::consecutive})
    for (const Group group : {Group::layer, Group::neuron, Group::block}) {
      CAPTURE(to_string(scheme), to_string(group));
      std::vector<float> scaled(7 * 5);
      for (float& weight : scaled)
        weight = random_weight(random, 0);
      const Layer layer = quantize(7, 5, scaled, {scheme, 4, group, group == Group::block ? 3 : 0, 2});
      const std::size_t per_group = group == Group::layer ? 35 : group == Group::neuron ? 7 : 3;
      REQUIRE(layer.references.size() == (group == Group::layer ? 1u : group == Group::neuron ? 5u : 15u));
      std::vector<double> wanted;
      for (std::size_t from = 0; from < scaled.size();) {
        std::size_t to = from + per_group;
        if (group == Group::block)
          to = std::min(to, (from / 7 + 1) * 7); // a neuron's last block is shorter
        const double sum = std::accumulate(scaled.begin() + static_cast<std::ptrdiff_t>(from),
                                           scaled.begin() + static_cast<std::ptrdiff_t>(to), 0.0);
        const bool first = scheme == Scheme::consecutive && group != Group::layer;
        wanted.push_back(first ? static_cast<double>(scaled[from]) : sum / static_cast<double>(to - from));
        from = to;
      }
      for (std::size_t g = 0; g < wanted.size(); ++g)
        CHECK(std::abs(layer.references[g] - std::min(wanted[g], 127.0)) <= 0.5);
    }
}

TEST_CASE("encode: what a format holds comes back exactly") {
  for (int i = 0; i < repeats(500); ++i) {
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    const DeltaFormat format = random_format(random);
    const int inputs = random.in(std::max(1, format.block), 20), outputs = random.in(1, 6);
    CAPTURE(seed, to_string(format.scheme), to_string(format.group), format.delta_bits, format.shift);
    const Layer held = random.network({inputs, outputs}, format).layers[0];
    const Layer layer = encode(inputs, outputs, held.weights(), format, held.references);
    REQUIRE(layer.weights() == held.weights());
    REQUIRE(layer.deltas == held.deltas);
    REQUIRE(layer.references == held.references);
    REQUIRE_NOTHROW(validate(network_of(layer), "random"));
  }
}

TEST_CASE("encode: the first weight that a format cannot hold is named with what it can hold") {
  struct Case {
    const char* name;
    DeltaFormat format;
    std::vector<int> references;
    std::vector<std::int8_t> weights; // two neurons of three
    std::string message;              // empty: it can hold them
  };
  const DeltaFormat fixed4{Scheme::fixed_reference, 4, Group::layer, 0, 0};
  const DeltaFormat steps{Scheme::fixed_reference, 4, Group::neuron, 0, 2};
  const DeltaFormat running{Scheme::consecutive, 4, Group::neuron, 0, 1};
  const DeltaFormat far{Scheme::consecutive, 8, Group::neuron, 0, 0};
  const DeltaFormat blocks{Scheme::fixed_reference, 2, Group::block, 2, 0};
  const auto cannot = [](int o, int i, int weight, int bits, const char* reach) {
    return "weight of output " + std::to_string(o) + ", input " + std::to_string(i) + " is " +
           std::to_string(weight) + ", which " + std::to_string(bits) + "-bit deltas cannot hold: from " +
           reach;
  };
  const Case cases[] = {
      {"both ends", fixed4, {10}, {2, 17, 10, 2, 2, 2}, ""},
      {"too high",
       fixed4,
       {10},
       {2, 17, 18, 2, 99, 1},
       cannot(0, 2, 18, 4, "10 they reach 2..17 in steps of 1")},
      {"too low",
       fixed4,
       {10},
       {2, 17, 17, 2, 1, 99},
       cannot(1, 1, 1, 4, "10 they reach 2..17 in steps of 1")},
      {"between steps",
       steps,
       {0, 1},
       {4, -32, 28, 5, 4, 1},
       cannot(1, 1, 4, 4, "1 they reach -31..29 in steps of 4")},
      {"near int8's end",
       steps,
       {120, -120},
       {124, 120, 116, -124, -128, -90},
       cannot(1, 2, -90, 4, "-120 they reach -128..-92 in steps of 4")},
      {"from neighbour to neighbour", running, {0, 100}, {14, 28, 12, 84, 68, 82}, ""},
      {"too far from its neighbour",
       running,
       {0, 100},
       {14, 28, 12, 84, 68, 84},
       cannot(1, 2, 84, 4, "68 they reach 52..82 in steps of 2")},
      {"too far from its reference",
       far,
       {127, 0},
       {127, 0, -2, 0, 0, 0},
       cannot(0, 2, -2, 8, "0 they reach -1..127 in steps of 1")},
      {"a second block",
       blocks,
       {0, 50, 0, -50},
       {1, -2, 51, 0, 0, -53},
       cannot(1, 2, -53, 2, "-50 they reach -52..-49 in steps of 1")},
      {"int4",
       {Scheme::plain, 4, Group::layer, 0, 0},
       {},
       {-8, 7, 0, 0, 0, 8},
       cannot(1, 2, 8, 4, "0 they reach -8..7 in steps of 1")},
      {"int8", {Scheme::plain, 8, Group::layer, 0, 0}, {}, {-128, 127, 0, 1, 2, 3}, ""},
      {"references of another group", fixed4, {1, 2}, {1, 1, 1, 1, 1, 1}, "expected 1 references, got 2"},
      {"a reference outside int8",
       fixed4,
       {130},
       {127, 127, 127, 127, 127, 127},
       "reference 0 is 130, expected -128..127"},
      {"weights of another shape", fixed4, {1}, {1, 1, 1, 1, 1}, "expected 6 weights, got 5"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    std::string message;
    try {
      const Layer layer = encode(3, 2, each.weights, each.format, each.references);
      CHECK(layer.weights() == each.weights);
    } catch (const InputError& error) {
      message = error.what();
    }
    CHECK(message == each.message);
  }
}

TEST_CASE("validate: a network made in memory is checked like a file") {
  struct Case {
    std::string where;
    void (*spoil)(Network&);
  };
  const Case cases[] = {
      {"layers", [](Network& n) { n.layers.clear(); }},
      {"layers[1].inputs", [](Network& n) { n.layers.erase(n.layers.begin() + 1); }},
      {"layers[0].inputs", [](Network& n) { n.layers[0].inputs = 0; }},
      {"layers[0].outputs", [](Network& n) { n.layers[0].outputs = 4097; }},
      {"layers[1].delta_bits", [](Network& n) { n.layers[1].delta_bits = 0; }},
      {"layers[1].delta_bits", [](Network& n) { n.layers[1].delta_bits = 9; }},
      {"layers[0].block", [](Network& n) { n.layers[0].block = 0; }},
      {"layers[0].block", [](Network& n) { n.layers[0].block = 5; }},
      {"layers[1].block", [](Network& n) { n.layers[1].block = 1; }},
      {"layers[1].shift", [](Network& n) { n.layers[1].shift = 8; }},
      {"layers[2].shift", [](Network& n) { n.layers[2].shift = 1; }},
      {"layers[2].group", [](Network& n) { n.layers[2].group = Group::neuron; }},
      {"layers[0].references", [](Network& n) { n.layers[0].references.pop_back(); }},
      {"layers[0].references[1]", [](Network& n) { n.layers[0].references[1] = 128; }},
      {"layers[2].references", [](Network& n) { n.layers[2].references = {0}; }},
      {"layers[1].deltas", [](Network& n) { n.layers[1].deltas.pop_back(); }},
      {"layers[1].deltas", [](Network& n) { n.layers[1].deltas.push_back(0); }},
      {"layers[0].deltas[1][2]", [](Network& n) { n.layers[0].deltas[6] = 8; }},
      {"layers[0].activation", [](Network& n) { n.layers[0].activation = Activation::none; }},
      {"layers[0].requantizer.multiplier", [](Network& n) { n.layers[0].requantizer.multiplier.pop_back(); }},
      {"layers[0].requantizer.multiplier[2]",
       [](Network& n) { n.layers[0].requantizer.multiplier[2] = 65536; }},
      {"layers[1].requantizer.bias", [](Network& n) { n.layers[1].requantizer.bias.push_back(0); }},
      {"layers[1].requantizer.bias[1]", [](Network& n) { n.layers[1].requantizer.bias[1] = 1 << 19; }},
      {"layers[2].requantizer.shift", [](Network& n) { n.layers[2].requantizer.shift = 7; }},
      {"layers[2].requantizer.shift", [](Network& n) { n.layers[2].requantizer.shift = 40; }},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.where);
    Network network = parse_network(small_network, "net.json");
    REQUIRE_NOTHROW(validate(network, "memory"));
    bad.spoil(network);
    CHECK_THROWS_AS(validate(network, "memory"), InputError);
    CHECK_THROWS_WITH(validate(network, "memory"), Catch::StartsWith("memory: " + bad.where + ": "));
  }
}
