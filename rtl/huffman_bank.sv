// A bank of 36-bit words that hold one coded stream a lane, and the lanes' decoders, which take
// turns at the read port: in cycle c the word of lane turn_i is read, in c + 1 it is offered to
// that lane's decoder, and fetch_o says whose was accepted; none is offered in a reset. After a
// stream's last word its first one follows again. The reset restarts all streams; their first and
// last addresses stay, and are written in a reset only.

`default_nettype none

module huffman_bank #(
  /// Lanes of this bank, 1 to 4.
  parameter int Lanes = 4,
  /// Lanes of a full bank, at least 2, which take turns.
  parameter int Turns = 4,
  /// Bits of a symbol, 1 to 8.
  parameter int SymbolBits = 4,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// Bits of a symbol's place in its book's table, 1 to 12.
  parameter int RankBits = SymbolBits,
  /// Entries of a decoder's tables, at most Books * 2 ** RankBits.
  parameter int SymbolDepth = Books * 2 ** RankBits,
  /// Words of the bank.
  parameter int BankDepth = 2048,
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1,
  localparam int TableBits = RankBits + $clog2(Books),
  localparam int AddrBits = (BankDepth > 1) ? $clog2(BankDepth) : 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // Words
  input  logic                        we_i,
  input  logic [AddrBits-1:0]         waddr_i,
  input  logic [35:0]                 wdata_i,
  // Streams: a lane's first address, or its last one
  input  logic                        stream_we_i,
  input  logic [1:0]                  stream_lane_i,
  input  logic                        stream_last_i,
  input  logic [AddrBits-1:0]         stream_addr_i,
  // Whose turn it is, the same in all banks
  input  logic [1:0]                  turn_i,
  output logic [Lanes-1:0]            fetch_o,
  // Symbol tables, addressed by {book, rank}, and the book in use
  input  logic                        table_we_i,
  input  logic [TableBits-1:0]        table_addr_i,
  input  logic [SymbolBits-1:0]       table_symbol_i,
  input  logic [71:0]                 limits_i,
  input  logic [8*RankBits-1:0]       bases_i,
  input  logic [BookBits-1:0]         book_i,
  // Symbols, one cycle after they are taken; end_i: the streams end after this cycle's takes
  input  logic [Lanes-1:0]            take_i,
  input  logic                        end_i,
  output logic [Lanes*SymbolBits-1:0] symbols_o,
  // Errors; of several lanes' faults the lowest
  output logic                        error_o,
  output logic [1:0]                  fault_o
);

  if (Lanes < 1 || Turns < 2 || Turns > 4 || Lanes > Turns) begin : gen_bad_turns
    turns_must_be_2_to_4_and_at_least_lanes u_error ();
  end

  // No lane's next turn comes before its word of this one is accepted. A restarted stream's next
  // word is its first one, which stands in the other half of the memory of addresses.
  logic [3:0]          at_first_q, ready;
  logic [1:0]          lane_q;
  logic                read_q, offered, fetched, last;
  logic [AddrBits-1:0] address, address_q;
  logic [35:0]         word;

  (* ram_style = "distributed" *)
  logic [AddrBits-1:0] addresses_q [8];
  (* ram_style = "distributed" *)
  logic [AddrBits-1:0] lasts_q [4];

  initial begin
    for (int i = 0; i < 8; i++) addresses_q[i] = '0;
    for (int i = 0; i < 4; i++) lasts_q[i] = '0;
  end

  assign address = addresses_q[{at_first_q[turn_i], turn_i}];
  assign last = address_q == lasts_q[lane_q];
  assign offered = read_q && rst_ni;
  assign fetched = offered && ready[lane_q];
  for (genvar l = 0; l < Lanes; l++) begin : gen_fetch
    assign fetch_o[l] = fetched && lane_q == 2'(l);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q <= 1'b0;
      at_first_q <= '1;
    end else begin
      read_q <= 1'b1;
      if (fetched) at_first_q[lane_q] <= last;
    end
    lane_q <= turn_i;
    address_q <= address;
  end

  always_ff @(posedge clk_i) begin
    if (stream_we_i && stream_last_i) lasts_q[stream_lane_i] <= stream_addr_i;
    if (stream_we_i ? !stream_last_i : fetched)
      addresses_q[stream_we_i ? {1'b1, stream_lane_i} : {1'b0, lane_q}]
          <= (stream_we_i ? stream_addr_i : address_q) + AddrBits'(!stream_we_i);
  end

  weight_bank #(.Width(36), .Depth(BankDepth)) u_words (
    .clk_i, .we_i, .waddr_i, .wdata_i, .re_i(1'b1), .raddr_i(address), .rdata_o(word)
  );

  // Decoders. No word is offered in the cycle after the reset, so that theirs may be that late.
  logic             restart_q;
  logic [Lanes-1:0] errors, bad_code, too_short, decoder_ready, unused_valid;

  initial restart_q = 1'b1;  // the decoders are reset from the first cycle on

  always_ff @(posedge clk_i) restart_q <= !rst_ni;

  for (genvar l = 0; l < 4; l++) begin : gen_lane
    if (l < Lanes) begin : gen_decoder
      logic [1:0] fault;

      huffman_decoder #(
        .SymbolBits(SymbolBits),
        .Books(Books),
        .RankBits(RankBits),
        .Depth(SymbolDepth),
        .Complete(1)
      ) u_decoder (
        .clk_i,
        .rst_ni(!restart_q),
        .table_we_i,
        .table_addr_i,
        .table_symbol_i,
        .limits_i,
        .bases_i,
        .book_i,
        .word_valid_i(offered && lane_q == 2'(l)),
        .word_i(word),
        .word_last_i(last),
        .word_ready_o(ready[l]),
        .take_i(take_i[l]),
        .end_i,
        .ready_o(decoder_ready[l]),
        .valid_o(unused_valid[l]),
        .symbol_o(symbols_o[l*SymbolBits +: SymbolBits]),
        .error_o(errors[l]),
        .fault_o(fault)
      );

      assign bad_code[l] = fault == 2'd1;
      assign too_short[l] = fault == 2'd2;
    end else begin : gen_no_decoder
      assign ready[l] = 1'b0;
    end
  end

  assign error_o = errors != '0;
  assign fault_o = (bad_code != '0) ? 2'd1 : (too_short != '0) ? 2'd2 : error_o ? 2'd3 : 2'd0;

  logic unused;
  assign unused = ^{decoder_ready, unused_valid};

`ifndef YOSYS
  // A word that was read again before its lane's address moved on.
  logic stale_q;

  always_ff @(posedge clk_i) stale_q <= rst_ni && fetched && lane_q == turn_i;

  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(fetched && stale_q)) else $error("a decoder takes a word twice");
      assert ((take_i & ~decoder_ready) == '0) else $error("a symbol is taken before it is there");
      assert (!stream_we_i) else $error("a stream's bounds are written while it is read");
    end
  end
`endif

endmodule

`default_nettype wire
