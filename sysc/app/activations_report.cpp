#include "app/activations_report.h"
#include "app/text.h"
#include <algorithm>
#include <chrono>
#include <map>

namespace deltatwin {
namespace {

std::string percent(double share) { return fixed(100 * share, 2); }

// Each once, in the order of their first.
void append(std::vector<Method>& methods, const Method& method) {
  const auto same = [&](const Method& each) {
    return each.quantization == method.quantization && each.storage == method.storage;
  };
  if (std::none_of(methods.begin(), methods.end(), same))
    methods.push_back(method);
}

Method named(const std::string& name, int bits, const std::string& more = "") {
  return parse_method(name + ":n=" + std::to_string(bits) + (more.empty() ? "" : "," + more));
}

MethodRow row(const ActivationsSetup& setup, const std::string& title, const std::string& name,
              const std::string& more, std::vector<double> paper) {
  MethodRow result = {title, {}, std::move(paper)};
  for (const int bits : setup.bits)
    result.methods.push_back(named(name, bits, more));
  return result;
}

MethodRow edqa_row(const ActivationsSetup& setup, const std::string& title, const std::string& more,
                   std::vector<double> paper) {
  MethodRow result = {title, {}, std::move(paper)};
  for (const int bits : setup.bits)
    result.methods.push_back(edqa(setup, bits, more));
  return result;
}

// The first ones are what one instance of the hardware can have: a book a layer, or one for each context.
const char* const whole_codes[] = {"code=whole,book=layer",
                                   "code=whole,book=layer,contexts=2",
                                   "code=whole,book=layer,contexts=4",
                                   "code=whole,book=layer,contexts=8",
                                   "code=whole,book=channel",
                                   "code=whole,book=channel,contexts=4",
                                   "code=whole,book=image"};
const char* const context_code = "code=whole,book=layer,contexts=4";

struct Ranked {
  const MethodResult* result;
  bool best;
};

// By bits; `best`: no other takes as few bits with as good an accuracy.
std::vector<Ranked> by_bits(const std::vector<Method>& methods, const Study& study) {
  std::vector<const MethodResult*> results;
  for (const Method& method : methods)
    results.push_back(&study.result(method));
  std::stable_sort(results.begin(), results.end(), [](const MethodResult* a, const MethodResult* b) {
    return a->bits_a_value < b->bits_a_value;
  });
  std::vector<std::pair<double, double>> points;
  for (const MethodResult* result : results)
    points.emplace_back(result->bits_a_value, result->accuracy);
  const std::vector<bool> worse = dominated(points);
  std::vector<Ranked> ranked;
  for (std::size_t i = 0; i < results.size(); ++i)
    ranked.push_back({results[i], !worse[i]});
  return ranked;
}

const std::vector<double> ratios = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
const std::vector<std::pair<const char*, const char*>> rankings = {{"greedy", "greedy ranking"},
                                                                   {"energy", "ranking by error energy"}};

Method swept(const ActivationsSetup& setup, double ratio, int extra, const std::string& ranking) {
  return named("edqa", setup.figure_bits,
               "m=" + std::to_string(extra) + ",r=" + shortest(ratio) + ",rank=" + ranking);
}

int most_extra(const ActivationsSetup& setup) { return std::min(setup.extra, setup.figure_bits); }

Method distribution_method(const ActivationsSetup& setup, int bits) { return edqa(setup, bits); }

} // namespace

Method edqa(const ActivationsSetup& setup, int bits, const std::string& more) {
  const int extra = std::min({setup.extra, bits, 8 - bits});
  return named("edqa", bits,
               "m=" + std::to_string(extra) + ",r=" + shortest(setup.ratio) +
                   (more.empty() ? "" : "," + more));
}

std::vector<MethodRow> method_rows(const ActivationsSetup& setup) {
  std::vector<MethodRow> rows = {
      row(setup, "Direct", "direct", "", {52.85, 87.74, 91.33}),
      row(setup, "PoT, as in the text", "pot", "", {28.17, 79.9, 80.22}),
      row(setup, "PoT, as released", "pot", "reading=released", {}),
      row(setup, "NoisyQuant, once", "noisyquant", "", {}),
  };
  if (setup.online)
    rows.push_back(
        row(setup, "NoisyQuant, online", "noisyquant", "search=online,steps=10", {71.22, 89.66, 91.86}));
  else
    rows.back().paper = {71.22, 89.66, 91.86};
  rows.push_back(edqa_row(setup, "eDQA, greedy", "", {82.13, 90.55, 92.12}));
  rows.push_back(edqa_row(setup, "eDQA, by error energy", "rank=energy", {}));
  rows.push_back(edqa_row(setup, "eDQA, random channels", "rank=random", {}));
  rows.push_back(edqa_row(setup, "eDQA, image scales", "per=image", {}));
  rows.push_back(row(setup, "unsigned, static", "unsigned", "", {}));
  return rows;
}

std::string method_table(const std::vector<MethodRow>& rows, const ActivationsSetup& setup,
                         const Study& study) {
  TextTable table;
  table.add_column("method", TextTable::left, 9);
  for (const int bits : setup.bits) {
    table.add_column("N=" + std::to_string(bits) + " %", TextTable::right, 8);
    table.add_column("bits", TextTable::right, 7);
  }
  table.add_column("paper, N=3, 4, 5", TextTable::left, 6);
  for (const MethodRow& each : rows) {
    std::vector<std::string> cells = {each.name};
    for (const Method& method : each.methods) {
      const MethodResult& result = study.result(method);
      cells.push_back(percent(result.accuracy));
      cells.push_back(fixed(result.bits_a_value, 2));
    }
    std::string paper;
    for (const double accuracy : each.paper)
      paper += (paper.empty() ? "" : " / ") + fixed(accuracy, 1);
    cells.push_back(paper);
    table.add_row(cells);
  }
  return table.text();
}

std::vector<Method> storage_methods(const ActivationsSetup& setup) {
  std::vector<Method> methods;
  for (const int bits : setup.bits) {
    append(methods, named("direct", bits));
    if (bits < 8)
      append(methods, named("direct", bits + 1));
    append(methods, named("noisyquant", bits));
    append(methods, edqa(setup, bits));
    append(methods, edqa(setup, bits, "book=channel"));
    append(methods, edqa(setup, bits, "book=image"));
    append(methods, edqa(setup, bits, "per=image,book=image"));
    append(methods, edqa(setup, bits, "code=whole,book=layer"));
    append(methods, edqa(setup, bits, "code=whole,book=channel"));
    append(methods, edqa(setup, bits, context_code));
  }
  for (const int bits : setup.low_bits) {
    append(methods, named("unsigned", bits));
    append(methods, named("unsigned", bits, "scale=dynamic,fit=max"));
    append(methods, named("unsigned", bits, "per=layer"));
    for (const char* code : whole_codes)
      append(methods, named("unsigned", bits, code));
  }
  return methods;
}

std::vector<Method> hardware_methods(const ActivationsSetup& setup) {
  std::vector<Method> methods;
  const auto edqa_of = [&](int bits, const std::string& more) { append(methods, edqa(setup, bits, more)); };
  for (const int bits : setup.bits) {
    append(methods, named("direct", bits, "per=image"));
    append(methods, named("unsigned", bits, "per=image,scale=dynamic,fit=max"));
    append(methods, named("direct", bits, "scale=static,fit=lse"));
    append(methods, named("unsigned", bits));
    for (const char* sign : {"", ",sign=no"}) {
      edqa_of(bits, std::string("per=image,book=image") + sign);
      edqa_of(bits, std::string("scale=static,fit=lse,book=layer") + sign);
    }
    for (const std::string name : {"direct", "unsigned"})
      for (const char* contexts : {"", ",contexts=2", ",contexts=4", ",contexts=8"})
        append(methods,
               named(name, bits, std::string("scale=static,fit=lse,code=whole,book=layer") + contexts));
    append(methods, named("noisyquant", bits));
    if (setup.online)
      append(methods, named("noisyquant", bits, "search=online,steps=10"));
  }
  return methods;
}

std::string storage_table(const std::vector<Method>& methods, const MethodResult& real, const Study& study) {
  TextTable table;
  table.add_column("bits", TextTable::right, 9);
  for (const char* head : {"accuracy %", "lost", "+-"})
    table.add_column(head, TextTable::right, 9);
  table.add_column("best", TextTable::left, 8);
  table.add_column("method", TextTable::left, 9);
  for (const Ranked& each : by_bits(methods, study)) {
    const Difference lost = difference(real, *each.result);
    table.add_row({fixed(each.result->bits_a_value, 2), percent(each.result->accuracy),
                   fixed(100 * lost.mean, 2), fixed(100 * lost.error, 2), each.best ? "*" : "",
                   to_string(each.result->method)});
  }
  return table.text();
}

std::string best_at_equal_bits(const std::vector<Method>& methods, const Study& study) {
  std::string text;
  const std::vector<Ranked> ranked = by_bits(methods, study);
  for (const double most : {1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0}) {
    const MethodResult* best = nullptr;
    const MethodResult* best_edqa = nullptr;
    for (const Ranked& each : ranked) {
      if (each.result->bits_a_value > most + 1e-9)
        break;
      if (!best || each.result->accuracy > best->accuracy)
        best = each.result;
      const Method& method = each.result->method;
      const bool as_paper = method.quantization.extra > 0 && method.storage.coded == Coded::errors;
      if (as_paper && (!best_edqa || each.result->accuracy > best_edqa->accuracy))
        best_edqa = each.result;
    }
    if (best)
      text += folded("  at most " + fixed(most, 1) + " bits: " + percent(best->accuracy) + " % by " +
                     to_string(best->method) + " (" + fixed(best->bits_a_value, 2) + " bits)" +
                     (best_edqa ? "; eDQA with coded errors " + percent(best_edqa->accuracy) + " %"
                                : "; eDQA with coded errors does not go so low"));
  }
  return text;
}

std::vector<Method> figure_methods(const ActivationsSetup& setup) {
  std::vector<Method> methods;
  for (const int bits : setup.bits)
    append(methods, distribution_method(setup, bits));
  for (const auto& ranking : rankings) {
    for (const double ratio : ratios)
      append(methods, swept(setup, ratio, most_extra(setup), ranking.first));
    for (int extra = 1; extra <= most_extra(setup); ++extra)
      append(methods, swept(setup, setup.ratio, extra, ranking.first));
  }
  return methods;
}

std::vector<Figure> figures(const ActivationsSetup& setup, const Study& study) {
  const std::string extra = std::to_string(most_extra(setup)), bits = std::to_string(setup.figure_bits);
  Chart errors = {"Shifting errors, m = " + std::to_string(setup.extra) + " (at most N)",
                  "shifting error",
                  "share",
                  {},
                  true};
  for (const int n : setup.bits) {
    ChartSeries series = {"N = " + std::to_string(n), {}};
    const std::vector<std::uint64_t>& counts = study.result(distribution_method(setup, n)).error_counts;
    double all = 0;
    for (const std::uint64_t count : counts)
      all += static_cast<double>(count);
    for (std::size_t error = 0; error < counts.size(); ++error)
      series.points.emplace_back(static_cast<double>(error),
                                 all > 0 ? static_cast<double>(counts[error]) / all : 0);
    errors.series.push_back(std::move(series));
  }
  Chart by_ratio = {
      "Accuracy by the share of important channels, N = " + bits + ", m = " + extra, "r", "accuracy %", {}};
  Chart by_extra = {
      "Accuracy by extra bits, N = " + bits + ", r = " + shortest(setup.ratio), "m", "accuracy %", {}};
  for (const auto& [word, name] : rankings) {
    ChartSeries ratio_series = {name, {}}, extra_series = {name, {}};
    for (const double ratio : ratios)
      ratio_series.points.emplace_back(
          ratio, 100 * study.result(swept(setup, ratio, most_extra(setup), word)).accuracy);
    for (int m = 1; m <= most_extra(setup); ++m)
      extra_series.points.emplace_back(m, 100 * study.result(swept(setup, setup.ratio, m, word)).accuracy);
    by_ratio.series.push_back(std::move(ratio_series));
    by_extra.series.push_back(std::move(extra_series));
  }
  return {{"figure2", errors}, {"figure3", by_ratio}, {"figure4", by_extra}};
}

Figure storage_figure(const ActivationsSetup& setup, const Study& study) {
  Chart chart = {"Accuracy at equal storage", "bits a value", "accuracy %", {}};
  const auto add = [&](const std::string& name, const std::vector<int>& all, const auto& method) {
    ChartSeries series = {name, {}};
    for (const int bits : all) {
      const MethodResult& result = study.result(method(bits));
      series.points.emplace_back(result.bits_a_value, 100 * result.accuracy);
    }
    std::sort(series.points.begin(), series.points.end());
    chart.series.push_back(std::move(series));
  };
  add("Direct", setup.bits, [](int bits) { return named("direct", bits); });
  add("eDQA", setup.bits, [&](int bits) { return edqa(setup, bits); });
  add("eDQA, whole value coded", setup.bits, [&](int bits) { return edqa(setup, bits, context_code); });
  add("unsigned, static", setup.low_bits, [](int bits) { return named("unsigned", bits); });
  add("unsigned, static, coded", setup.low_bits,
      [](int bits) { return named("unsigned", bits, context_code); });
  return {"storage", chart};
}

std::vector<CompressionResult> compression(const Stages& stages, Planner& planner, const ImageSet& images,
                                           const Method& method, const WorkProgress& progress) {
  using Clock = std::chrono::steady_clock;
  const Plan plan = planner.plan(method.quantization);
  struct Sums {
    std::vector<double> plain, packed;
    double seconds = 0;
  };
  const std::size_t blocks = stages.shapes().size();
  std::map<Compressor, Sums> sums;
  for (const Compressor each : compressors)
    if (is_there(each))
      sums[each] = {std::vector<double>(blocks), std::vector<double>(blocks)};
  EvaluationOptions options;
  options.progress = progress;
  options.errors = [&](std::size_t block, int, const std::vector<std::uint8_t>& errors) {
    for (auto& [compressor, sum] : sums) {
      const auto begin = Clock::now();
      sum.packed[block] +=
          static_cast<double>(compressed_bits(compressor, errors, method.quantization.extra));
      sum.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
      sum.plain[block] += static_cast<double>(errors.size()) * method.quantization.extra;
    }
  };
  static_cast<void>(evaluate(stages, images, plan, {}, options));
  const int batches = (images.data.count + options.batch - 1) / options.batch;
  std::vector<CompressionResult> results;
  for (const auto& [compressor, sum] : sums) {
    CompressionResult result;
    result.compressor = compressor;
    double plain = 0, packed = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
      plain += sum.plain[block];
      packed += sum.packed[block];
      result.block_ratios.push_back(sum.packed[block] > 0 ? sum.plain[block] / sum.packed[block] : 0);
    }
    result.ratio = packed > 0 ? plain / packed : 0;
    result.seconds_a_batch = sum.seconds / batches;
    results.push_back(std::move(result));
  }
  return results;
}

std::string compression_table(const std::vector<CompressionResult>& results) {
  const std::map<Compressor, double> paper = {{Compressor::huffman, 1.12},
                                              {Compressor::deflate, 1.12},
                                              {Compressor::lzma, 1.12},
                                              {Compressor::zstd, 1.14}};
  TextTable table;
  table.add_column("compressor", TextTable::left, 9);
  for (const char* head : {"ratio", "paper", "least of a block", "most", "ms a batch"})
    table.add_column(head, TextTable::right, 8);
  for (const CompressionResult& each : results) {
    double least = 0, most = 0;
    for (const double ratio : each.block_ratios)
      if (ratio > 0) {
        least = least > 0 ? std::min(least, ratio) : ratio;
        most = std::max(most, ratio);
      }
    table.add_row({to_string(each.compressor), fixed(each.ratio, 3), fixed(paper.at(each.compressor), 2),
                   fixed(least, 2), fixed(most, 2), fixed(1000 * each.seconds_a_batch, 1)});
  }
  std::string text = table.text();
  for (const Compressor each : compressors)
    if (!is_there(each))
      text += std::string("  ") + to_string(each) + " is not in this build\n";
  return text;
}

std::string block_table(const std::vector<BlockShape>& shapes, const BlockAccuracy& accuracy, double real,
                        const Study& study) {
  TextTable table;
  table.add_column("block", TextTable::right, 9);
  table.add_column("values", TextTable::left, 8);
  for (const char* head : {"alone %", "lost", "bits a value", "share of bits %", "error / signal"})
    table.add_column(head, TextTable::right, 7);
  const MethodResult& result = study.result(accuracy.method);
  double all = 0;
  for (std::size_t b = 0; b < shapes.size(); ++b)
    all += result.layer_bits[b] * shapes[b].values();
  for (std::size_t block = 0; block < shapes.size(); ++block) {
    const LayerResult& layer = result.layers[block];
    const BlockShape& shape = shapes[block];
    table.add_row({std::to_string(block + 1),
                   std::to_string(shape.channels) + " x " + std::to_string(shape.rows) + " x " +
                       std::to_string(shape.columns),
                   percent(accuracy.alone[block]), fixed(100 * (real - accuracy.alone[block]), 2),
                   fixed(result.layer_bits[block], 2),
                   fixed(100 * result.layer_bits[block] * shape.values() / all, 1),
                   fixed(layer.signal > 0 ? layer.error / layer.signal : 0, 4)});
  }
  return to_string(accuracy.method) + ", all blocks " + percent(result.accuracy) + " %\n" + table.text();
}

boost::json::object to_json(const MethodResult& result, const MethodResult& real) {
  const Difference lost = difference(real, result);
  const Quantization& q = result.method.quantization;
  boost::json::array blocks;
  for (std::size_t block = 0; block < result.layers.size(); ++block) {
    const LayerResult& layer = result.layers[block];
    blocks.push_back({{"bits_per_value", result.layer_bits[block]},
                      {"error_share", layer.signal > 0 ? layer.error / layer.signal : 0.0}});
  }
  const char* families[] = {"float", "uniform", "pot", "noisyquant"};
  boost::json::object json = {{"method", to_string(result.method)},
                              {"family", families[static_cast<std::size_t>(q.family)]},
                              {"bits", q.family == Family::real ? 32 : q.bits},
                              {"extra_bits", q.extra},
                              {"ratio", q.ratio},
                              {"signed", q.is_signed},
                              {"dynamic_scale", q.dynamic},
                              {"contexts", result.method.storage.contexts},
                              {"accuracy", result.accuracy},
                              {"lost", lost.mean},
                              {"lost_error", lost.error},
                              {"bits_per_value", result.bits_a_value},
                              {"book_bits_per_value", result.header_bits_a_value},
                              {"error_share", result.error_share},
                              {"blocks", std::move(blocks)}};
  for (const auto& [field, key] :
       {std::pair("scale_per", "per"), std::pair("fit", "fit"), std::pair("code", "code"),
        std::pair("book", "book"), std::pair("search", "search")})
    if (const std::string value = word(result.method, key); !value.empty())
      json[field] = value;
  return json;
}

boost::json::object to_json(const CompressionResult& result) {
  return {{"compressor", to_string(result.compressor)},
          {"ratio", result.ratio},
          {"block_ratios", boost::json::array(result.block_ratios.begin(), result.block_ratios.end())},
          {"seconds_per_batch", result.seconds_a_batch}};
}

} // namespace deltatwin
