// What came in Cycles cycles ago; no reset, so that it is made of shift registers in LUTs.

`default_nettype none

module delay_line #(
  parameter int Width = 8,
  /// 1 or more.
  parameter int Cycles = 4
) (
  input  logic             clk_i,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);

  logic [Width-1:0] data_q [Cycles];

  always_ff @(posedge clk_i) begin
    data_q[0] <= data_i;
    for (int i = 1; i < Cycles; i++) data_q[i] <= data_q[i-1];
  end

  assign data_o = data_q[Cycles-1];

endmodule

`default_nettype wire
