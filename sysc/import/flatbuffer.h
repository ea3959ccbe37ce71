#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deltatwin {

/// A FlatBuffers file that somebody wrote. Every access is checked against the file's end, and what is copied
/// out of it cannot grow beyond a few times the file, however its tables overlap. Throws InputError that
/// names `origin`.
class FlatBuffer {
public:
  FlatBuffer(const std::string& text, std::string origin);

  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[noreturn]] void fail(const std::string& what) const;
  /// Little-endian, of 1, 2, 4 or 8 bytes.
  [[nodiscard]] std::uint64_t word(std::size_t at, std::size_t bytes) const;
  [[nodiscard]] std::string_view bytes(std::size_t at, std::size_t count) const;
  /// Where the offset at `at` leads.
  [[nodiscard]] std::size_t follow(std::size_t at) const;
  /// To be called for every element that is copied.
  void spend(std::size_t bytes) const;

private:
  const std::string& text_;
  std::string origin_;
  mutable std::size_t budget_;
};

/// A table in it; fields are numbered as in the schema, from 0.
class FlatTable {
public:
  FlatTable(const FlatBuffer& file, std::size_t at);
  /// The root.
  [[nodiscard]] static FlatTable root(const FlatBuffer& file);

  [[nodiscard]] bool has(int field) const { return place(field).has_value(); }
  [[nodiscard]] std::int64_t integer(int field, std::size_t bytes, std::int64_t otherwise) const;
  [[nodiscard]] std::uint64_t natural(int field, std::size_t bytes, std::uint64_t otherwise) const;
  [[nodiscard]] float real(int field, float otherwise) const;
  [[nodiscard]] std::string text(int field) const;
  [[nodiscard]] std::string_view bytes(int field) const;
  [[nodiscard]] std::vector<std::int64_t> integers(int field, std::size_t bytes) const;
  [[nodiscard]] std::vector<float> reals(int field) const;
  [[nodiscard]] std::optional<FlatTable> table(int field) const;
  /// Fails where there are more than `most`.
  [[nodiscard]] std::vector<FlatTable> tables(int field, std::size_t most) const;

private:
  struct Vector {
    std::size_t at = 0, count = 0;
  };
  [[nodiscard]] std::optional<std::size_t> place(int field) const;
  [[nodiscard]] Vector vector(int field, std::size_t bytes) const;

  const FlatBuffer* file_;
  std::size_t at_, fields_, fields_size_;
};

} // namespace deltatwin
