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

  // Not a loop in one block: Verilator unrolls no more than 64 cycles.
  for (genvar i = 0; i < Cycles; i++) begin : gen_cycle
    logic [Width-1:0] data_q;

    if (i == 0) begin : gen_first
      always_ff @(posedge clk_i) data_q <= data_i;
    end else begin : gen_next
      always_ff @(posedge clk_i) data_q <= gen_cycle[i-1].data_q;
    end
  end

  assign data_o = gen_cycle[Cycles-1].data_q;

endmodule

`default_nettype wire
