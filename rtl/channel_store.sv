// Words of coded channels: a ring of 36-bit words in block RAM, the flags of last words in LUT RAM.
// Words of a channel are offered when its last one has been written: a last word written in cycle t
// lets the channel's first word be offered in t + 2, or in the cycle after the word before it is
// taken; then comes one word per cycle, from one channel to the next too where that one is whole. A
// word has its place from the cycle after its write until the cycle of its take: word_ready_o of cycle
// c is high if fewer than Words words were written before c and not taken before c. A channel of more
// than Words words never comes out. A reset forgets all words.

`default_nettype none

module channel_store #(
  /// Words of the ring, a power of two, at least 16.
  parameter int Words = 512
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // Words in; word_last_i ends a channel
  input  logic        word_valid_i,
  input  logic [35:0] word_i,
  input  logic        word_last_i,
  output logic        word_ready_o,
  // Words out
  output logic        valid_o,
  output logic [35:0] word_o,
  output logic        last_o,
  input  logic        ready_i
);

  if (Words < 16 || 2 ** $clog2(Words) != Words) begin : gen_bad_words
    words_must_be_a_power_of_two_of_at_least_16 u_error ();
  end

  localparam int AddrBits = $clog2(Words);

  // Words of whole channels are those before whole_q. One bit more than an address: a ring full of
  // whole channels is not empty.
  logic [AddrBits:0] write_q, write_next, whole_q, read_q, words_q;
  logic              write, read, take;

  // A word that was read is at the memory's output or, if another one was read behind it before it was
  // taken, in waiting_q: no read depends on ready_i.
  logic        waiting_valid_q, memory_last;
  logic [35:0] memory_word;
  logic [36:0] waiting_q;

  assign word_ready_o = !words_q[AddrBits];
  assign write = word_valid_i && word_ready_o;
  assign write_next = write_q + 1'b1;
  assign read = whole_q != read_q && !waiting_valid_q;
  assign {last_o, word_o} = waiting_valid_q ? waiting_q : {memory_last, memory_word};
  assign take = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      whole_q <= '0;
      read_q <= '0;
      words_q <= '0;
      valid_o <= 1'b0;
      waiting_valid_q <= 1'b0;
    end else begin
      if (write) write_q <= write_next;
      if (write && word_last_i) whole_q <= write_next;
      if (read) read_q <= read_q + 1'b1;
      if (write != take) words_q <= write ? words_q + 1'b1 : words_q - 1'b1;
      valid_o <= read || waiting_valid_q || (valid_o && !ready_i);
      waiting_valid_q <= valid_o && !ready_i && (read || waiting_valid_q);
    end
    if (!waiting_valid_q) waiting_q <= {memory_last, memory_word};
  end

  weight_bank #(.Width(36), .Depth(Words), .Block(1)) u_words (
    .clk_i,
    .we_i(write),
    .waddr_i(write_q[AddrBits-1:0]),
    .wdata_i(word_i),
    .re_i(read),
    .raddr_i(read_q[AddrBits-1:0]),
    .rdata_o(memory_word)
  );

  // Flags of last words: a RAM128X1D is half the LUTs that Yosys takes for a deeper memory of one bit.
  localparam int BankBits = (AddrBits > 7) ? 7 : AddrBits;
  localparam int Banks = 2 ** (AddrBits - BankBits);

  logic [Banks-1:0]  lasts;
  logic [AddrBits:0] write_bank, read_bank_q;

  assign write_bank = {1'b0, write_q[AddrBits-1:0]} >> BankBits;
  assign memory_last = 1'(lasts >> read_bank_q);

  always_ff @(posedge clk_i) begin
    if (read) read_bank_q <= {1'b0, read_q[AddrBits-1:0]} >> BankBits;
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    weight_bank #(.Width(1), .Depth(2 ** BankBits), .Block(0)) u_lasts (
      .clk_i,
      .we_i(write && 32'(write_bank) == b),
      .waddr_i(write_q[BankBits-1:0]),
      .wdata_i(word_last_i),
      .re_i(read),
      .raddr_i(read_q[BankBits-1:0]),
      .rdata_o(lasts[b])
    );
  end

`ifndef YOSYS
  handshake_check #(.Width(37)) u_check (
    .clk_i, .rst_ni, .valid_i(valid_o), .ready_i, .data_i({last_o, word_o})
  );
`endif

endmodule

`default_nettype wire
