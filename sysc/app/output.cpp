#include "app/output.h"
#include "base/error.h"
#include "base/file.h"
#include "base/fit.h"
#include "base/paths.h"
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace deltatwin {
namespace {

FILE* json_stream = nullptr; // what standard output was, once it is kept for JSON

void make_finite(boost::json::value& value) {
  if (auto* object = value.if_object())
    for (auto& member : *object)
      make_finite(member.value());
  else if (auto* array = value.if_array())
    for (auto& element : *array)
      make_finite(element);
  else if (const double* number = value.if_double(); number && !std::isfinite(*number))
    value = nullptr;
}

} // namespace

void add_json_option(CLI::App& command, std::string& path) {
  command.add_option("--json", path,
                     "also write the result to this file; -: to standard output, and text to stderr");
}

void prepare_json(const std::string& path) {
  if (path.empty())
    return;
  if (path != "-")
    return check_writable(path);
  if (json_stream)
    return;
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  json_stream = kept < 0 ? nullptr : fdopen(kept, "w");
  if (!json_stream || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    throw InputError(std::string("--json -: standard output cannot be written: ") + std::strerror(errno));
}

void write_json(const std::string& path, const std::string& command, const boost::json::object& result,
                int version) {
  if (path.empty())
    return;
  boost::json::object whole = {{"format", "deltatwin-" + command + "-" + std::to_string(version)}};
  whole.insert(result.begin(), result.end());
  boost::json::value finite = std::move(whole);
  make_finite(finite);
  const std::string text = boost::json::serialize(finite) + "\n";
  if (path != "-")
    return write_file(path, text);
  std::fwrite(text.data(), 1, text.size(), json_stream);
  if (std::fflush(json_stream) != 0 || std::ferror(json_stream))
    throw InputError(std::string("standard output cannot be written: ") + std::strerror(errno));
}

boost::json::object to_json(const Resources& used) {
  boost::json::object json;
  for (const auto& [name, member] : resource_fields)
    json[name] = used.*member;
  json["bram36"] = used.bram36();
  return json;
}

boost::json::object to_json(const Resources& used, const Device& device, bool by_model) {
  constexpr const char* names[resource_kinds] = {"lut", "ff", "dsp", "bram36"};
  boost::json::object json;
  for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36}) {
    const int count = used_of(used, each), budget = budget_of(device, each);
    json[names[static_cast<int>(each)]] = {
        {"used", count},
        {"budget", budget},
        {"share", share(count, budget)},
        {"estimate", by_model && (each == Resource::lut || each == Resource::ff)}};
  }
  return json;
}

std::string default_output_directory() {
  std::error_code error;
  return std::filesystem::equivalent(".", source_path("."), error) ? "traces/out" : source_path("traces/out");
}

} // namespace deltatwin
