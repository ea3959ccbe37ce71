#include "import/flatbuffer.h"
#include "base/error.h"
#include <cstring>

namespace deltatwin {
namespace {

float to_float(std::uint64_t word) {
  const auto bits = static_cast<std::uint32_t>(word);
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::int64_t extended(std::uint64_t word, std::size_t bytes) {
  const std::uint64_t sign = std::uint64_t{1} << (8 * bytes - 1);
  return static_cast<std::int64_t>((word ^ sign) - sign);
}

} // namespace

FlatBuffer::FlatBuffer(const std::string& text, std::string origin)
    : text_(text), origin_(std::move(origin)), budget_(8 * text.size() + 4096) {}

void FlatBuffer::fail(const std::string& what) const { throw InputError(origin_ + ": " + what); }

std::string_view FlatBuffer::bytes(std::size_t at, std::size_t count) const {
  if (at > text_.size() || count > text_.size() - at)
    fail("is cut or damaged: " + std::to_string(count) + " bytes at " + std::to_string(at) +
         " are told of, the file has " + std::to_string(text_.size()));
  return std::string_view(text_).substr(at, count);
}

std::uint64_t FlatBuffer::word(std::size_t at, std::size_t count) const {
  const std::string_view data = bytes(at, count);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(data[i])} << (8 * i);
  return value;
}

std::size_t FlatBuffer::follow(std::size_t at) const { return at + static_cast<std::size_t>(word(at, 4)); }

void FlatBuffer::spend(std::size_t count) const {
  if (count > budget_)
    fail("is damaged: its tables overlap");
  budget_ -= count;
}

FlatTable::FlatTable(const FlatBuffer& file, std::size_t at) : file_(&file), at_(at) {
  const std::int64_t back = extended(file.word(at, 4), 4);
  const std::int64_t fields = static_cast<std::int64_t>(at) - back;
  if (fields < 0)
    file.fail("is damaged: a table at " + std::to_string(at) + " has no fields");
  fields_ = static_cast<std::size_t>(fields);
  fields_size_ = static_cast<std::size_t>(file.word(fields_, 2));
  (void)file.bytes(fields_, fields_size_);
  file.spend(sizeof *this);
}

FlatTable FlatTable::root(const FlatBuffer& file) { return {file, file.follow(0)}; }

std::optional<std::size_t> FlatTable::place(int field) const {
  const std::size_t entry = 4 + 2 * static_cast<std::size_t>(field);
  if (entry + 2 > fields_size_)
    return std::nullopt;
  const auto offset = static_cast<std::size_t>(file_->word(fields_ + entry, 2));
  return offset ? std::optional<std::size_t>(at_ + offset) : std::nullopt;
}

std::uint64_t FlatTable::natural(int field, std::size_t bytes, std::uint64_t otherwise) const {
  const auto at = place(field);
  return at ? file_->word(*at, bytes) : otherwise;
}

std::int64_t FlatTable::integer(int field, std::size_t bytes, std::int64_t otherwise) const {
  const auto at = place(field);
  return at ? extended(file_->word(*at, bytes), bytes) : otherwise;
}

float FlatTable::real(int field, float otherwise) const {
  const auto at = place(field);
  return at ? to_float(file_->word(*at, 4)) : otherwise;
}

FlatTable::Vector FlatTable::vector(int field, std::size_t bytes) const {
  const auto at = place(field);
  if (!at)
    return {};
  const std::size_t start = file_->follow(*at);
  const auto count = static_cast<std::size_t>(file_->word(start, 4));
  (void)file_->bytes(start + 4, count * bytes);
  return {start + 4, count};
}

std::string_view FlatTable::bytes(int field) const {
  const Vector vector = this->vector(field, 1);
  return file_->bytes(vector.at, vector.count);
}

std::string FlatTable::text(int field) const {
  file_->spend(bytes(field).size());
  return std::string(bytes(field));
}

std::vector<std::int64_t> FlatTable::integers(int field, std::size_t bytes) const {
  const Vector vector = this->vector(field, bytes);
  file_->spend(vector.count * bytes);
  std::vector<std::int64_t> values;
  values.reserve(vector.count);
  for (std::size_t i = 0; i < vector.count; ++i)
    values.push_back(extended(file_->word(vector.at + i * bytes, bytes), bytes));
  return values;
}

std::vector<float> FlatTable::reals(int field) const {
  const Vector vector = this->vector(field, 4);
  file_->spend(vector.count * 4);
  std::vector<float> values;
  values.reserve(vector.count);
  for (std::size_t i = 0; i < vector.count; ++i)
    values.push_back(to_float(file_->word(vector.at + i * 4, 4)));
  return values;
}

std::optional<FlatTable> FlatTable::table(int field) const {
  const auto at = place(field);
  return at ? std::optional<FlatTable>(FlatTable(*file_, file_->follow(*at))) : std::nullopt;
}

std::vector<FlatTable> FlatTable::tables(int field, std::size_t most) const {
  const Vector vector = this->vector(field, 4);
  if (vector.count > most)
    file_->fail("has " + std::to_string(vector.count) + " tables in a list, at most " + std::to_string(most) +
                " are read");
  std::vector<FlatTable> tables;
  tables.reserve(vector.count);
  for (std::size_t i = 0; i < vector.count; ++i)
    tables.emplace_back(*file_, file_->follow(vector.at + 4 * i));
  return tables;
}

} // namespace deltatwin
