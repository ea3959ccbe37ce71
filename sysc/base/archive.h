#pragma once
#include "base/error.h"
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace deltatwin {

/// State as bytes, and back, in one function of each class that has a state worth keeping:
///
///     template <class Archive> void archive(Archive& bytes) { bytes(count_, words_, decoder_); }
///
/// Values are trivially copyable, containers that can be resized, or classes with archive(). The bytes
/// are for this build of the program; they begin with whose they are and end with a checksum.
template <class Derived> class Archive {
public:
  template <class... Values> void operator()(Values&... values) { (one(values), ...); }

private:
  template <class T, class = void> struct Keeps : std::false_type {};
  template <class T>
  struct Keeps<T, std::void_t<decltype(std::declval<T&>().archive(std::declval<Derived&>()))>>
      : std::true_type {};

  template <class T> void one(T& value) {
    Derived& self = static_cast<Derived&>(*this);
    if constexpr (Keeps<T>::value)
      value.archive(self);
    else if constexpr (std::is_trivially_copyable_v<T>)
      self.bytes(&value, sizeof value);
    else
      container(value, self);
  }
  template <class Container> void container(Container& values, Derived& self) {
    std::size_t size = values.size();
    self.bytes(&size, sizeof size);
    self.resize(values, size);
    for (auto& value : values)
      one(value);
  }
};

/// "codec Symbols=8 Limit=8": whose state a top's model has.
[[nodiscard]] std::string state_owner(const std::string& module,
                                      const std::vector<std::pair<std::string, int>>& parameters);

class Saver : public Archive<Saver> {
public:
  static constexpr bool restores = false;
  /// `owner`: whose state it is, with all that it must agree on.
  explicit Saver(const std::string& owner) : saved_(owner + '\n') {}
  [[nodiscard]] std::string finish() &&;

private:
  friend Archive<Saver>;
  void bytes(const void* data, std::size_t size) { saved_.append(static_cast<const char*>(data), size); }
  template <class Container> static void resize(Container&, std::size_t) {}
  std::string saved_;
};

class Restorer : public Archive<Restorer> {
public:
  static constexpr bool restores = true;
  /// Throws InputError when the bytes are damaged, or another owner's.
  Restorer(const std::string& saved, const std::string& owner);

private:
  friend Archive<Restorer>;
  void bytes(void* data, std::size_t size) {
    require(size);
    std::memcpy(data, saved_.data() + at_, size);
    at_ += size;
  }
  template <class Container> void resize(Container& values, std::size_t size) {
    require(size);
    values.resize(size);
  }
  void require(std::size_t size) const {
    if (saved_.size() - at_ < size)
      throw InputError("the saved state ends too early");
  }
  const std::string& saved_;
  std::size_t at_;
};

/// A value with archive() as bytes, without a copy of it.
template <class T> [[nodiscard]] std::string save_state(const T& value, const std::string& owner) {
  Saver saver(owner);
  const_cast<T&>(value).archive(saver); // which only reads
  return std::move(saver).finish();
}
/// And back; where the bytes are not the owner's, `value` stays as it was. Throws InputError.
template <class T> void restore_state(T& value, const std::string& saved, const std::string& owner) {
  Restorer restorer(saved, owner);
  T restored(value);
  restored.archive(restorer);
  value = std::move(restored);
}

} // namespace deltatwin
