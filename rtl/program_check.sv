// Checks a program, one layer per cycle with check_i, in the order of the layers: error_o is what is
// wrong with the layer shown, the lowest code first, or 0. Lengths are given less one. START's numbers
// are taken in the cycle of restart_i.

`default_nettype none

module program_check #(
  /// 1: the lanes can take consecutive deltas.
  parameter int Consecutive = 1,
  /// 1: the weight banks hold Huffman-coded streams.
  parameter int Huffman = 0,
  /// Elements in one half of the input buffer.
  parameter int InDepth = 1024,
  /// Elements in one half of the activation buffer.
  parameter int ActDepth = 512,
  /// Requantizer parameters.
  parameter int ParamDepth = 512,
  /// Layer descriptors.
  parameter int MaxLayers = 16
) (
  input  logic        clk_i,
  // START
  input  logic        restart_i,
  input  logic [7:0]  layers_i,
  input  logic [31:0] images_i,
  // Layer
  input  logic        check_i,
  input  logic        first_i,
  input  logic        last_i,
  input  logic [12:0] inputs_i,
  input  logic [12:0] outputs_i,
  input  logic [12:0] block_i,
  input  logic [1:0]  activation_i,
  input  logic        consecutive_i,
  input  logic        huffman_i,
  output logic [4:0]  error_o
);

  localparam logic [4:0] NoError = 5'd0, BadLayerCount = 5'd1, BadImageCount = 5'd2,
      BadInputLength = 5'd3, BadOutputLength = 5'd4, BadChain = 5'd5, BadBlockLength = 5'd6,
      BadScheme = 5'd7, BadActivation = 5'd8, BadParameterRange = 5'd9;

  logic        bad_layers_q, bad_images_q;
  logic [12:0] chain_q;
  logic [17:0] neurons_q, neurons;

  assign neurons = neurons_q + 18'(outputs_i) + 18'd1;

  always_ff @(posedge clk_i) begin
    if (restart_i) begin
      bad_layers_q <= layers_i == '0 || 32'(layers_i) > MaxLayers;
      bad_images_q <= images_i == '0;
      neurons_q <= '0;
    end else if (check_i) begin
      neurons_q <= neurons;
    end
    if (check_i) chain_q <= outputs_i;
  end

  // A length of 0 is less one the largest number, and so too long as well.
  always_comb begin
    error_o = NoError;
    if (bad_layers_q) error_o = BadLayerCount;
    else if (bad_images_q) error_o = BadImageCount;
    else if (32'(inputs_i) >= (first_i ? InDepth : ActDepth)) error_o = BadInputLength;
    else if (32'(outputs_i) >= (last_i ? 4096 : ActDepth)) error_o = BadOutputLength;
    else if (!first_i && inputs_i != chain_q) error_o = BadChain;
    else if (block_i > inputs_i) error_o = BadBlockLength;
    else if ((consecutive_i && Consecutive == 0) || (huffman_i && Huffman == 0))
      error_o = BadScheme;
    else if (activation_i == 2'd3 || (activation_i == 2'd0 && !last_i)) error_o = BadActivation;
    else if (32'(neurons) > ParamDepth) error_o = BadParameterRange;
  end

endmodule

`default_nettype wire
