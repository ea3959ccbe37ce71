#include "import/tflite_model.h"
#include <algorithm>
#include <sstream>

namespace deltatwin {
namespace {

constexpr std::size_t most_tables = 20'000;
constexpr std::size_t most_dimensions = 8;

// By number, those that models of today have.
constexpr const char* operator_names =
    "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE "
    "EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 "
    "RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL "
    "CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND "
    "SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE "
    "BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST "
    "PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN "
    "TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW "
    "ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK "
    "REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR "
    "LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS "
    "WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE "
    "NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM "
    "BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG "
    "REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL "
    "CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL "
    "BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD "
    "UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR "
    "RIGHT_SHIFT";

// Numbers of fields in the schema's tables.
namespace model {
constexpr int version = 0, operator_codes = 1, subgraphs = 2, description = 3, buffers = 4;
}
namespace operator_code {
constexpr int old_code = 0, custom = 1, code = 3;
}
namespace subgraph {
constexpr int tensors = 0, inputs = 1, outputs = 2, operators = 3;
}
namespace tensor {
constexpr int shape = 0, type = 1, buffer = 2, name = 3, quantization = 4, sparsity = 6;
}
namespace quantization {
constexpr int scale = 2, zero_point = 3, details = 4, dimension = 6;
}
namespace node {
constexpr int code = 0, inputs = 1, outputs = 2, options = 4;
}
namespace buffer {
constexpr int data = 0, offset = 1, size = 2;
}

struct Code {
  TfliteOperator code;
  std::string custom;
};

std::vector<Code> read_codes(const FlatTable& root) {
  std::vector<Code> codes;
  for (const FlatTable& table : root.tables(model::operator_codes, most_tables)) {
    // Files from before number 127 have the old field alone; newer ones have a placeholder there.
    const std::int64_t code =
        std::max(table.integer(operator_code::old_code, 1, 0), table.integer(operator_code::code, 4, 0));
    codes.push_back({static_cast<TfliteOperator>(code), table.text(operator_code::custom)});
  }
  return codes;
}

std::string_view data_of(const FlatBuffer& file, const FlatTable& buffer) {
  const std::uint64_t offset = buffer.natural(buffer::offset, 8, 0),
                      size = buffer.natural(buffer::size, 8, 0);
  if (offset > 1 && size > 0) // outside of the tables
    return file.bytes(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  return buffer.has(buffer::data) ? buffer.bytes(buffer::data) : std::string_view();
}

TfliteTensor read_tensor(const FlatBuffer& file, const FlatTable& table,
                         const std::vector<FlatTable>& buffers) {
  TfliteTensor result;
  result.name = table.text(tensor::name);
  const auto fail = [&](const std::string& what) { file.fail("tensor \"" + result.name + "\": " + what); };
  result.shape = table.integers(tensor::shape, 4);
  if (result.shape.size() > most_dimensions)
    fail("has " + std::to_string(result.shape.size()) + " dimensions");
  result.type = static_cast<TfliteType>(table.integer(tensor::type, 1, 0));
  result.sparse = table.has(tensor::sparsity);
  if (const auto quantized = table.table(tensor::quantization)) {
    result.scales = quantized->reals(quantization::scale);
    result.zero_points = quantized->integers(quantization::zero_point, 8);
    result.quantized_dimension = quantized->integer(quantization::dimension, 4, 0);
    if (quantized->natural(quantization::details, 1, 0) != 0)
      fail("is quantized in a way of its own (QuantizationDetails)");
  }
  const std::uint64_t buffer = table.natural(tensor::buffer, 4, 0);
  if (buffer >= buffers.size())
    fail("there is no buffer " + std::to_string(buffer));
  result.data = data_of(file, buffers[static_cast<std::size_t>(buffer)]);
  return result;
}

} // namespace

std::string to_string(TfliteType type) {
  switch (type) {
  case TfliteType::float32:
    return "float32";
  case TfliteType::int32:
    return "int32";
  case TfliteType::uint8:
    return "uint8";
  case TfliteType::int64:
    return "int64";
  case TfliteType::int16:
    return "int16";
  case TfliteType::int8:
    return "int8";
  case TfliteType::int4:
    return "int4";
  }
  return "type " + std::to_string(static_cast<int>(type));
}

std::string to_string(TfliteOperator code) {
  const auto number = static_cast<std::int64_t>(code);
  std::istringstream names(operator_names);
  std::string name;
  for (std::int64_t n = 0; n <= number; ++n)
    names >> name;
  return names && number >= 0 ? name : "operator " + std::to_string(number);
}

TfliteModel read_tflite(const FlatBuffer& file) {
  const FlatTable root = FlatTable::root(file);
  if (const std::uint64_t version = root.natural(model::version, 4, 0); version != 3)
    file.fail("is a TensorFlow Lite model of version " + std::to_string(version) + ", expected 3");
  const std::vector<Code> codes = read_codes(root);
  const std::vector<FlatTable> graphs = root.tables(model::subgraphs, most_tables);
  if (graphs.size() != 1)
    file.fail("has " + std::to_string(graphs.size()) + " graphs, expected one: no IF, WHILE or CALL");
  TfliteModel result;
  result.description = root.text(model::description);
  const std::vector<FlatTable> buffers = root.tables(model::buffers, most_tables);
  for (const FlatTable& table : graphs[0].tables(subgraph::tensors, most_tables))
    result.tensors.push_back(read_tensor(file, table, buffers));
  const auto check = [&](const std::vector<std::int64_t>& indices, bool optional, const std::string& where) {
    for (const std::int64_t index : indices)
      if ((index < 0 && !(optional && index == -1)) ||
          index >= static_cast<std::int64_t>(result.tensors.size()))
        file.fail("is damaged: " + where + " has a tensor " + std::to_string(index) + ", of " +
                  std::to_string(result.tensors.size()));
  };
  result.inputs = graphs[0].integers(subgraph::inputs, 4);
  result.outputs = graphs[0].integers(subgraph::outputs, 4);
  check(result.inputs, false, "the graph");
  check(result.outputs, false, "the graph");
  for (const FlatTable& table : graphs[0].tables(subgraph::operators, most_tables)) {
    const std::string where = "operator " + std::to_string(result.nodes.size());
    const std::uint64_t code = table.natural(node::code, 4, 0);
    if (code >= codes.size())
      file.fail("is damaged: " + where + " has a code " + std::to_string(code) + ", of " +
                std::to_string(codes.size()));
    const auto options = table.table(node::options);
    const Code& known = codes[static_cast<std::size_t>(code)];
    result.nodes.push_back({known.code, known.custom, table.integers(node::inputs, 4),
                            table.integers(node::outputs, 4), options.value_or(table), options.has_value()});
    check(result.nodes.back().inputs, true, where);
    check(result.nodes.back().outputs, false, where);
  }
  return result;
}

} // namespace deltatwin
