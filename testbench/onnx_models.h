#pragma once
// ONNX models for tests, written by ONNX's own classes: what reads them is another reader.
#include <initializer_list>
#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace deltatwin {

/// A model node by node; its input is "x", its output the one named in text().
class OnnxModelWriter {
public:
  explicit OnnxModelWriter(int opset = 13) {
    model_.set_ir_version(7);
    model_.set_producer_name("test");
    auto* set = model_.add_opset_import();
    set->set_domain("");
    set->set_version(opset);
  }

  onnx::ValueInfoProto* input(const std::string& name, int type, const std::vector<int>& dims) {
    auto* value = model_.mutable_graph()->add_input();
    value->set_name(name);
    auto* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (const int size : dims)
      if (size > 0)
        tensor->mutable_shape()->add_dim()->set_dim_value(size);
      else
        tensor->mutable_shape()->add_dim()->set_dim_param("N");
    return value;
  }

  template <class T>
  std::string constant(const std::string& name, int type, const std::vector<int>& dims,
                       const std::vector<T>& values) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const int size : dims)
      tensor->add_dims(size);
    tensor->set_raw_data(values.data(), values.size() * sizeof(T));
    return name;
  }
  std::string reals(const std::string& name, const std::vector<int>& dims, const std::vector<float>& values) {
    return constant(name, onnx::TensorProto::FLOAT, dims, values);
  }
  std::string scalar(const std::string& name, float value) { return reals(name, {}, {value}); }
  std::string bytes(const std::string& name, bool is_signed, const std::vector<int>& dims,
                    const std::vector<int>& values) {
    return constant(name, is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8, dims,
                    std::vector<std::int8_t>(values.begin(), values.end()));
  }

  onnx::NodeProto* node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::string& output, const std::string& domain = "") {
    auto* node = model_.mutable_graph()->add_node();
    node->set_op_type(op);
    node->set_name(output);
    node->set_domain(domain);
    if (!domain.empty() && model_.opset_import_size() == 1) {
      auto* set = model_.add_opset_import();
      set->set_domain(domain);
      set->set_version(1);
    }
    for (const std::string& name : inputs)
      node->add_input(name);
    node->add_output(output);
    return node;
  }
  static void set(onnx::NodeProto* node, const std::string& name, const std::vector<int>& values) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const int value : values)
      attribute->add_ints(value);
  }
  static void set(onnx::NodeProto* node, const std::string& name, int value) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }
  static void set(onnx::NodeProto* node, const std::string& name, float value) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::FLOAT);
    attribute->set_f(value);
  }
  static void set(onnx::NodeProto* node, const std::string& name, const char* value) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
  }

  /// QuantizeLinear of a tensor: its integers are `name`.
  std::string quantize(const std::string& of, const std::string& name, float scale, int zero_point,
                       bool is_signed) {
    node("QuantizeLinear",
         {of, scalar(name + "_scale", scale), bytes(name + "_zero", is_signed, {}, {zero_point})}, name);
    return name;
  }
  /// And back to reals with the same scale, `name`_real.
  std::string dequantize(const std::string& name) {
    node("DequantizeLinear", {name, name + "_scale", name + "_zero"}, name + "_real");
    return name + "_real";
  }

  onnx::ModelProto& model() { return model_; }
  [[nodiscard]] std::string text(const std::string& output, int type = onnx::TensorProto::UNDEFINED) {
    model_.mutable_graph()->set_name("test");
    model_.mutable_graph()->clear_output();
    auto* value = model_.mutable_graph()->add_output();
    value->set_name(output);
    if (type != onnx::TensorProto::UNDEFINED)
      value->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    return model_.SerializeAsString();
  }

private:
  onnx::ModelProto model_;
};

} // namespace deltatwin
