// Bits per value and accuracy of designs that store activations: the tops edqa and noisyquant in spaces that
// name results of `deltatwin activations`.
#include "base/file.h"
#include "base/paths.h"
#include "explore/results.h"
#include "explore/sweep.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include "tops/activation_results.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <sqlite3.h>

using namespace deltatwin;
namespace json = boost::json;

namespace {

// As `deltatwin activations` writes a method of uniform steps; `more` replaces fields.
json::object uniform(const std::string& name, int bits, int extra, double bits_per_value, double accuracy,
                     const json::object& more) {
  json::object method = {{"method", name},
                         {"family", "uniform"},
                         {"bits", bits},
                         {"extra_bits", extra},
                         {"ratio", extra ? 0.4 : 0.0},
                         {"signed", true},
                         {"dynamic_scale", false},
                         {"contexts", 1},
                         {"accuracy", accuracy},
                         {"bits_per_value", bits_per_value},
                         {"scale_per", "channel"},
                         {"fit", "lse"},
                         {"code", "none"},
                         {"book", "channel"}};
  for (const auto& field : more)
    method[field.key()] = field.value();
  return method;
}

json::object noisy(int bits, const std::string& search, double accuracy) {
  json::object method = uniform("noisyquant " + search, bits, 0, bits, accuracy,
                                {{"family", "noisyquant"}, {"search", search}, {"dynamic_scale", true}});
  for (const char* field : {"scale_per", "fit", "code", "book"})
    method.erase(field);
  return method;
}

const json::object paper = {
    {"dynamic_scale", true}, {"scale_per", "image"}, {"fit", "max"}, {"code", "errors"}, {"book", "image"}};
const json::object unsigned_whole = {{"signed", false}, {"code", "whole"}, {"book", "layer"}};

json::object with(json::object fields, const char* key, const json::value& value) {
  fields[key] = value;
  return fields;
}

json::object results(const std::string& network, json::array methods) {
  return {
      {"format", "deltatwin-activations-1"},
      {"network", network},
      {"dataset", "mine"},
      {"images", 1000},
      {"float_accuracy", 0.9},
      {"blocks",
       {{{"channels", 4}, {"rows", 14}, {"columns", 14}}, {{"channels", 8}, {"rows", 7}, {"columns", 7}}}},
      {"methods", std::move(methods)}};
}

json::object standard() {
  return results(
      "mine",
      {uniform("float", 32, 0, 32, 0.9, {{"family", "float"}}),
       uniform("paper", 3, 3, 3.8, 0.81, paper),
       uniform("paper, a scale a batch", 3, 3, 3.7, 0.89, with(paper, "scale_per", "channel")),
       uniform("paper, of least error", 3, 3, 3.7, 0.89, with(paper, "fit", "lse")),
       uniform("paper, a book a layer", 3, 3, 3.7, 0.89, with(paper, "book", "layer")),
       uniform("paper, unsigned", 3, 3, 3.9, 0.85, with(paper, "signed", false)),
       uniform("paper, no extra bits", 4, 0, 4, 0.82, with(with(paper, "code", "none"), "book", "channel")),
       uniform("static", 3, 3, 3.75, 0.83, {{"code", "errors"}, {"book", "layer"}}),
       uniform("static, a book a channel", 3, 3, 3.7, 0.89, {{"code", "errors"}}),
       uniform("static, not coded", 3, 3, 4.2, 0.89, {}),
       uniform("static, a scale a layer", 2, 0, 2, 0.7, {{"scale_per", "layer"}}),
       uniform("static, a scale a channel", 2, 0, 2, 0.71, {}),
       uniform("whole, as accurate", 3, 0, 2.0, 0.86, unsigned_whole),
       uniform("whole", 3, 0, 1.9, 0.86, unsigned_whole),
       uniform("whole, the same", 3, 0, 1.9, 0.86, unsigned_whole),
       uniform("whole, four books", 3, 0, 1.7, 0.86, with(unsigned_whole, "contexts", 4)),
       uniform("whole, all important", 2, 2, 2.4, 0.84, with(unsigned_whole, "ratio", 1)),
       uniform("whole, some important", 2, 1, 2.2, 0.84, unsigned_whole),
       noisy(3, "offline", 0.88),
       noisy(4, "online", 0.87),
       uniform("powers of two", 3, 0, 3, 0.9, {{"family", "pot"}})});
}

/// A directory with result files and spaces that name them.
struct Files {
  TemporaryDirectory directory{"deltatwin-activations"};

  [[nodiscard]] std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  void write(const std::string& name, const json::object& object) const {
    write_file(path(name), json::serialize(object));
  }
  [[nodiscard]] Evaluator evaluator(const std::string& top, const std::string& fields) const {
    return {parse_space(R"({"format": "deltatwin-space-1", "devices": "xc7z020", "top": ")" + top + "\", " +
                            fields + "}",
                        path("space.json")),
            "/nonexistent"};
  }
  /// Of the space's one design; empty: none is known.
  [[nodiscard]] std::string method(const std::string& top, const std::string& fields) const {
    const Evaluator evaluator =
        this->evaluator(top, fields + R"(, "activations": "results.json", "optimize": "throughput")");
    REQUIRE(evaluator.space().size() == 1);
    const DesignPoint point = evaluator.evaluate(0);
    CAPTURE(fields);
    REQUIRE(point.verdict == Verdict::feasible);
    const auto& methods = evaluator.schema().tables.back().rows;
    std::vector<double> figures;
    for (std::size_t f = 0; f < evaluator.space().figures.size(); ++f)
      if (const std::string& name = evaluator.space().figures[f].name;
          name == "bits_per_value" || name == "accuracy")
        figures.push_back(point.figures[f]);
    REQUIRE(figures.size() == 2);
    const double stored = point.stored[evaluator.schema().stored.size() - 1];
    CHECK(std::isnan(stored) == std::isnan(figures[0]));
    CHECK(std::isnan(stored) == std::isnan(figures[1]));
    if (std::isnan(stored))
      return "";
    const auto& row = methods[static_cast<std::size_t>(stored)];
    CHECK(row[2] == figures[0]);
    CHECK(row[3] == figures[1]);
    return json::value_to<std::string>(row[1]);
  }
};

const std::string bits_space = R"("activations": ["results.json", "other.json"],
  "mode": ["paper", "static", "whole"], "values": ["signed", "unsigned"], "bits": {"from": 2, "to": 4},
  "extra": [0, 3], "books": [1, 4], "lanes": [1, 2], "depth": 196, )";

} // namespace

TEST_CASE("activation results: each design has the figures of the method that it runs") {
  const Files files;
  files.write("results.json", standard());
  const std::pair<std::string, std::string> of_edqa[] = {
      {R"("mode": "paper")", "paper"},
      {R"("mode": "paper", "values": "unsigned")", "paper, unsigned"},
      {R"("mode": "paper", "bits": 4, "extra": 0)", "paper, no extra bits"},
      {R"("mode": "paper", "depth": 196)", "paper"},
      {R"("mode": "paper", "depth": 195)", ""}, // a channel has more
      {R"("mode": "paper", "rounding": "half_down")", ""},
      {R"("mode": "paper", "shifting_error": "raw")", ""},
      {R"("mode": "static")", "static"},
      {R"("mode": "static", "values": "unsigned")", ""},
      {R"("mode": "static", "bits": 2, "extra": 0)", "static, a scale a channel"}, // the most accurate
      {R"("mode": "static", "bits": 2)", ""},
      {R"("mode": "whole", "extra": 0)", ""},
      {R"("mode": "whole", "extra": 0, "values": "unsigned")", "whole"}, // of the most accurate the shortest
      {R"("mode": "whole", "extra": 0, "values": "unsigned", "books": 4)", "whole, four books"},
      {R"("mode": "whole", "extra": 0, "values": "unsigned", "books": 2)", ""},
      {R"("mode": "whole", "bits": 2, "extra": 2, "values": "unsigned")", "whole, all important"},
      {R"("mode": "whole", "bits": 2, "extra": 1, "values": "unsigned")", ""},
      {R"("mode": "static", "bits": 3, "extra": 0)", ""}, // not the one of powers of two
  };
  for (const auto& [fields, method] : of_edqa) {
    CAPTURE(fields);
    CHECK(files.method("edqa", fields) == method);
  }
  CHECK(files.method("noisyquant", R"("width": 14, "mode": "offline")") == "noisyquant offline");
  CHECK(files.method("noisyquant", R"("width": 14, "mode": "online", "bits": 4)") == "noisyquant online");
  CHECK(files.method("noisyquant", R"("width": 14, "mode": "online")").empty());
  CHECK(files.method("noisyquant", R"("width": 13, "mode": "offline")").empty());
  // A network with blocks too narrow for the value above takes one book.
  json::object narrow = standard();
  narrow["blocks"] = {{{"channels", 4}, {"rows", 3}, {"columns", 3}}};
  files.write("results.json", narrow);
  CHECK(files.method("edqa", R"("mode": "whole", "extra": 0, "values": "unsigned", "books": 4)").empty());
  CHECK(files.method("edqa", R"("mode": "whole", "extra": 0, "values": "unsigned")") == "whole");
}

TEST_CASE("activation results: columns and objectives are there with a file, and only then") {
  const Files files;
  files.write("results.json", standard());
  json::object other = standard();
  other["network"] = "other";
  other["methods"] = {uniform("other's", 3, 0, 1.8, 0.5, unsigned_whole)};
  files.write("other.json", other);
  for (const std::string top : {"edqa", "noisyquant"}) {
    const Evaluator without = files.evaluator(top, R"("optimize": "throughput")");
    Database database = Database::create(files.path("without-" + top + ".sqlite"), without, {});
    CHECK(sweep(without, database, 1, false, [](std::uint64_t, std::uint64_t) {}));
    const std::vector<std::string> columns = database.columns();
    for (const char* column : {"accuracy", "bits_per_value", "method", "network"})
      CHECK(std::find(columns.begin(), columns.end(), column) == columns.end());
    CHECK(std::find(columns.begin(), columns.end(), "cycles_per_value") != columns.end());
    CHECK(report_data(without, database, load_front(without, database)).at("unknown").as_object().empty());
  }

  const Evaluator evaluator = files.evaluator(
      "edqa", bits_space + R"("optimize": ["bits_per_value", "accuracy", "cycles_per_value"])");
  Database database = Database::create(files.path("a.sqlite"), evaluator, {});
  CHECK(sweep(evaluator, database, 1, false, [](std::uint64_t, std::uint64_t) {}));
  std::vector<std::uint64_t> ids;
  std::uint64_t unknown = 0;
  for (std::uint64_t id = 0; id < evaluator.space().size(); ++id) {
    const DesignPoint point = evaluator.evaluate(id);
    if (point.verdict != Verdict::feasible)
      continue;
    ids.push_back(id);
    unknown += std::isnan(point.stored[evaluator.schema().stored.size() - 1]);
  }
  REQUIRE(unknown > 0);
  REQUIRE(unknown < ids.size());
  CHECK(database.unknown("accuracy") == unknown);
  CHECK(database.unknown("bits_per_value") == unknown);
  CHECK(database.unknown("network") == 0);
  const std::vector<DesignPoint> front = load_front(evaluator, database);
  REQUIRE_FALSE(front.empty());
  for (const json::object& row : describe_points(database, front)) {
    CHECK(row.at("accuracy").is_double());
    CHECK(row.at("bits_per_value").is_double());
    CHECK(row.at("lanes") == 2); // half the cycles a value
  }
  const json::object data = report_data(evaluator, database, front);
  CHECK(data.at("unknown").at("accuracy") == unknown);
  CHECK(data.at("networks").as_array().empty()); // these are the accelerator's
  CHECK_THAT(front_csv(evaluator, database, front),
             Catch::Contains(",network,method,bits_per_value,accuracy,") &&
                 Catch::Contains(",mine,\"whole, four books\",1.7,0.86,") &&
                 !Catch::Contains("--activations"));
  std::set<std::string> found;
  for (const json::object& row : database.designs(ids)) {
    CHECK(row.at("accuracy").is_null() == row.at("method").is_null());
    CHECK(row.at("accuracy").is_null() == row.at("bits_per_value").is_null());
    found.insert(json::value_to<std::string>(row.at("network")) + " " + json::serialize(row.at("accuracy")));
  }
  CHECK(found.count("mine 8.6E-1") == 1);
  CHECK(found.count("other 5E-1") == 1);
  CHECK(found.count("other 8.6E-1") == 0);
  CHECK(found.count("other null") == 1);
}

TEST_CASE("activation results: the best of a network is one whose figures are known") {
  const Files files;
  files.write("results.json", standard());
  const Evaluator evaluator =
      files.evaluator("edqa", R"("activations": "results.json", "mode": ["static", "whole"], "bits": [5, 2],
                                 "extra": 0, "values": "signed", "optimize": "bits_per_value")");
  const std::string path = files.path("a.sqlite");
  {
    Database database = Database::create(path, evaluator, {});
    CHECK(sweep(evaluator, database, 1, false, [](std::uint64_t, std::uint64_t) {}));
  }
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  std::string found;
  const auto append = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(values[0]) + " " + (values[1] ? values[1] : "null") + "; ";
    return 0;
  };
  REQUIRE(sqlite3_exec(handle, "select mode, bits_per_value from best order by mode", append, &found,
                       nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  CHECK(found == "static 2.0; whole null; ");
}

TEST_CASE("activation results: constraints are not met by what is not known") {
  const Files files;
  files.write("results.json", standard());
  const auto verdict = [&](const std::string& fields) {
    return files.evaluator("edqa", fields + R"(, "activations": "results.json", "optimize": "lut_share")")
        .evaluate(0)
        .verdict;
  };
  CHECK(verdict(R"("constraints": {"minimum_accuracy": 0.81, "maximum_bits_per_value": 3.8})") ==
        Verdict::feasible);
  CHECK(verdict(R"("constraints": {"minimum_accuracy": 0.82})") == Verdict::below_minimum);
  CHECK(verdict(R"("constraints": {"maximum_bits_per_value": 3.7})") == Verdict::above_maximum);
  CHECK(verdict(R"("bits": 5, "constraints": {"minimum_accuracy": 0.1})") == Verdict::below_minimum);
  CHECK(verdict(R"("bits": 5, "constraints": {"maximum_bits_per_value": 8})") == Verdict::above_maximum);
  CHECK(verdict(R"("bits": 5)") == Verdict::feasible);
}

TEST_CASE("activation results: a file changes the fingerprint, and what is wrong with one is named") {
  const Files files;
  files.write("results.json", standard());
  const std::string fields = R"("activations": "results.json", "optimize": "accuracy")";
  const std::string before = files.evaluator("edqa", fields).fingerprint();
  CHECK(files.evaluator("edqa", fields).fingerprint() == before);
  json::object changed = standard();
  changed["methods"].as_array()[1].as_object()["accuracy"] = 0.8;
  files.write("results.json", changed);
  CHECK(files.evaluator("edqa", fields).fingerprint() != before);

  const auto complaint = [&](const std::string& space) {
    return refusal([&] { (void)files.evaluator("edqa", space); });
  };
  for (const char* field :
       {"format", "network", "dataset", "images", "float_accuracy", "blocks", "methods"}) {
    json::object cut = standard();
    cut.erase(field);
    files.write("results.json", cut);
    CHECK_THAT(complaint(fields),
               Catch::Contains("/results.json: \"" + std::string(field) + "\" is missing"));
  }
  for (const char* field : {"method", "family", "bits", "extra_bits", "ratio", "signed", "dynamic_scale",
                            "contexts", "accuracy", "bits_per_value", "scale_per", "fit", "code", "book"}) {
    json::object cut = standard();
    cut["methods"].as_array()[1].as_object().erase(field);
    files.write("results.json", cut);
    CHECK_THAT(complaint(fields), Catch::Contains("/results.json: methods[1]") &&
                                      Catch::Contains("\"" + std::string(field) + "\" is missing"));
  }
  json::object wrong = standard();
  wrong["methods"].as_array()[2].as_object()["code"] = "some";
  files.write("results.json", wrong);
  CHECK_THAT(complaint(fields), Catch::Contains("/results.json: methods[2].code: \"some\" is none of"));
  write_file(files.path("results.json"), "{");
  CHECK_THAT(complaint(fields), Catch::Contains("/results.json: line 1"));
  CHECK_THAT(complaint(R"("activations": "none.json", "optimize": "accuracy")"),
             Catch::Contains("/none.json: cannot be read"));
  for (const char* figure : {"accuracy", "bits_per_value"})
    CHECK_THAT(complaint(R"("optimize": ")" + std::string(figure) + "\""),
               Catch::Contains(std::string(figure) + " is known where a space names files"));
  files.write("results.json", standard());
  files.write("same.json", standard());
  CHECK_THAT(complaint(R"("activations": ["results.json", "same.json"], "optimize": "lut_share")"),
             Catch::Contains("/same.json: ") && Catch::Contains("network mine, too"));
  CHECK_THAT(complaint(R"("activations": [], "optimize": "lut_share")"),
             Catch::Contains("expected at least one element"));
}

TEST_CASE("activation results: the spaces and results that come with the project are in order") {
  for (const char* name : {"edqa_bits", "noisyquant_bits"}) {
    const Evaluator evaluator(load_space(source_path("traces/spaces/" + std::string(name) + ".json")),
                              "/nonexistent");
    std::vector<DesignPoint> points;
    for (std::uint64_t id = 0; id < evaluator.space().size(); ++id)
      points.push_back(evaluator.evaluate(id));
    CHECK_FALSE(pareto_front(evaluator.space(), points).empty());
  }
}
