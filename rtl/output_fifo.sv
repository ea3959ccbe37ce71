// The queue in front of the output stream: a word pushed in cycle c is on the stream from c + 1.
// There is no full flag, because the scheduler's credits never let more than Depth words in. The
// reset empties it, and withdraws a word that was offered and not taken.

`default_nettype none

module output_fifo #(
  /// Bits of a word.
  parameter int Width = 17,
  /// Words, a power of two.
  parameter int Depth = 32
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  // Push
  input  logic             push_i,
  input  logic [Width-1:0] data_i,
  // Stream
  output logic             valid_o,
  output logic [Width-1:0] data_o,
  input  logic             ready_i
);

  localparam int AddrBits = (Depth > 1) ? $clog2(Depth) : 1;

  (* ram_style = "distributed" *)
  logic [Width-1:0] memory_q [2 ** AddrBits];

  // One bit more than an address, so that full and empty differ.
  logic [AddrBits:0] write_q, read_q;

  assign valid_o = write_q != read_q;
  assign data_o = memory_q[read_q[AddrBits-1:0]];

  always_ff @(posedge clk_i) begin
    if (push_i) memory_q[write_q[AddrBits-1:0]] <= data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
    end else begin
      if (push_i) write_q <= write_q + 1'b1;
      if (valid_o && ready_i) read_q <= read_q + 1'b1;
    end
  end

`ifndef YOSYS
  logic [AddrBits:0] used;
  assign used = write_q - read_q;

  always @(posedge clk_i) begin
    if (rst_ni && push_i)
      assert (32'(used) < Depth) else $error("a word is pushed into a full FIFO");
  end

  handshake_check #(.Width(Width)) u_check (.clk_i, .rst_ni, .valid_i(valid_o), .ready_i, .data_i(data_o));
`endif

endmodule

`default_nettype wire
