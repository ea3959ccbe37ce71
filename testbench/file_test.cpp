#include "base/error.h"
#include "base/file.h"
#include "refusal.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace deltatwin;
namespace fs = std::filesystem;

namespace {

mode_t mode(const std::string& path) {
  struct stat there {};
  REQUIRE(stat(path.c_str(), &there) == 0);
  return there.st_mode & 07777;
}

} // namespace

TEST_CASE("file: what need not end is not read") {
  const TemporaryDirectory directory("deltatwin-file");
  for (const std::string device : {"/dev/zero", "/dev/urandom", "/dev/null"})
    CHECK(refusal([&] { (void)read_file(device); }) == device + ": is a device, expected a file");
  const std::string link = directory.path() + "/link", pipe = directory.path() + "/pipe";
  fs::create_symlink("/dev/zero", link);
  CHECK(refusal([&] { (void)read_file(link); }) == link + ": is a device, expected a file");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal([&] { (void)read_file(pipe); }) == pipe + ": cannot be read: the file is empty");
}

TEST_CASE("file: one is read up to its limit, and a pipe too") {
  const TemporaryDirectory directory("deltatwin-file");
  const std::string path = directory.path() + "/file", text(3'000'000, 'x');
  write_file(path, text);
  CHECK(read_file(path) == text);
  CHECK(read_file(path, text.size()) == text);
  const std::string larger = path + ": cannot be read: it has more than 2999999 bytes";
  CHECK(refusal([&] { (void)read_file(path, text.size() - 1); }) == larger);
  fs::resize_file(path, std::uintmax_t{1} << 40); // a terabyte of nothing
  CHECK_THAT(refusal([&] { (void)read_file(path); }), Catch::Contains("it has more than"));
  for (const std::size_t most : {text.size(), text.size() - 1}) {
    int ends[2] = {};
    REQUIRE(pipe(ends) == 0);
    std::thread writer([&] {
      std::ofstream("/dev/fd/" + std::to_string(ends[1])) << text;
      close(ends[1]);
    });
    const std::string from = "/dev/fd/" + std::to_string(ends[0]);
    std::string got;
    const std::string message = refusal([&] { got = read_file(from, most); });
    char rest[4096];
    while (read(ends[0], rest, sizeof rest) > 0) { // so that the writer ends
    }
    writer.join();
    close(ends[0]);
    CHECK(got == (most == text.size() ? text : ""));
    CHECK(message ==
          (most == text.size() ? "accepted" : from + ": cannot be read: it has more than 2999999 bytes"));
  }
}

TEST_CASE("file: one that is replaced keeps its mode, a new one follows the umask") {
  const TemporaryDirectory directory("deltatwin-file");
  const std::string path = directory.path() + "/file";
  const mode_t mask = umask(027);
  write_file(path, "one");
  umask(mask);
  CHECK(mode(path) == 0640);
  for (const mode_t wanted : {0600, 0755, 0444, 0640}) {
    fs::permissions(path, static_cast<fs::perms>(wanted));
    write_file(path, "two");
    CHECK(mode(path) == wanted);
    check_writable(path);
    CHECK(mode(path) == wanted);
  }
  CHECK(read_file(path) == "two");
}

TEST_CASE("file: a full disk is an error") {
  for (const char* path : {"/dev/full"})
    CHECK(refusal([&] { write_file(path, "text"); }) ==
          "/dev/full: cannot be written: No space left on device");
  const TemporaryDirectory directory("deltatwin-file");
  const std::string link = directory.path() + "/full";
  fs::create_symlink("/dev/full", link);
  CHECK_THAT(refusal([&] { write_file(link, std::string(1'000'000, 'x')); }),
             Catch::Contains("No space left on device"));
}

TEST_CASE("file: nobody can lay a link where a temporary will be") {
  const TemporaryDirectory directory("deltatwin-file");
  const std::string path = directory.path() + "/out", victim = directory.path() + "/victim";
  write_file(victim, "mine");
  // What the name was before it could not be foreseen, for this and the next processes.
  for (int id = 0; id < 50; ++id)
    fs::create_symlink(victim, path + ".part" + std::to_string(getpid() + id));
  write_file(path, "text");
  check_writable(path);
  CHECK(read_file(victim) == "mine");
  CHECK(read_file(path) == "text");
}
