// The weights of a design with Huffman = 1: banks of coded streams with their decoders, the code
// books of the layers, and the turns of the lanes at their banks. issue_i takes a symbol for each of
// the first lanes_i lanes and comes back as deltas a cycle later, 0 for the other lanes. The reset,
// which lasts as long as nothing runs, starts all streams again, end_i those of the next inference.
//
// With SymbolDeltas = 2 a symbol is a pair of deltas, the first in the low bits: an issue without
// odd_i takes one and gives the first delta, the issue behind it, with odd_i, takes none and gives the
// second; without it that one is dropped. The books' tables then lie one behind another, in the order
// in which they are built since the reset; a book that does not go in has the fault of an
// oversubscribed one, in the cycle in which its build would have ended.

`default_nettype none

module huffman_weights #(
  /// Lanes, 1 to 255.
  parameter int Lanes = 16,
  /// Lanes that one bank feeds, 1 to 4.
  parameter int LanesPerBank = 4,
  /// Bits of a delta, 1 to 8, of pairs at most 4.
  parameter int DeltaBits = 4,
  /// Deltas of a symbol, 1 or 2.
  parameter int SymbolDeltas = 1,
  /// With SymbolDeltas = 2: entries of a decoder's tables, 2 to 4096.
  parameter int SymbolDepth = 128,
  /// Words of a bank.
  parameter int BankDepth = 2048,
  /// Layers, a power of two, at most 16.
  parameter int MaxLayers = 4,
  localparam int Banks = (Lanes + LanesPerBank - 1) / LanesPerBank
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Loads: words of a bank; lengths at {layer, symbol}; word addresses at {lane, first or last}
  input  logic [Banks-1:0]           load_word_i,
  input  logic                       load_book_i,
  input  logic                       load_stream_i,
  input  logic [19:0]                load_addr_i,
  input  logic [35:0]                load_data_i,
  // Builds of code books
  input  logic                       build_start_i,
  input  logic [3:0]                 build_layer_i,
  input  logic                       build_uniform_i,
  output logic                       build_done_o,
  output logic [1:0]                 build_fault_o,
  // Slots; the layer is there in the cycle before its first slot
  input  logic [3:0]                 layer_i,
  input  logic                       issue_i,
  input  logic                       odd_i,
  input  logic [7:0]                 lanes_i,
  input  logic                       end_i,
  output logic [Lanes*DeltaBits-1:0] deltas_o,
  // Errors; of several faults the lowest
  output logic                       error_o,
  output logic [1:0]                 fault_o,
  // Lanes whose decoder accepts a word
  output logic [Lanes-1:0]           fetch_o
);

  localparam int Turns = (LanesPerBank > 2) ? LanesPerBank : 2;
  localparam int BankAddrBits = (BankDepth > 1) ? $clog2(BankDepth) : 1;
  localparam int BookBits = (MaxLayers > 1) ? $clog2(MaxLayers) : 1;
  localparam int LaneBits = $clog2(Lanes + 1);
  localparam int SymbolBits = SymbolDeltas * DeltaBits;
  localparam int LengthBits = SymbolBits + $clog2(MaxLayers);
  localparam logic [1:0] NoFault = 2'd0, Oversubscribed = 2'd2;
  // The decoders' tables: a part of equal size for each book, or the books one behind another.
  localparam int Packed = (SymbolDeltas == 2) ? 1 : 0;
  localparam int Books = (Packed != 0) ? 1 : MaxLayers;
  localparam int RankBits = (Packed != 0) ? $clog2(SymbolDepth) : SymbolBits;
  localparam int Depth = (Packed != 0) ? SymbolDepth : MaxLayers * 2 ** SymbolBits;
  localparam int TableBits = RankBits + $clog2(Books);
  localparam int BaseBits = (Packed != 0) ? 8 : SymbolBits;

  if (SymbolDeltas < 1 || SymbolDeltas > 2) begin : gen_bad_symbol_deltas
    symbol_deltas_must_be_1_or_2 u_error ();
  end
  if (SymbolDepth < 2 || SymbolDepth > 4096) begin : gen_bad_symbol_depth
    symbol_depth_must_be_2_to_4096 u_error ();
  end

  logic [1:0] turn_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || end_i || turn_q == 2'(Turns - 1)) turn_q <= '0;
    else turn_q <= turn_q + 1'b1;
  end

  // Code books.
  logic                    table_valid, table_coded, table_we;
  logic [BookBits-1:0]     table_book;
  logic [SymbolBits-1:0]   table_symbol, table_rank;
  logic [3:0]              table_length;
  logic [7:0]              table_code;
  logic [TableBits-1:0]    table_addr;
  logic [71:0]             limits;
  logic [8*BaseBits-1:0]   book_bases;
  logic [8*RankBits-1:0]   bases;
  logic [1:0]              book_fault;

  huffman_code_book #(.SymbolBits(SymbolBits), .Books(MaxLayers), .BaseBits(BaseBits)) u_code_book (
    .clk_i,
    .rst_ni,
    .we_i(load_book_i),
    .waddr_i(load_addr_i[LengthBits-1:0]),
    .wdata_i(load_data_i[3:0]),
    .start_i(build_start_i),
    .book_i(build_layer_i[BookBits-1:0]),
    .uniform_i(build_uniform_i),
    .last_symbol_i({SymbolBits{1'b1}}),
    .done_o(build_done_o),
    .fault_o(book_fault),
    .table_valid_o(table_valid),
    .table_book_o(table_book),
    .table_symbol_o(table_symbol),
    .table_length_o(table_length),
    .table_code_o(table_code),
    .table_rank_o(table_rank),
    .read_book_i(layer_i[BookBits-1:0]),
    .limits_o(limits),
    .bases_o(book_bases)
  );

  assign table_coded = table_valid && table_length != '0;

  logic [((Books > 1) ? BookBits : 1)-1:0] book;

  if (Packed != 0) begin : gen_packed
    // Entries of the books built so far, and the first one of the book that is built and of that in use.
    logic [RankBits:0]   used_q, used;
    logic [RankBits-1:0] place_q, first_q;
    logic                over, over_q;

    (* ram_style = "distributed" *)
    logic [RankBits-1:0] places_q [MaxLayers];

    initial for (int i = 0; i < MaxLayers; i++) places_q[i] = '0;

    assign over = table_coded && used_q == (RankBits + 1)'(SymbolDepth);
    assign table_we = table_coded && !over;
    assign used = used_q + (RankBits + 1)'(table_we);
    assign table_addr = place_q + RankBits'(table_rank);
    assign build_fault_o = (build_done_o && (over || over_q)) ? Oversubscribed : book_fault;

    always_ff @(posedge clk_i) begin
      used_q <= rst_ni ? used : '0;
      over_q <= rst_ni && (over || over_q);
      if (build_start_i) begin
        place_q <= used[RankBits-1:0];
        places_q[build_layer_i[BookBits-1:0]] <= used[RankBits-1:0];
      end
      first_q <= places_q[layer_i[BookBits-1:0]];
    end

    // A book's own base is one of -255 to 0.
    for (genvar l = 0; l < 8; l++) begin : gen_base
      logic [BaseBits-1:0] own;
      assign own = book_bases[l*BaseBits +: BaseBits];
      assign bases[l*RankBits +: RankBits] = first_q + RankBits'({{12{own != '0}}, own});
    end

    assign book = '0;
  end else begin : gen_parts
    logic [BookBits-1:0] book_q;
    always_ff @(posedge clk_i) book_q <= layer_i[BookBits-1:0];
    assign table_we = table_coded;
    assign table_addr = TableBits'({table_book, table_rank});
    assign build_fault_o = book_fault;
    assign bases = book_bases;
    assign book = book_q;
  end

  // Banks.
  logic [Lanes-1:0]            take;
  logic [Lanes*SymbolBits-1:0] symbols;
  logic                        second;
  logic [Banks-1:0]            errors, bad_code, too_short;
  logic [7:0]                  stream_lane;

  assign take = (issue_i && !second) ? ~({Lanes{1'b1}} << lanes_i[LaneBits-1:0]) : '0;
  assign stream_lane = load_addr_i[8:1];

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    localparam int First = b * LanesPerBank;
    localparam int BankLanes = (Lanes - First < LanesPerBank) ? Lanes - First : LanesPerBank;

    logic       stream_we;
    logic [1:0] lane, fault;

    always_comb begin
      stream_we = 1'b0;
      lane = '0;
      for (int l = 0; l < BankLanes; l++) begin
        if (32'(stream_lane) == First + l) begin
          stream_we = load_stream_i;
          lane = 2'(l);
        end
      end
    end

    huffman_bank #(
      .Lanes(BankLanes),
      .Turns(Turns),
      .SymbolBits(SymbolBits),
      .Books(Books),
      .RankBits(RankBits),
      .SymbolDepth(Depth),
      .BankDepth(BankDepth)
    ) u_bank (
      .clk_i,
      .rst_ni,
      .we_i(load_word_i[b]),
      .waddr_i(load_addr_i[BankAddrBits-1:0]),
      .wdata_i(load_data_i),
      .stream_we_i(stream_we),
      .stream_lane_i(lane),
      .stream_last_i(load_addr_i[0]),
      .stream_addr_i(load_data_i[BankAddrBits-1:0]),
      .turn_i(turn_q),
      .fetch_o(fetch_o[First +: BankLanes]),
      .table_we_i(table_we),
      .table_addr_i(table_addr),
      .table_symbol_i(table_symbol),
      .limits_i(limits),
      .bases_i(bases),
      .book_i(book),
      .take_i(take[First +: BankLanes]),
      .end_i,
      .symbols_o(symbols[First*SymbolBits +: BankLanes*SymbolBits]),
      .error_o(errors[b]),
      .fault_o(fault)
    );

    assign bad_code[b] = fault == 2'd1;
    assign too_short[b] = fault == 2'd2;
  end

  // Deltas: a pair's second one waits for its issue.
  if (SymbolDeltas == 2) begin : gen_pairs
    logic                       first_q, second_q;
    logic [Lanes*DeltaBits-1:0] held_q;

    assign second = odd_i;
    always_ff @(posedge clk_i) begin
      first_q <= rst_ni && issue_i && !odd_i;
      second_q <= rst_ni && issue_i && odd_i;
    end
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      always_ff @(posedge clk_i) begin
        if (first_q) held_q[l*DeltaBits +: DeltaBits] <= symbols[l*SymbolBits+DeltaBits +: DeltaBits];
      end
      assign deltas_o[l*DeltaBits +: DeltaBits] =
          second_q ? held_q[l*DeltaBits +: DeltaBits] : symbols[l*SymbolBits +: DeltaBits];
    end
  end else begin : gen_singles
    logic unused_odd;
    assign second = 1'b0;
    assign deltas_o = symbols;
    assign unused_odd = odd_i;
  end

  assign error_o = errors != '0;
  assign fault_o = (bad_code != '0) ? 2'd1 : (too_short != '0) ? 2'd2 : error_o ? 2'd3 : NoFault;

  logic unused_bits;
  assign unused_bits = ^{load_addr_i, build_layer_i, layer_i, lanes_i, table_book, table_rank, table_code};

endmodule

`default_nettype wire
