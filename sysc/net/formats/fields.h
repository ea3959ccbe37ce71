#pragma once
// The fields that a dense layer has in all file formats, each with its name and range, once: a visitor
// reads them from JSON (FieldReader) or checks a layer that comes from elsewhere (FieldChecker).
#include "base/error.h"
#include "base/json.h"
#include "net/layer.h"
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

inline constexpr int max_width = 4096; ///< inputs or outputs of a dense layer
inline constexpr int max_layers = 16;  ///< of a chain of them

class FieldReader {
public:
  explicit FieldReader(JsonField field) : field_(std::move(field)) {}

  void integer(const char* key, int& value, int low, int high) const {
    value = static_cast<int>(field_.at(key).integer(low, high));
  }
  template <class Enum>
  void choice(const char* key, Enum& value, std::initializer_list<const char*> names) const {
    value = static_cast<Enum>(field_.at(key).choice(names));
  }
  template <class Enum>
  void optional_choice(const char* key, Enum& value, std::initializer_list<const char*> names) const {
    if (field_.has(key))
      choice(key, value, names);
  }
  void optional_flag(const char* key, bool& value) const {
    if (field_.has(key))
      value = field_.at(key).boolean();
  }
  void integers(const char* key, std::vector<int>& values, std::size_t count, int low, int high) const {
    values = field_.at(key).integers(count, low, high);
  }
  /// One integer, or `count`.
  void one_or(const char* key, std::vector<int>& values, std::size_t count, int low, int high) const {
    const std::size_t there = field_.at(key).elements().size();
    values = field_.at(key).integers(there == 1 ? 1 : count, low, high);
  }
  template <class Number>
  void rows(const char* key, std::vector<Number>& values, int outputs, int inputs, int low, int high) const {
    const std::vector<JsonField> lists = field_.at(key).elements();
    if (lists.size() != static_cast<std::size_t>(outputs))
      field_.at(key).fail("expected " + std::to_string(outputs) + " rows (one per output), got " +
                          std::to_string(lists.size()));
    for (const JsonField& list : lists)
      for (const int value : list.integers(static_cast<std::size_t>(inputs), low, high))
        values.push_back(static_cast<Number>(value));
  }
  /// One row, or `count`.
  template <class Number>
  void one_row_or(const char* key, std::vector<Number>& values, int count, int columns, int low,
                  int high) const {
    rows(key, values, field_.at(key).elements().size() == 1 ? 1 : count, columns, low, high);
  }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const { field_.at(key).fail(what); }
  /// A field that must not be there, and `is_default`: that a layer is so.
  void absent(const char* key, bool, const char* why) const {
    if (field_.has(key))
      field_.at(key).fail(why);
  }
  [[nodiscard]] FieldReader object(const char* key) const { return FieldReader(field_.at(key)); }

private:
  JsonField field_;
};

class FieldChecker {
public:
  explicit FieldChecker(std::string at) : at_(std::move(at)) {}

  void integer(const std::string& key, int value, int low, int high) const {
    if (value < low || value > high)
      fail(key, std::to_string(value) + " is outside " + std::to_string(low) + ".." + std::to_string(high));
  }
  template <class Enum>
  void choice(const char* key, Enum value, std::initializer_list<const char*> names) const {
    integer(key, static_cast<int>(value), 0, static_cast<int>(names.size()) - 1);
  }
  template <class Enum>
  void optional_choice(const char* key, Enum value, std::initializer_list<const char*> names) const {
    choice(key, value, names);
  }
  void optional_flag(const char*, bool) const {}
  void integers(const char* key, const std::vector<int>& values, std::size_t count, int low, int high) const {
    count_of(key, values.size(), count);
    for (std::size_t i = 0; i < count; ++i)
      if (values[i] < low || values[i] > high)
        integer(key + ("[" + std::to_string(i) + "]"), values[i], low, high);
  }
  void one_or(const char* key, const std::vector<int>& values, std::size_t count, int low, int high) const {
    integers(key, values, values.size() == 1 ? 1 : count, low, high);
  }
  template <class Number>
  void rows(const char* key, const std::vector<Number>& values, int outputs, int inputs, int low,
            int high) const {
    const auto columns = static_cast<std::size_t>(inputs);
    count_of(key, values.size(), static_cast<std::size_t>(outputs) * columns);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] < low || values[i] > high)
        integer(key + ("[" + std::to_string(i / columns) + "][" + std::to_string(i % columns) + "]"),
                values[i], low, high);
  }
  template <class Number>
  void one_row_or(const char* key, const std::vector<Number>& values, int count, int columns, int low,
                  int high) const {
    rows(key, values, values.size() == static_cast<std::size_t>(columns) ? 1 : count, columns, low, high);
  }
  void absent(const char* key, bool is_default, const char* why) const {
    if (!is_default)
      fail(key, why);
  }
  [[nodiscard]] FieldChecker object(const char* key) const { return FieldChecker(at_ + "." + key); }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError(at_ + "." + key + ": " + what);
  }

private:
  void count_of(const char* key, std::size_t there, std::size_t count) const {
    if (there != count)
      fail(key, "expected " + std::to_string(count) + " integers, got " + std::to_string(there));
  }

  std::string at_;
};

/// The weights of a layer whose inputs and outputs are known.
template <class Fields, class AnyLayer> void weight_fields(const Fields& fields, AnyLayer& layer) {
  fields.choice("scheme", layer.scheme, scheme_names);
  fields.integer("delta_bits", layer.delta_bits, 1, 8);
  if (layer.scheme == Scheme::plain) {
    constexpr const char* why = "has no meaning with scheme plain";
    fields.absent("group", layer.group == Group::layer, why);
    fields.absent("block", layer.block == 0, why);
    fields.absent("shift", layer.shift == 0, why);
    fields.absent("references", layer.references.empty(), why);
  } else {
    fields.choice("group", layer.group, group_names);
    if (layer.group == Group::block)
      fields.integer("block", layer.block, 1, layer.inputs);
    else
      fields.absent("block", layer.block == 0, "has a meaning with group block only");
    fields.integer("shift", layer.shift, 0, 7);
    fields.integers("references", layer.references, reference_count(layer), -128, 127);
  }
  fields.optional_choice("code", layer.code, code_names);
  if (layer.code == Code::huffman_pairs && layer.delta_bits > max_pair_delta_bits)
    fields.fail("code", "huffman_pairs is for deltas of at most " + std::to_string(max_pair_delta_bits) +
                            " bits, these have " + std::to_string(layer.delta_bits));
  fields.rows("deltas", layer.deltas, layer.outputs, layer.inputs, lowest_delta(layer.delta_bits),
              highest_delta(layer.delta_bits));
}

/// The requantizer of a layer with that many outputs.
template <class Fields, class AnyRequantizer>
void requantizer_fields(const Fields& fields, AnyRequantizer& requantizer, int outputs) {
  const auto count = static_cast<std::size_t>(outputs);
  fields.integers("multiplier", requantizer.multiplier, count, 0, 65535);
  fields.integers("bias", requantizer.bias, count, -(1 << 19), (1 << 19) - 1);
  fields.integer("shift", requantizer.shift, 8, 39);
}

/// A layer of a chain, its weights' fields beside the others.
template <class Fields, class AnyLayer> void layer_fields(const Fields& fields, AnyLayer& layer) {
  fields.integer("inputs", layer.inputs, 1, max_width);
  fields.integer("outputs", layer.outputs, 1, max_width);
  weight_fields(fields, layer);
  requantizer_fields(fields.object("requantizer"), layer.requantizer, layer.outputs);
  fields.choice("activation", layer.activation, activation_names);
}

/// Throws InputError where a decoded weight, or the running sum of deltas, leaves int8; `at` is the
/// place of the deltas.
inline void check_weights(const Layer& layer, const std::string& at) {
  decode(layer, [&](int o, int i, int weight, int running) {
    if (in_int8(weight) && in_int8(running))
      return;
    throw InputError(at + "[" + std::to_string(o) + "][" + std::to_string(i) + "]: " +
                     (in_int8(weight) ? "the running sum of deltas, " + std::to_string(running)
                                      : "the weight, " + std::to_string(weight)) +
                     ", is outside -128..127");
  });
}

} // namespace deltatwin
