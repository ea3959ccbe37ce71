#include "app/result_files.h"
#include "app/numbers.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "net/argmax.h"
#include "net/npy.h"
#include "net/softmax.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

namespace deltatwin {
namespace {

constexpr std::size_t largest_table = std::size_t{1} << 28;
const std::set<std::string> names_of_label = {"label", "labels", "class"};

// A table of a CSV file, its header apart.
struct Table {
  std::vector<std::string> header; ///< empty: there is none
  std::vector<std::vector<std::string>> rows;
};

bool is_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && std::isfinite(value);
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line)
    if (c == ',')
      cells.emplace_back();
    else if (c != '\r' && (c != ' ' || !cells.back().empty()) && c != '"')
      cells.back() += c;
  for (std::string& cell : cells)
    cell.erase(cell.find_last_not_of(' ') + 1);
  return cells;
}

Table read_table(const std::string& path) {
  const std::string text = read_file(path, largest_table);
  Table table;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::vector<std::string> cells = cells_of(text.substr(at, end - at));
    at = end + 1;
    if (cells.size() == 1 && cells[0].empty())
      continue;
    const bool first = table.rows.empty() && table.header.empty();
    if (first && !is_number(cells.back())) {
      table.header = std::move(cells);
      continue;
    }
    const std::size_t width =
        table.header.empty() ? (first ? cells.size() : table.rows[0].size()) : table.header.size();
    if (cells.size() != width)
      throw InputError(path + ": line " + std::to_string(number) + " has " + std::to_string(cells.size()) +
                       " columns, expected " + std::to_string(width));
    table.rows.push_back(std::move(cells));
  }
  if (table.rows.empty())
    throw InputError(path + ": has no line of numbers");
  return table;
}

// The column of labels: of that name, or, without a header, the last one.
std::optional<std::size_t> label_column(const Table& table) {
  if (table.header.empty())
    return table.rows[0].size() - 1;
  for (std::size_t c = 0; c < table.header.size(); ++c)
    if (names_of_label.count(table.header[c]))
      return c;
  return std::nullopt;
}

double number_at(const std::string& path, const Table& table, std::size_t row, std::size_t column) {
  const std::string& cell = table.rows[row][column];
  if (!is_number(cell))
    throw InputError(path + ": row " + std::to_string(row) + ", column " + std::to_string(column) + ": \"" +
                     printable(cell).substr(0, 40) + "\" is no number");
  return std::strtod(cell.c_str(), nullptr);
}

std::vector<int> labels_of(const std::string& path, const Table& table, std::size_t column) {
  std::vector<int> labels;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const double label = number_at(path, table, r, column);
    if (label < 0 || label > 1e6 || label != std::floor(label))
      throw InputError(path + ": row " + std::to_string(r) + ": " + table.rows[r][column] + " is no label");
    labels.push_back(static_cast<int>(label));
  }
  return labels;
}

void check_count(const std::string& path, std::size_t rows, int images) {
  if (rows < static_cast<std::size_t>(images))
    throw InputError(path + ": has " + std::to_string(rows) + " rows for " + std::to_string(images) +
                     " images");
}

// Columns of outputs: all but names and labels.
std::vector<std::size_t> output_columns(const Table& table) {
  std::vector<std::size_t> columns;
  for (std::size_t c = 0; c < table.rows[0].size(); ++c)
    if (table.header.empty() || (!names_of_label.count(table.header[c]) && is_number(table.rows[0][c]) &&
                                 table.header[c] != "name" && table.header[c] != "image"))
      columns.push_back(c);
  return columns;
}

// The column of labels, where there is one to be read.
std::optional<std::size_t> told_labels(const FileOptions& options, const Table& table) {
  const auto column = label_column(table);
  if (!options.labels.empty() && !column)
    throw InputError(options.labels + ": has no column \"label\"");
  return options.labels.empty() && table.header.empty() ? std::nullopt : column;
}

std::size_t decimals(const std::string& number) {
  const std::size_t point = number.find('.');
  return point == std::string::npos ? 0 : number.size() - point - 1;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::size_t width_of(const Outputs& outputs) {
  return static_cast<std::size_t>(outputs.graph.tensors[outputs.graph.output].elements());
}

std::vector<double> probabilities_of(const Outputs& outputs, std::size_t image) {
  const auto first = outputs.values.begin() + static_cast<std::ptrdiff_t>(image * width_of(outputs));
  return probabilities(outputs.graph, {first, first + static_cast<std::ptrdiff_t>(width_of(outputs))});
}

std::string csv_text(const Outputs& outputs) {
  const std::size_t width = width_of(outputs);
  const bool has_probabilities = outputs.graph.softmax.has_value();
  std::string text;
  for (std::size_t o = 0; o < width; ++o)
    text += (o ? ",out" : "out") + std::to_string(o);
  for (std::size_t o = 0; has_probabilities && o < width; ++o)
    text += ",p" + std::to_string(o);
  text += '\n';
  for (std::size_t i = 0; i < static_cast<std::size_t>(outputs.images); ++i) {
    for (std::size_t o = 0; o < width; ++o)
      text += (o ? "," : "") + std::to_string(outputs.values[i * width + o]);
    if (has_probabilities)
      for (const double probability : probabilities_of(outputs, i))
        text += "," + shortest(probability);
    text += '\n';
  }
  return text;
}

std::string npy_of(const Outputs& outputs) {
  const Tensor& tensor = outputs.graph.tensors[outputs.graph.output];
  NpyArray array;
  array.kind = tensor.format.is_signed ? NpyArray::Kind::signed_integer : NpyArray::Kind::unsigned_integer;
  array.bytes = tensor.format.bits > 8 ? 2 : 1;
  array.shape = {static_cast<std::uint64_t>(outputs.images)};
  for (const int size : tensor.shape)
    array.shape.push_back(static_cast<std::uint64_t>(size));
  for (const std::int32_t value : outputs.values)
    for (std::size_t b = 0; b < array.bytes; ++b)
      array.data += static_cast<char>(static_cast<std::uint32_t>(value) >> (8 * b));
  return npy_text(array);
}

} // namespace

void add_input_options(CLI::App& command, FileOptions& options) {
  command.add_option("--inputs", options.inputs,
                     "file of inputs instead of a data set: .npy, IDX, a CIFAR-10 batch, or raw records");
  command.add_option(
      "--input-type", options.type,
      "int8 or uint8: what raw records are; uint8 enter a network of int8 less 128 [as the network]");
}

void add_result_options(CLI::App& command, FileOptions& options, const std::string& outputs) {
  command.add_option("--labels", options.labels,
                     "CSV with a label a line: a column \"label\", or the last one");
  command.add_option("--expected", options.expected,
                     "CSV with the outputs that are expected, a line an image: integers, or probabilities");
  command.add_option(outputs, options.outputs, "where to write every output: .csv or .npy");
}

ByteType byte_type(const std::string& name) {
  if (name.empty())
    return ByteType::of_network;
  if (name != "int8" && name != "uint8")
    throw InputError("--input-type: \"" + name + "\" is none of int8, uint8");
  return name == "int8" ? ByteType::signed_byte : ByteType::unsigned_byte;
}

InputSet load_inputs(const FileOptions& options, const Tensor& tensor, int limit) {
  InputSet set = load_inputs(options.inputs, tensor, byte_type(options.type), limit);
  const std::string& path = options.labels.empty() ? options.expected : options.labels;
  if (path.empty())
    return set;
  const Table table = read_table(path);
  check_count(path, table.rows.size(), set.count);
  if (const auto column = told_labels(options, table)) {
    set.labels = labels_of(path, table, *column);
    set.labels.resize(static_cast<std::size_t>(set.count));
  }
  return set;
}

std::vector<int> load_labels(const FileOptions& options, int count) {
  const std::string& path = options.labels.empty() ? options.expected : options.labels;
  if (path.empty())
    return {};
  const Table table = read_table(path);
  check_count(path, table.rows.size(), count);
  std::vector<int> labels;
  if (const auto column = told_labels(options, table)) {
    labels = labels_of(path, table, *column);
    labels.resize(static_cast<std::size_t>(count));
    return labels;
  }
  const std::vector<std::size_t> columns = output_columns(table);
  if (columns.empty())
    throw InputError(path + ": has no column of outputs");
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
    std::vector<double> outputs;
    for (const std::size_t column : columns)
      outputs.push_back(number_at(path, table, row, column));
    labels.push_back(argmax(outputs.data(), outputs.size()));
  }
  return labels;
}

Comparison compare(const FileOptions& options, const Outputs& outputs) {
  const Table table = read_table(options.expected);
  const std::vector<std::size_t> columns = output_columns(table);
  const std::size_t width = width_of(outputs);
  if (columns.size() != width)
    throw InputError(options.expected + ": has " + std::to_string(columns.size()) +
                     " columns of outputs, the network has " + std::to_string(width) + " outputs");
  check_count(options.expected, table.rows.size(), outputs.images);
  std::size_t digits = 0;
  for (const auto& row : table.rows)
    for (const std::size_t c : columns)
      digits = std::max(digits, decimals(row[c]));
  if (digits > 0 && !outputs.graph.softmax)
    throw InputError(options.expected + ": holds fractions, but network " + outputs.graph.name +
                     " has no softmax: integers are possible");
  const double last = std::pow(10.0, -static_cast<double>(digits));
  Comparison result;
  result.images = outputs.images;
  for (std::size_t i = 0; i < static_cast<std::size_t>(outputs.images); ++i) {
    const std::vector<double> told = digits ? probabilities_of(outputs, i) : std::vector<double>();
    bool equal = true;
    for (std::size_t o = 0; o < width && equal; ++o) {
      const double expected = number_at(options.expected, table, i, columns[o]);
      const double value = digits ? told[o] : outputs.values[i * width + o];
      equal = std::abs(value - expected) < last;
      if (!equal && result.first.empty())
        result.first = "image " + std::to_string(i) + ", output " + std::to_string(o) + " is " +
                       shortest(value) + ", expected " + table.rows[i][columns[o]];
    }
    result.equal += equal;
  }
  return result;
}

void write_outputs(const FileOptions& options, const Outputs& outputs) {
  if (!options.outputs.empty())
    write_file(options.outputs, ends_with(options.outputs, ".npy") ? npy_of(outputs) : csv_text(outputs));
}

} // namespace deltatwin
