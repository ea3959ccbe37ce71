// What a stream or channel promises, checked in simulation: a valid that was not taken stays, and
// its payload with it, until ready; only a reset takes it back. No logic: synthesis has none of it.

`default_nettype none

module handshake_check #(
  /// Bits of the payload.
  parameter int Width = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  input  logic             ready_i,
  input  logic [Width-1:0] data_i
);

  logic             waiting_q;
  logic [Width-1:0] data_q;

  always_ff @(posedge clk_i) begin
    waiting_q <= rst_ni && valid_i && !ready_i;
    data_q <= data_i;
  end

`ifndef YOSYS  // It reads every module, also those that it does not build.
  always @(posedge clk_i) begin
    if (rst_ni && waiting_q) begin
      assert (valid_i) else $error("valid is withdrawn before ready");
      assert (data_i == data_q) else $error("the payload changes before ready");
    end
  end
`endif

endmodule

`default_nettype wire
