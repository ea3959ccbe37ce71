// The layer descriptors, and two cursors over them: of the layer that is checked or issued, and of
// the layer whose sums come. Each holds its layer's fields in registers, lengths less one, so that
// counters are compared with them as they stand. In START's cycle both go to layer 0; with next a
// cursor goes to the layer after its own, and from the last one of START's layers_i to layer 0.

`default_nettype none

module program_table #(
  /// Layer descriptors, a power of two, at most 16.
  parameter int MaxLayers = 16,
  localparam int ProgramBits = $clog2(2 * MaxLayers),
  localparam int LayerBits = (MaxLayers > 1) ? $clog2(MaxLayers) : 1
) (
  input  logic                   clk_i,
  // Program: word 2i is {huffman, consecutive, activation, outputs, inputs} of layer i,
  // word 2i + 1 is {requantizer shift, delta shift, block length}
  input  logic                   prog_we_i,
  input  logic [ProgramBits-1:0] prog_addr_i,
  input  logic [31:0]            prog_data_i,
  // START
  input  logic                   restart_i,
  input  logic [7:0]             layers_i,
  output logic [LayerBits-1:0]   last_layer_o,
  // Issue cursor
  input  logic                   issue_next_i,
  output logic [LayerBits-1:0]   issue_layer_o,
  output logic                   issue_first_o,
  output logic                   issue_last_o,
  output logic [12:0]            issue_inputs_o,
  output logic [12:0]            issue_outputs_o,
  output logic [12:0]            issue_block_o,
  output logic [1:0]             issue_activation_o,
  output logic                   issue_consecutive_o,
  output logic                   issue_huffman_o,
  output logic [2:0]             issue_shift_o,
  // Where it goes next: in START's cycle layer 0
  output logic [LayerBits-1:0]   ahead_layer_o,
  output logic [12:0]            ahead_outputs_o,
  output logic                   ahead_huffman_o,
  // Sum cursor
  input  logic                   sum_next_i,
  output logic                   sum_odd_o,
  output logic                   sum_last_o,
  output logic [12:0]            sum_outputs_o,
  output logic [1:0]             sum_activation_o,
  output logic [4:0]             sum_shift_o
);

  localparam int ShapeBits = 30, TimingBits = 21;

  (* ram_style = "distributed" *)
  logic [ShapeBits-1:0]  shapes_q [2 ** LayerBits];
  (* ram_style = "distributed" *)
  logic [TimingBits-1:0] timings_q [2 ** LayerBits];

  initial begin
    for (int i = 0; i < 2 ** LayerBits; i++) begin
      shapes_q[i] = {4'd0, 26'h3FFFFFF};  // as words of zeros would be stored
      timings_q[i] = {8'd0, 13'h1FFF};
    end
  end

  logic [LayerBits-1:0] prog_layer;
  logic [12:0]          inputs, outputs, block_length, inputs_last, outputs_last, block_last;
  logic [1:0]           activation;
  logic                 consecutive, huffman;
  logic [2:0]           delta_shift;
  logic [4:0]           shift;

  assign prog_layer = LayerBits'(prog_addr_i >> 1);

  assign inputs = prog_data_i[12:0];
  assign outputs = prog_data_i[25:13];
  assign activation = prog_data_i[27:26];
  assign consecutive = prog_data_i[28];
  assign huffman = prog_data_i[29];

  assign block_length = prog_data_i[12:0];
  assign delta_shift = prog_data_i[15:13];
  assign shift = prog_data_i[20:16];

  assign inputs_last = inputs - 13'd1;
  assign outputs_last = outputs - 13'd1;
  assign block_last = block_length - 13'd1;

  always_ff @(posedge clk_i) begin
    if (prog_we_i && !prog_addr_i[0])
      shapes_q[prog_layer] <= {huffman, consecutive, activation, outputs_last, inputs_last};
    if (prog_we_i && prog_addr_i[0]) timings_q[prog_layer] <= {shift, delta_shift, block_last};
  end

  // START's number of layers.
  logic [LayerBits-1:0] layers_last, last_layer_q;

  assign layers_last = LayerBits'(layers_i - 8'd1);
  assign last_layer_o = last_layer_q;

  always_ff @(posedge clk_i) begin
    if (restart_i) last_layer_q <= layers_last;
  end

  // Issue cursor.
  logic [LayerBits-1:0]  layer_q, layer_d;
  logic                  first_q, last_q;
  logic [ShapeBits-1:0]  shape, shape_q;
  logic [TimingBits-1:0] timing;
  logic [15:0]           timing_q;

  assign layer_d = (restart_i || last_q) ? '0 : layer_q + 1'b1;
  assign shape = shapes_q[layer_d];
  assign timing = timings_q[layer_d];

  always_ff @(posedge clk_i) begin
    if (restart_i || issue_next_i) begin
      layer_q <= layer_d;
      first_q <= layer_d == '0;
      last_q <= layer_d == (restart_i ? layers_last : last_layer_q);
      shape_q <= shape;
      timing_q <= timing[15:0];
    end
  end

  assign issue_layer_o = layer_q;
  assign issue_first_o = first_q;
  assign issue_last_o = last_q;
  assign {issue_huffman_o, issue_consecutive_o, issue_activation_o, issue_outputs_o, issue_inputs_o}
      = shape_q;
  assign {issue_shift_o, issue_block_o} = timing_q;
  assign ahead_layer_o = layer_d;
  assign ahead_outputs_o = shape[25:13];
  assign ahead_huffman_o = shape[29];

  // Sum cursor.
  logic [LayerBits-1:0]  sum_layer_q, sum_layer_d;
  logic                  sum_last_q;
  logic [ShapeBits-1:0]  sum_shape;
  logic [TimingBits-1:0] sum_timing;

  assign sum_layer_d = (restart_i || sum_last_q) ? '0 : sum_layer_q + 1'b1;
  assign sum_shape = shapes_q[sum_layer_d];
  assign sum_timing = timings_q[sum_layer_d];

  always_ff @(posedge clk_i) begin
    if (restart_i || sum_next_i) begin
      sum_layer_q <= sum_layer_d;
      sum_last_q <= sum_layer_d == (restart_i ? layers_last : last_layer_q);
      {sum_activation_o, sum_outputs_o} <= sum_shape[27:13];
      sum_shift_o <= sum_timing[20:16];
    end
  end

  assign sum_odd_o = sum_layer_q[0];
  assign sum_last_o = sum_last_q;

  logic unused_bits;
  assign unused_bits = ^{prog_data_i[31:30], timing[20:16], sum_shape[29:28], sum_shape[12:0],
                         sum_timing[15:0]};

endmodule

`default_nettype wire
