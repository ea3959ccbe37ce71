// Entries of up to Values bytes, pushed at once, leave one byte per beat, with TLAST on the last byte of a
// final one; an entry pushed in cycle c is on the stream from c + 1 on. pop_o comes with an entry's last beat.
// Who pushes knows that there is room for Depth entries.

`default_nettype none

module value_output #(
  /// Bytes of an entry.
  parameter int Values = 8,
  /// Entries, a power of two.
  parameter int Depth = 128
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                push_i,
  input  logic                final_i,
  input  logic [5:0]          count_i,
  input  logic [8*Values-1:0] word_i,
  // AXI4-Stream
  output logic [7:0]          m_axis_tdata_o,
  output logic                m_axis_tlast_o,
  output logic                m_axis_tvalid_o,
  input  logic                m_axis_tready_i,
  output logic                pop_o,
  output logic                image_done_o
);

  localparam int IndexBits = $clog2(Values);

  logic                 is_final, last, valid;
  logic [5:0]           count;
  logic [8*Values-1:0]  word;
  logic [IndexBits-1:0] index_q;

  output_fifo #(.Width(1 + 6 + 8 * Values), .Depth(Depth)) u_fifo (
    .clk_i,
    .rst_ni,
    .push_i,
    .data_i({final_i, count_i, word_i}),
    .valid_o(valid),
    .data_o({is_final, count, word}),
    .ready_i(m_axis_tready_i && last)
  );

  assign m_axis_tvalid_o = valid && rst_ni;
  assign last = 6'(index_q) == count - 1'b1;
  assign m_axis_tdata_o = word[8*32'(index_q) +: 8];
  assign m_axis_tlast_o = is_final && last;
  assign pop_o = m_axis_tvalid_o && m_axis_tready_i && last;
  assign image_done_o = pop_o && is_final;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || pop_o) index_q <= '0;
    else if (m_axis_tvalid_o && m_axis_tready_i) index_q <= index_q + 1'b1;
  end

endmodule

`default_nettype wire
