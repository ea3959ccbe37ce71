#pragma once
#include "base/device.h"
#include "base/resources.h"
#include <boost/json.hpp>
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// Where a command writes its result as JSON: a file, "-" for standard output, or nowhere (empty). Every
/// result begins with "format": "deltatwin-<command>-<version>".
void add_json_option(CLI::App& command, std::string& path);

/// To be called before a command prints or works: throws InputError unless the place can be written;
/// with "-", what is printed from here on goes to stderr, so that standard output is the JSON alone.
void prepare_json(const std::string& path);

/// `command`: "simulate". What is no number in JSON (infinite, not a number) becomes null.
void write_json(const std::string& path, const std::string& command, const boost::json::object& result,
                int version = 1);

/// A count of resources has the same name in every JSON: lut, lut_ram, ff, dsp, ramb18, ramb36, and bram36,
/// which is ramb36 and half of ramb18, rounded up.
[[nodiscard]] boost::json::object to_json(const Resources& used);
/// {"lut": {"used", "budget", "share", "estimate"}, "ff", "dsp", "bram36"}: LUTs and FFs are an estimate
/// where they are by the area model.
[[nodiscard]] boost::json::object to_json(const Resources& used, const Device& device, bool by_model);

/// Where results go unless the user names a place: traces/out of the project, whatever directory the
/// program runs in; relative in the project's own.
[[nodiscard]] std::string default_output_directory();

} // namespace deltatwin
