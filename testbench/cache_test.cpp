// Where built things and work are kept, and what becomes of both when something goes wrong.
#include "base/cache.h"
#include "base/file.h"
#include "base/tool.h"
#include "temporary_directory.h"
#include "variable.h"
#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

using namespace deltatwin;
namespace fs = std::filesystem;

TEST_CASE("cache: where it is") {
  const TemporaryDirectory directory("deltatwin-cache");
  const Variable unset_cache("DELTATWIN_CACHE"), unset_xdg("XDG_CACHE_HOME"), home("HOME", "/home/somebody");
  CHECK(cache_directory() == "/home/somebody/.cache/deltatwin");
  {
    const Variable empty("DELTATWIN_CACHE", ""), xdg("XDG_CACHE_HOME", "/xdg");
    CHECK(cache_directory() == "/xdg/deltatwin");
    const Variable cache("DELTATWIN_CACHE", "/cache"), no_xdg("XDG_CACHE_HOME", "");
    CHECK(cache_directory() == "/cache");
    const Variable relative("DELTATWIN_CACHE", "cache");
    CHECK(cache_directory() == (fs::current_path() / "cache").string());
  }
  const Variable no_home("HOME"), temporary("TMPDIR", directory.path());
  const std::string own = directory.path() + "/deltatwin-" + std::to_string(geteuid());
  CHECK(cache_directory() == own);
  struct stat status {};
  REQUIRE(stat(own.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(cache_directory() == own); // again
  SECTION("open to others") {
    fs::permissions(own, fs::perms::all);
    CHECK_THROWS_WITH(cache_directory(), Catch::Contains("belongs to you alone"));
  }
  SECTION("a link that somebody put there") {
    fs::remove(own);
    fs::create_directory(directory.path() + "/elsewhere");
    fs::create_directory_symlink(directory.path() + "/elsewhere", own);
    CHECK_THROWS_WITH(cache_directory(), Catch::Contains("belongs to you alone"));
  }
  SECTION("a file") {
    fs::remove(own);
    write_file(own, "x");
    CHECK_THROWS_AS(cache_directory(), ToolError);
  }
  const Variable missing("TMPDIR", directory.path() + "/missing");
  CHECK_THROWS_WITH(cache_directory(), Catch::Contains("TMPDIR is " + directory.path() + "/missing"));
}

TEST_CASE("cache: a work directory is one's own, gone in the end, and what others left goes too") {
  const TemporaryDirectory directory("deltatwin-cache");
  const std::string parent = directory.path() + "/a/b";
  std::string path;
  {
    const WorkDirectory first(parent), second(parent);
    CHECK(first.path() != second.path());
    write_file(first.path() + "/file", "x");
    path = first.path();
  }
  CHECK(fs::is_empty(parent));

  const pid_t child = fork(); // leaves its directory behind
  if (child == 0) {
    const WorkDirectory work(parent);
    write_file(work.path() + "/file", "x");
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  REQUIRE_FALSE(fs::is_empty(parent));
  const auto age = [&](const fs::path& file) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  };
  std::set<std::string> living;
  {
    const WorkDirectory early(parent); // too early to be sure that the other is dead
    CHECK(std::distance(fs::directory_iterator(parent), fs::directory_iterator()) == 2);
    age(early.path());
    for (const auto& entry : fs::directory_iterator(parent))
      age(entry.path());
    write_file(parent + "/.other", "not ours");
    const WorkDirectory late(parent);
    for (const auto& entry : fs::directory_iterator(parent))
      living.insert(entry.path().string());
    CHECK(living == std::set<std::string>{early.path(), late.path(), parent + "/.other"});
  }
  write_file(directory.path() + "/file", "x");
  CHECK_THROWS_WITH(WorkDirectory(directory.path() + "/file"), Catch::Contains("cannot be written"));
}

TEST_CASE("cache: a sealed file tells when it is damaged") {
  const TemporaryDirectory directory("deltatwin-cache");
  const std::string path = directory.path() + "/rtl/file";
  CHECK(read_sealed(path).state == Sealed::missing);
  for (const std::string& content : {std::string(), std::string("one\ntwo"), std::string(100000, '\0')}) {
    write_sealed(path, content);
    CHECK(read_sealed(path).state == Sealed::whole);
    CHECK(read_sealed(path).content == content);
    std::string text = read_file(path);
    const std::string whole = text;
    for (const std::size_t at : {std::size_t{0}, text.size() / 2, text.size() - 1}) {
      text[at] ^= 4;
      write_file(path, text);
      CHECK(read_sealed(path).state == Sealed::damaged);
      text = whole;
    }
    for (const std::size_t length : {std::size_t{0}, std::size_t{10}, text.size() - 1}) {
      write_file(path, text.substr(0, length));
      CHECK(read_sealed(path).state == Sealed::damaged);
    }
  }
  CHECK(std::distance(fs::directory_iterator(directory.path() + "/rtl"), fs::directory_iterator()) == 1);
  fs::create_directory(directory.path() + "/directory");
  CHECK(read_sealed(directory.path() + "/directory").state == Sealed::damaged);
  CHECK_THROWS_WITH(write_sealed(directory.path() + "/directory", ""), Catch::Contains("cannot be written"));
  fs::create_symlink("nowhere", directory.path() + "/link");
  CHECK(read_sealed(directory.path() + "/link").state == Sealed::damaged);
}

TEST_CASE("tools: what they say, when they fail, and in which directory they run") {
  const TemporaryDirectory directory("deltatwin-tools");
  CHECK(run_tool("printf", {"%s", "a b;c"}) == "a b;c\n");
  CHECK(run_tool("pwd", {}, {}, {}, directory.path()) == directory.path() + "\n");
  CHECK_THROWS_WITH(run_tool("sh", {"-c", "echo why; exit 3"}),
                    Catch::Contains("exit code 3") && Catch::Contains("why"));
  CHECK_THROWS_WITH(run_tool("no-such-tool", {}), Catch::Contains("package no-such-tool"));
  run_tools({{"sh", {"-c", "echo 1 > one"}}, {"sh", {"-c", "echo 2 > two"}}}, directory.path());
  CHECK(read_file(directory.path() + "/one") == "1\n");
  CHECK(read_file(directory.path() + "/two") == "2\n");
  CHECK_THROWS_WITH(run_tools({{"true", {}}, {"sh", {"-c", "echo why >&2; exit 4"}}}, directory.path()),
                    Catch::Contains("exit code 4") && Catch::Contains("why"));
  CHECK(has_tool("sh"));
  CHECK_FALSE(has_tool("no-such-tool"));
  CHECK(fs::path(this_program()).filename() == "cache_test");
  CHECK(hash_text("a") != hash_text("b"));
  CHECK(hash_text("a") == hash_text("a"));
}
