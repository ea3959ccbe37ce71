// Takes inferences' inputs from the stream into the halves of the input buffer in turn, one beat per
// cycle; a half that is full waits for the issue side, which frees it with free_i in the cycle of
// its last read. TLAST must come with an inference's last input, and with that only.

`default_nettype none

module input_loader #(
  /// Elements in one half of the input buffer, a power of two.
  parameter int InDepth = 1024,
  localparam int InBits = $clog2(2 * InDepth)
) (
  input  logic              clk_i,
  // START, and an inference's inputs less one
  input  logic              restart_i,
  input  logic [31:0]       images_i,
  input  logic              length_we_i,
  input  logic [12:0]       length_i,
  // Input stream, into the input buffer while active
  input  logic              active_i,
  input  logic              s_valid_i,
  input  logic              s_last_i,
  output logic              s_ready_o,
  output logic              we_o,
  output logic [InBits-1:0] waddr_o,
  output logic              framing_error_o,
  // An inference's last input; all of the run's inferences are loaded
  output logic              loaded_o,
  output logic              all_loaded_o,
  // The half to be read
  output logic              read_half_o,
  output logic              full_o,
  input  logic              free_i
);

  logic [1:0]  full_q;
  logic        load_half_q, read_half_q, last, all_loaded_q;
  logic [12:0] length_q, index_q;
  logic [31:0] left_q;  // inferences after the one that is loaded

  assign s_ready_o = active_i && !full_q[load_half_q] && !all_loaded_q;
  assign we_o = s_valid_i && s_ready_o;
  assign waddr_o = {load_half_q, index_q[InBits-2:0]};
  assign last = index_q == length_q;
  assign framing_error_o = we_o && s_last_i != last;
  assign loaded_o = we_o && last;
  assign all_loaded_o = all_loaded_q;
  assign read_half_o = read_half_q;
  assign full_o = full_q[read_half_q];

  always_ff @(posedge clk_i) begin
    if (length_we_i) length_q <= length_i;
    if (restart_i || loaded_o) left_q <= (restart_i ? images_i : left_q) - 1'b1;
    if (restart_i) begin
      full_q <= '0;
      load_half_q <= 1'b0;
      read_half_q <= 1'b0;
      index_q <= '0;
      all_loaded_q <= 1'b0;
    end else begin
      if (we_o) index_q <= last ? '0 : index_q + 1'b1;
      if (loaded_o) begin
        full_q[load_half_q] <= 1'b1;
        load_half_q <= !load_half_q;
        all_loaded_q <= left_q == '0;
      end
      if (free_i) begin
        full_q[read_half_q] <= 1'b0;
        read_half_q <= !read_half_q;
      end
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (!restart_i) begin
      assert (!free_i || full_o) else $error("a half that is not full is freed");
      assert (!we_o || 32'(index_q) < InDepth) else $error("an input beyond its half");
    end
  end
`endif

endmodule

`default_nettype wire
