// Of a step's layer, what rtl/array_scheduler.sv refuses and takes products to know: a tile of fewer than
// Beats cycles, its windows' and its pause; and other entries for the output queue than columns x tiles, or
// more than OutputDepth. Counts that cannot be 0 come as one less. Both in the same cycle.

`default_nettype none

module array_step_check #(
  /// Results of a tile leave in so many cycles, 1 to 128.
  parameter int Beats = 2,
  /// Entries of the output queue, a power of two.
  parameter int OutputDepth = 128,
  /// 1: windows may be taken in several passes.
  parameter int Passes = 0
) (
  input  logic [7:0]  row_groups_i,
  input  logic [7:0]  kernel_columns_i,
  input  logic [7:0]  channel_groups_i,
  input  logic [2:0]  passes_i,
  input  logic [7:0]  pause_i,
  input  logic [11:0] columns_i,
  input  logic [7:0]  tiles_i,
  input  logic [15:0] entries_i,
  output logic        short_tile_o,
  output logic        bad_entries_o
);

  // Sums of shifts, so that no product takes a DSP. Counts from Beats on are all the same.
  localparam int CountBits = $clog2(Beats) + 1;

  function automatic logic [CountBits-1:0] cycles(input logic [7:0] count, input int more);
    cycles = 32'(count) + more >= Beats ? CountBits'(Beats) : CountBits'(32'(count) + more);
  endfunction

  function automatic logic [CountBits-1:0] product(input logic [CountBits-1:0] a,
                                                   input logic [CountBits-1:0] b);
    logic [2*CountBits-1:0] sum;
    sum = '0;
    for (int i = 0; i < CountBits; i++)
      if (b[i]) sum = sum + ((2 * CountBits)'(a) << i);
    product = 32'(sum) >= Beats ? CountBits'(Beats) : CountBits'(sum);
  endfunction

  logic [CountBits-1:0] of_pass, windows;

  assign of_pass = product(product(cycles(row_groups_i, 1), cycles(kernel_columns_i, 1)),
                           cycles(channel_groups_i, 1));
  assign windows = (Passes != 0) ? product(of_pass, cycles(8'(passes_i), 1)) : of_pass;
  assign short_tile_o = 32'(windows) + 32'(cycles(pause_i, 0)) < Beats;

  // (columns_i + 1) * (tiles_i + 1), each OutputDepth at most.
  localparam int DepthBits = $clog2(OutputDepth);
  localparam int ColumnBits = (DepthBits < 1) ? 1 : (DepthBits < 12) ? DepthBits : 12;
  localparam int TileBits = (DepthBits < 1) ? 1 : (DepthBits < 8) ? DepthBits : 8;
  localparam int EntryBits = ColumnBits + TileBits + 1;
  logic [EntryBits-1:0] columns, tiles, entries;

  assign columns = EntryBits'(columns_i[ColumnBits-1:0]);
  assign tiles = EntryBits'(tiles_i[TileBits-1:0]);

  always_comb begin
    entries = columns + tiles + 1'b1;
    for (int i = 0; i < TileBits; i++)
      if (tiles[i]) entries = entries + (columns << i);
  end

  assign bad_entries_o = 32'(entries_i) > OutputDepth || 32'(columns_i) >= OutputDepth ||
      32'(tiles_i) >= OutputDepth || 32'(entries) != 32'(entries_i);

  if (Passes == 0) begin : gen_one_pass
    logic unused_passes;
    assign unused_passes = ^passes_i;
  end

endmodule

`default_nettype wire
