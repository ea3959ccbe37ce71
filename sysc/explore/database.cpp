#include "explore/database.h"
#include "base/cache.h"
#include "base/error.h"
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

namespace deltatwin {
namespace {

constexpr const char* format = "deltatwin-explore-3";

constexpr const char* tables = R"(
create table space(key text primary key, value text not null) without rowid;
create table devices(id integer primary key, name text, lut integer, ff integer, dsp integer, bram36 integer);
create table points(id integer primary key, device integer, @STORED@, lut integer, ff integer, dsp integer,
                    ramb18 integer, ramb36 integer);
create table chunks(id integer primary key, feasible integer, impossible integer, does_not_fit integer,
                    below_minimum integer, above_maximum integer, short_of_lut integer, short_of_ff integer,
                    short_of_dsp integer, short_of_bram36 integer);
create table front(point integer primary key);
create table confirmed(point integer primary key, kind text, items integer, cycles_model integer,
                       cycles_rtl integer, mismatches integer, lut_model integer, ff_model integer,
                       dsp_model integer, ramb18_model integer, ramb36_model integer, lut_synth integer,
                       ff_synth integer, dsp_synth integer, ramb18_synth integer, ramb36_synth integer);
create view designs as
  with counts as (
    select p.id, @EXPRESSIONS@, p.lut, p.ff, p.dsp, p.ramb18, p.ramb36,
           p.ramb36 + (p.ramb18 + 1) / 2 as bram36, d.lut as device_lut, d.ff as device_ff,
           d.dsp as device_dsp, d.bram36 as device_bram36
    from points p join devices d on d.id = p.device @JOINS@),
  figures as (
    select *, @SHARE(lut)@ as lut_share, @SHARE(ff)@ as ff_share, @SHARE(dsp)@ as dsp_share,
           @SHARE(bram36)@ as bram_share
    from counts)
  select id, @NAMES@, lut, ff, dsp, ramb18, ramb36, bram36, lut_share, ff_share, dsp_share, bram_share,
         max(lut_share, ff_share, dsp_share, bram_share) as share,
         case when dsp > device_dsp or bram36 > device_bram36 or lut > device_lut * (1 + @ERROR@) or
                   ff > device_ff * (1 + @ERROR@) then 0
              when lut <= device_lut * (1 - @ERROR@) and ff <= device_ff * (1 - @ERROR@) then 1 end as fits,
         id in (select point from front) as on_front
  from figures;
create view best as
  select * from (select *, row_number() over (partition by @SERIES@ order by @ORDER@, id) as place
                 from designs) where place = 1;
)";

// The text of all, with commas between.
template <class Items, class Text> std::string listed(const Items& items, Text text) {
  std::string all;
  for (const auto& item : items)
    if (const std::string one = text(item); !one.empty())
      all += (all.empty() ? "" : ", ") + one;
  return all;
}

// All tables and views of a space's results.
std::string schema_of(const Space& space, const ResultSchema& schema) {
  std::string text = tables;
  const auto fill = [&text](const std::string& place, const std::string& with) {
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + with.size()))
      text.replace(at, place.size(), with);
  };
  using Shown = ResultSchema::Shown;
  fill("@STORED@", listed(schema.stored, [](const auto& column) { return column.name + " " + column.type; }));
  fill("@EXPRESSIONS@", listed(schema.shown, [](const Shown& one) { return one.sql + " as " + one.name; }));
  fill("@NAMES@", listed(schema.shown, [](const Shown& one) { return one.name; }));
  std::string series = "device";
  for (const Shown& one : schema.shown)
    series += one.is_series ? ", " + one.name : "";
  fill("@SERIES@", series);
  fill("@JOINS@", schema.joins);
  for (const std::string name : {"lut", "ff", "dsp", "bram36"}) // share() of base/fit.h
    fill("@SHARE(" + name + ")@", "case when device_" + name + " > 0 then 1.0 * " + name + " / device_" +
                                      name + " when " + name + " > 0 then 1.0 + " + name + " else 0.0 end");
  fill("@ERROR@", std::to_string(area_model_error));
  fill("@ORDER@", listed(space.objectives, [&](Objective objective) {
         const Figure& figure = space.figures[objective];
         return (figure.column.empty() ? figure.name : figure.column) +
                (figure.larger_is_better ? " desc" : "") + " nulls last";
       }));
  for (const ResultSchema::Table& table : schema.tables)
    text += "create table " + table.name + "(" + table.columns + ");\n";
  return text;
}

// A killed process's journal would be played into the next file of this name.
void remove_journals(const std::string& path) {
  for (const char* suffix : {"-journal", "-wal", "-shm"})
    unlink((path + suffix).c_str());
}

// SQLite itself takes an empty file for a new database.
void check_is_sqlite(const std::string& path) {
  constexpr const char magic[] = "SQLite format 3";
  char begin[sizeof magic] = {};
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw InputError(path + ": cannot be read");
  file.read(begin, sizeof begin);
  if (std::memcmp(begin, magic, sizeof magic) != 0)
    throw InputError(path + ": is no SQLite file");
}

} // namespace

struct Database::Statement {
  sqlite3_stmt* statement;

  explicit Statement(sqlite3_stmt* prepared) : statement(prepared) {}
  Statement(Statement&& other) noexcept : statement(std::exchange(other.statement, nullptr)) {}
  ~Statement() { sqlite3_finalize(statement); }

  template <class... Values> Statement& bind(const Values&... values) {
    int at = 0;
    (set(++at, values), ...);
    return *this;
  }
  void set(int at, double value) { sqlite3_bind_double(statement, at, value); } // NaN becomes NULL
  void set(int at, const std::string& value) {
    sqlite3_bind_text(statement, at, value.c_str(), -1, SQLITE_TRANSIENT);
  }
  void set(int at, const boost::json::value& value) {
    if (value.is_string())
      set(at, std::string(value.as_string()));
    else if (value.is_double())
      set(at, value.as_double());
    else if (value.is_null())
      sqlite3_bind_null(statement, at);
    else
      set(at, value.to_number<std::uint64_t>());
  }
  void set(int at, int value) { sqlite3_bind_int(statement, at, value); }
  void set(int at, std::uint64_t value) {
    sqlite3_bind_int64(statement, at, static_cast<sqlite3_int64>(value));
  }

  // False: there is no further row.
  bool step(const Database& database) {
    const int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
      database.fail();
    if (result == SQLITE_DONE)
      sqlite3_reset(statement);
    return result == SQLITE_ROW;
  }
  [[nodiscard]] std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement, column));
  }
  // All columns by name.
  [[nodiscard]] boost::json::object row() const {
    boost::json::object all;
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
      boost::json::value& value = all[sqlite3_column_name(statement, column)];
      switch (sqlite3_column_type(statement, column)) {
      case SQLITE_INTEGER:
        value = number(column);
        break;
      case SQLITE_FLOAT:
        value = sqlite3_column_double(statement, column);
        break;
      case SQLITE_TEXT:
        value = boost::json::string(text(column));
        break;
      default:
        break;
      }
    }
    return all;
  }
  [[nodiscard]] int integer(int column) const { return sqlite3_column_int(statement, column); }
  [[nodiscard]] std::string text(int column) const {
    const auto* value = sqlite3_column_text(statement, column);
    return value ? reinterpret_cast<const char*>(value) : "";
  }
};

void Database::fail() const {
  const int code = sqlite3_errcode(handle_);
  throw InputError(path_ + ": " +
                   (code == SQLITE_BUSY || code == SQLITE_LOCKED ? "another process works on it"
                                                                 : std::string(sqlite3_errmsg(handle_))));
}

void Database::execute(const std::string& sql) const {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail();
}

Database::Statement Database::prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    fail();
  return Statement(statement);
}

Database::Database(const std::string& file, int flags, const std::string& name) : path_(name) {
  try {
    if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK)
      fail();
    if (flags & SQLITE_OPEN_READWRITE) // another's hold shows at once; what is committed survives a crash
      execute("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal; "
              "begin immediate; commit");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Database::Database(const std::string& path, Access access)
    : Database((check_is_sqlite(path), path),
               access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, path) {
  if (ids("select 1 from sqlite_master where name = 'space'").empty() || space_value("format") != format)
    throw InputError(path + ": is no result of `deltatwin explore` (" + format + ")");
}

Database Database::create(const std::string& path, const Evaluator& evaluator, Shard shard) {
  const WorkDirectory work = WorkDirectory::beside(path);
  const std::string unfinished = work.path() + "/new.sqlite";
  Database(unfinished, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path).describe(evaluator, shard);
  if (!std::filesystem::exists(path))
    remove_journals(path);
  if (link(unfinished.c_str(), path.c_str()) != 0) // another was faster
    throw InputError(path + ": cannot be made: " + std::strerror(errno));
  return {path, Access::write};
}

void Database::remove(const std::string& path) {
  if (std::filesystem::exists(path)) {
    const Database check(path, Access::write);
    unlink(path.c_str());
  }
  remove_journals(path);
}

void Database::describe(const Evaluator& evaluator, Shard shard) {
  execute("begin");
  execute(schema_of(evaluator.space(), evaluator.schema()));
  auto entry = prepare("insert into space values(?, ?)");
  const auto set = [&](const std::string& key, const std::string& text) {
    entry.bind(key, text).step(*this);
  };
  const Space& space = evaluator.space();
  set("format", format);
  set("name", space.name);
  set("directory", space.directory);
  set("text", space.text);
  set("fingerprint", evaluator.fingerprint());
  set("points", std::to_string(space.size()));
  set("shard", to_string(shard));
  for (const ResultSchema::Table& table : evaluator.schema().tables)
    for (const auto& row : table.rows) {
      const std::string marks = listed(row, [](const auto&) { return std::string("?"); });
      auto statement = prepare("insert into " + table.name + " values(" + marks + ")");
      int at = 0;
      for (const boost::json::value& value : row)
        statement.set(++at, value);
      statement.step(*this);
    }
  auto device = prepare("insert into devices values(?, ?, ?, ?, ?, ?)");
  int id = 0;
  for (const Device& each : evaluator.devices())
    device.bind(id++, each.name, each.lut, each.ff, each.dsp, each.bram36).step(*this);
  execute("commit");
}

Database::Database(Database&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, nullptr)) {}

Database::~Database() {
  if (handle_ && !sqlite3_db_readonly(handle_, "main"))
    sqlite3_exec(handle_, "pragma locking_mode = normal; pragma journal_mode = delete", nullptr, nullptr,
                 nullptr);
  sqlite3_close(handle_);
}

std::string Database::space_value(const std::string& key) const {
  auto statement = prepare("select value from space where key = ?");
  statement.bind(key);
  return statement.step(*this) ? statement.text(0) : "";
}

Shard Database::shard() const { return parse_shard(space_value("shard")); }

void Database::check(const Evaluator& evaluator) const {
  if (space_value("text") != evaluator.space().text)
    throw InputError(path_ + ": is of another space (" + space_value("name") +
                     "), or of an earlier text of it");
  if (space_value("fingerprint") != evaluator.fingerprint())
    throw InputError(path_ +
                     ": a network, a device, activations, the test images or deltatwin have changed since it "
                     "was begun");
  // Counts of chunks that are none of the shard's would make it complete too early, or never.
  const Shard part = shard();
  const std::string size = std::to_string(evaluator.space().size()), points = std::to_string(chunk_points);
  const std::vector<std::uint64_t> foreign =
      ids("select id from chunks where id < 0 or id * " + points + " >= " + size + " or id % " +
          std::to_string(part.count) + " != " + std::to_string(part.index - 1) +
          " or feasible + impossible + does_not_fit + below_minimum + above_maximum != min(" + points + ", " +
          size + " - id * " + points + ") limit 1");
  if (!foreign.empty())
    throw InputError(path_ + ": its table \"chunks\" holds a row that is not of shard " + to_string(part) +
                     " of this space, id " + std::to_string(static_cast<std::int64_t>(foreign[0])) +
                     "; --overwrite begins anew");
  for (const char* table : {"points where id", "front where point", "confirmed where point"})
    if (!ids("select 1 from " + std::string(table) + " not between 0 and " + size + " - 1 limit 1").empty())
      throw InputError(path_ + ": holds designs that are not of this space (table " +
                       std::string(table).substr(0, std::string(table).find(' ')) +
                       "); --overwrite begins anew");
}

std::vector<std::uint64_t> Database::ids(const std::string& sql) const {
  std::vector<std::uint64_t> all;
  auto statement = prepare(sql);
  while (statement.step(*this))
    all.push_back(statement.number(0));
  return all;
}

std::vector<std::uint64_t> Database::chunks() const { return ids("select id from chunks order by id"); }

std::array<std::uint64_t, verdicts> Database::counts() const {
  auto statement = prepare("select total(feasible), total(impossible), total(does_not_fit), "
                           "total(below_minimum), total(above_maximum) from chunks");
  statement.step(*this);
  std::array<std::uint64_t, verdicts> counts{};
  for (std::size_t v = 0; v < verdicts; ++v)
    counts[v] = statement.number(static_cast<int>(v));
  return counts;
}

std::array<std::uint64_t, resource_kinds> Database::short_of() const {
  auto statement = prepare("select total(short_of_lut), total(short_of_ff), total(short_of_dsp), "
                           "total(short_of_bram36) from chunks");
  statement.step(*this);
  std::array<std::uint64_t, resource_kinds> counts{};
  for (std::size_t r = 0; r < counts.size(); ++r)
    counts[r] = statement.number(static_cast<int>(r));
  return counts;
}

void Database::add(const Chunk& chunk, const ResultSchema& schema) {
  execute("begin");
  std::string marks = "?,?,?,?,?,?,?";
  for (std::size_t i = 0; i < schema.stored.size(); ++i)
    marks += ",?";
  std::array<bool, Evaluation::most_stored> whole{};
  for (std::size_t i = 0; i < schema.stored.size(); ++i)
    whole[i] = schema.stored[i].type == "integer";
  auto point = prepare("insert or replace into points values(" + marks + ")");
  for (const DesignPoint& p : chunk.feasible) {
    int at = 0;
    point.set(++at, p.id);
    point.set(++at, static_cast<std::uint64_t>(p.at.device));
    for (std::size_t i = 0; i < schema.stored.size(); ++i)
      if (whole[i] && !std::isnan(p.stored[i]))
        point.set(++at, static_cast<std::uint64_t>(p.stored[i]));
      else
        point.set(++at, p.stored[i]);
    for (const int count : {p.used.lut, p.used.ff, p.used.dsp, p.used.ramb18, p.used.ramb36})
      point.set(++at, count);
    point.step(*this);
  }
  auto front = prepare("insert or ignore into front values(?)");
  for (const DesignPoint& p : chunk.front)
    front.bind(p.id).step(*this);
  const auto& n = chunk.counts;
  const auto& s = chunk.short_of;
  prepare("insert or replace into chunks values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(chunk.id, n[0], n[1], n[2], n[3], n[4], s[0], s[1], s[2], s[3])
      .step(*this);
  execute("commit");
}

void Database::merge(const std::string& path) {
  prepare("attach ? as other").bind(path).step(*this);
  execute("begin; insert or replace into points select * from other.points; "
          "insert or replace into chunks select * from other.chunks; "
          "insert or ignore into front select * from other.front; commit; detach other");
}

std::vector<std::uint64_t> Database::front() const { return ids("select point from front order by point"); }

void Database::set_front(const std::vector<DesignPoint>& front) {
  execute("begin; delete from front");
  auto statement = prepare("insert into front values(?)");
  for (const DesignPoint& point : front)
    statement.bind(point.id).step(*this);
  execute("commit");
}

std::vector<std::uint64_t> Database::sample(std::uint64_t count) const {
  const std::uint64_t step = counts()[0] / count + 1;
  return ids(
      "select id from (select id, row_number() over (order by id) as place from points) where place % " +
      std::to_string(step) + " = 0");
}

std::uint64_t Database::feasible(std::uint64_t place) const {
  return ids("select id from points order by id limit 1 offset " + std::to_string(place)).at(0);
}

std::vector<boost::json::object> Database::designs(const std::vector<std::uint64_t>& ids_wanted) const {
  std::vector<boost::json::object> rows;
  auto statement = prepare("select * from designs where id = ?");
  for (const std::uint64_t id : ids_wanted) {
    statement.set(1, id);
    while (statement.step(*this))
      rows.push_back(statement.row());
  }
  return rows;
}

std::uint64_t Database::unknown(const std::string& column) const {
  auto statement = prepare("select count(*) from designs where " + column + " is null");
  statement.step(*this);
  return statement.number(0);
}

std::vector<std::string> Database::columns() const {
  std::vector<std::string> names;
  const auto statement = prepare("select * from designs");
  for (int column = 0; column < sqlite3_column_count(statement.statement); ++column)
    names.emplace_back(sqlite3_column_name(statement.statement, column));
  return names;
}

void Database::add(const Confirmation& c) {
  prepare("insert or replace into confirmed values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
      .bind(c.point, c.kind, c.items, c.cycles_model, c.cycles_rtl, c.mismatches, c.model.lut, c.model.ff,
            c.model.dsp, c.model.ramb18, c.model.ramb36, c.synthesized.lut, c.synthesized.ff,
            c.synthesized.dsp, c.synthesized.ramb18, c.synthesized.ramb36)
      .step(*this);
}

std::vector<Confirmation> Database::confirmations() const {
  std::vector<Confirmation> all;
  auto row = prepare("select * from confirmed order by kind, point");
  while (row.step(*this)) {
    Confirmation& c = all.emplace_back();
    c.point = row.number(0);
    c.kind = row.text(1);
    c.items = row.integer(2);
    c.cycles_model = row.number(3);
    c.cycles_rtl = row.number(4);
    c.mismatches = row.number(5);
    int column = 6;
    for (Resources* of : {&c.model, &c.synthesized})
      for (int* value : {&of->lut, &of->ff, &of->dsp, &of->ramb18, &of->ramb36})
        *value = row.integer(column++);
  }
  return all;
}

std::uint64_t chunk_count(const Space& space, Shard shard) {
  const std::uint64_t all = (space.size() + chunk_points - 1) / chunk_points;
  const auto count = static_cast<std::uint64_t>(shard.count);
  return (all + count - static_cast<std::uint64_t>(shard.index)) / count;
}

std::string to_string(Shard shard) { return std::to_string(shard.index) + "/" + std::to_string(shard.count); }

Shard parse_shard(const std::string& text) {
  // Decimal, and nothing else: no sign, no blank.
  const auto number = [&text](std::size_t begin, std::size_t end) {
    int value = 0;
    const char *first = text.data() + begin, *last = text.data() + end;
    const auto read = std::from_chars(first, last, value);
    return first != last && read.ptr == last && read.ec == std::errc() ? value : 0;
  };
  const std::size_t slash = text.find('/');
  Shard shard{0, 0};
  if (slash != std::string::npos)
    shard = {number(0, slash), number(slash + 1, text.size())};
  if (shard.count < 1 || shard.index < 1 || shard.index > shard.count)
    throw InputError("shard \"" + text + "\" is not i/n with 1 <= i <= n, for example 2/8");
  return shard;
}

} // namespace deltatwin
