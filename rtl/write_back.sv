// Walks the sums back to their places: for each sum that leaves the delta MAC its requantizer
// settings and parameter, and where its result goes, all in the cycle of sum_valid_i.

`default_nettype none

module write_back #(
  /// Elements in one half of the activation buffer, a power of two.
  parameter int ActDepth = 512,
  /// Requantizer parameters.
  parameter int ParamDepth = 512,
  localparam int ActBits = $clog2(2 * ActDepth),
  localparam int ParamBits = (ParamDepth > 1) ? $clog2(ParamDepth) : 1
) (
  input  logic                 clk_i,
  input  logic                 restart_i,
  // The sums' layer: its outputs less one; next: to the layer after it
  input  logic                 layer_odd_i,
  input  logic                 layer_last_i,
  input  logic [12:0]          outputs_i,
  output logic                 next_o,
  // Sum
  input  logic                 sum_valid_i,
  output logic [ParamBits-1:0] param_addr_o,
  output logic                 last_o,
  output logic [ActBits-1:0]   act_addr_o
);

  logic [12:0]          neuron_q;
  logic [ParamBits-1:0] param_q;

  assign last_o = neuron_q == outputs_i;
  assign act_addr_o = {layer_odd_i, neuron_q[ActBits-2:0]};
  assign param_addr_o = param_q;
  assign next_o = sum_valid_i && last_o;

  always_ff @(posedge clk_i) begin
    if (restart_i) begin
      neuron_q <= '0;
      param_q <= '0;
    end else if (sum_valid_i) begin
      neuron_q <= last_o ? '0 : neuron_q + 1'b1;
      param_q <= (last_o && layer_last_i) ? '0 : param_q + 1'b1;
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (!restart_i && sum_valid_i)
      assert (neuron_q <= outputs_i) else $error("a sum beyond its layer");
  end
`endif

endmodule

`default_nettype wire
