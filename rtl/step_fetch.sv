// The table of steps where it is one RAM (rtl/array_scheduler.sv, with sweeps): five words of 32 bits a step, one
// behind the other, which are read one a cycle into a shift register. fetch_i takes the next step from the table,
// the first one behind start_i, then the one behind the last one (last_i, from the cycle behind the fetch on): word
// 0 is there as layer_o one cycle later, with read_o, all words from done_o on, 5 cycles later, until the next
// fetch. A fetch while words are read is not allowed; start_i ends one. A piece is written in its cycle, while
// nothing is fetched; pieces from 5 on, and steps that are not there, are none.

`default_nettype none

module step_fetch #(
  parameter int Steps = 512,
  /// 1: block RAM, 0: LUT-RAM.
  parameter int Block = 1
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         start_i,
  // Table
  input  logic         we_i,
  input  logic [15:0]  word_i,
  input  logic [11:0]  piece_i,
  input  logic [31:0]  data_i,
  // Steps
  input  logic         fetch_i,
  input  logic         last_i,
  output logic         read_o,
  output logic [4:0]   layer_o,
  output logic         done_o,
  output logic [159:0] words_o
);

  localparam int Pieces = 5;
  localparam int AddrBits = $clog2(Pieces * Steps);

  logic [4:0]          fetching_q;  // since 1 to 5 cycles
  logic [AddrBits-1:0] address_q, write_address;
  logic [31:0]         word;
  logic [127:0]        words_q;
  logic                reads;

  assign reads = fetch_i || fetching_q[3:0] != '0;
  assign write_address = (AddrBits'(word_i) << 2) + AddrBits'(word_i) + AddrBits'(piece_i);

  weight_bank #(.Width(32), .Depth(Pieces * Steps), .ReadLatency(1), .Block(Block)) u_words (
    .clk_i,
    .we_i(we_i && 32'(piece_i) < Pieces && 32'(word_i) < Steps),
    .waddr_i(write_address),
    .wdata_i(data_i),
    .re_i(reads),
    .raddr_i(address_q),
    .rdata_o(word)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      fetching_q <= '0;
      address_q <= '0;
    end else begin
      fetching_q <= {fetching_q[3:0], fetch_i};
      if (fetching_q[3] && last_i) address_q <= '0;
      else if (reads) address_q <= address_q + 1'b1;
    end
    if (fetching_q[3:0] != '0) words_q <= {word, words_q[127:32]};
  end

  assign read_o = fetching_q[0];
  assign layer_o = word[4:0];
  assign done_o = fetching_q[4];
  assign words_o = {word, words_q};

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && !start_i)
      assert (!fetch_i || fetching_q[3:0] == '0) else $error("a step is fetched while another one is");
  end
`endif

endmodule

`default_nettype wire
