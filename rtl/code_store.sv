// Coded blocks in block RAM, two of them: while one is read, the next one is written. begin_i, which
// counts only while free_o is high, takes room for a block, and release_i gives back that of the
// oldest block, whose words are all read by then. A block's first word is offered two cycles after
// its last one is written, or later: in the cycle after the last word of the block before is taken.

`default_nettype none

module code_store #(
  /// Words of a block, at least 1.
  parameter int Words = 342
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // Blocks
  input  logic        begin_i,
  output logic        free_o,
  input  logic        release_i,
  // Words in; last_i ends a block
  input  logic        we_i,
  input  logic [35:0] word_i,
  input  logic        last_i,
  // Words out
  output logic        valid_o,
  output logic [35:0] word_o,
  output logic        last_o,
  input  logic        ready_i
);

  localparam int IndexBits = (Words > 1) ? $clog2(Words) : 1;

  logic [1:0]           blocks_q, full_q;
  logic                 write_half_q, read_half_q, oldest_half_q, read, last_read;
  logic [IndexBits-1:0] write_index_q, read_index_q;
  logic [IndexBits-1:0] last_index_q [2];

  assign free_o = !blocks_q[1];
  // A half stays full until it is released, but its block's last word leaves valid_o high until the
  // release, so that nothing is read twice.
  assign read = full_q[read_half_q] && (!valid_o || ready_i);
  assign last_read = read_index_q == last_index_q[read_half_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      blocks_q <= '0;
      full_q <= '0;
      write_half_q <= 1'b0;
      read_half_q <= 1'b0;
      oldest_half_q <= 1'b0;
      write_index_q <= '0;
      read_index_q <= '0;
      valid_o <= 1'b0;
    end else begin
      blocks_q <= blocks_q + 2'(begin_i && free_o) - 2'(release_i);
      if (release_i) begin
        full_q[oldest_half_q] <= 1'b0;
        oldest_half_q <= !oldest_half_q;
      end
      if (we_i) write_index_q <= last_i ? '0 : write_index_q + 1'b1;
      if (we_i && last_i) begin
        full_q[write_half_q] <= 1'b1;
        write_half_q <= !write_half_q;
      end
      if (read) read_index_q <= last_read ? '0 : read_index_q + 1'b1;
      if (read && last_read) read_half_q <= !read_half_q;
      valid_o <= read || (valid_o && !ready_i);
    end
    if (we_i && last_i) last_index_q[write_half_q] <= write_index_q;
    if (read) last_o <= last_read;
  end

  weight_bank #(.Width(36), .Depth(2 ** (IndexBits + 1)), .Block(1)) u_words (
    .clk_i,
    .we_i,
    .waddr_i({write_half_q, write_index_q}),
    .wdata_i(word_i),
    .re_i(read),
    .raddr_i({read_half_q, read_index_q}),
    .rdata_o(word_o)
  );

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!we_i || !full_q[write_half_q]) else $error("a word is written over a block");
      assert (!we_i || 32'(write_index_q) < Words) else $error("a block is too long");
      assert (!release_i || full_q[oldest_half_q]) else $error("a block is released that is not there");
    end
  end

  handshake_check #(.Width(37)) u_check (
    .clk_i, .rst_ni, .valid_i(valid_o), .ready_i, .data_i({last_o, word_o})
  );
`endif

endmodule

`default_nettype wire
