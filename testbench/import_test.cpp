// Networks from outside: what they become, and what is refused.
#include "base/file.h"
#include "import/import.h"
#include "net/formats/formats.h"
#include "net/reference.h"
#include "net/softmax.h"
#include "random_work.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>

using namespace deltatwin;

namespace {

/// A folder with networks, inputs and outputs of others; empty: there is none.
std::string data_directory() {
  const char* directory = std::getenv("DELTATWIN_DATA");
  return directory ? directory : "";
}

struct Expected {
  std::string name;
  int label = 0;
  std::vector<std::string> outputs;
};

std::vector<Expected> read_expected(const std::string& path) {
  std::vector<Expected> rows;
  std::istringstream lines(read_file(path));
  std::string line, cell;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    Expected row;
    std::getline(cells, row.name, ',');
    std::getline(cells, cell, ',');
    row.label = std::stoi(cell);
    while (std::getline(cells, cell, ','))
      row.outputs.push_back(cell);
    rows.push_back(row);
  }
  return rows;
}

} // namespace

TEST_CASE("import: outputs of MLPerf Tiny's networks equal those that a board logged") {
  const std::string directory = data_directory();
  if (directory.empty()) {
    WARN("not run: DELTATWIN_DATA names no folder with mlperf-tiny");
    return;
  }
  struct Case {
    const char* name;
    int images, offset;
    double digits;
  };
  for (const Case& each : {Case{"ic", 10, 128, 1e6}, Case{"kws", 20, 0, 1e3}}) {
    const std::string at = directory + "/mlperf-tiny/" + each.name;
    const Import network = import_network(at + "/model.tflite");
    const std::string inputs = read_file(at + "/inputs.bin");
    const std::vector<Expected> expected = read_expected(at + "/expected.csv");
    const Tensor& input = network.graph.tensors[network.graph.input];
    const auto elements = static_cast<std::size_t>(input.elements());
    REQUIRE(inputs.size() == elements * expected.size());
    int same = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(each.images); ++i) {
      std::vector<int> values;
      for (std::size_t e = 0; e < elements; ++e)
        values.push_back(each.offset ? static_cast<std::uint8_t>(inputs[i * elements + e]) - each.offset
                                     : static_cast<std::int8_t>(inputs[i * elements + e]));
      const std::vector<double> outputs =
          probabilities(network.graph, reference_tensors(network.graph, values)[network.graph.output]);
      bool equal = outputs.size() == expected[i].outputs.size();
      for (std::size_t o = 0; equal && o < outputs.size(); ++o) {
        const double logged = std::stod(expected[i].outputs[o]);
        const double told = each.offset ? std::round(outputs[o] * each.digits) / each.digits
                                        : std::floor(outputs[o] * each.digits) / each.digits;
        equal = std::abs(told - logged) < 1e-9;
      }
      same += equal;
    }
    CHECK(same == each.images);
  }
}
