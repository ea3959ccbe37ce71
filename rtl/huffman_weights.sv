// The weights of a design with Huffman = 1: banks of coded streams with their decoders, the code
// books of the layers, and the turns of the lanes at their banks. issue_i takes a symbol for each of
// the first lanes_i lanes and comes back as deltas a cycle later, 0 for the other lanes. The reset,
// which lasts as long as nothing runs, starts all streams again, end_i those of the next inference.

`default_nettype none

module huffman_weights #(
  /// Lanes, 1 to 255.
  parameter int Lanes = 16,
  /// Lanes that one bank feeds, 1 to 4.
  parameter int LanesPerBank = 4,
  /// Bits of a delta, 1 to 8.
  parameter int DeltaBits = 4,
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
  localparam int TableBits = DeltaBits + $clog2(MaxLayers);
  localparam int LaneBits = $clog2(Lanes + 1);

  logic [1:0] turn_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || end_i || turn_q == 2'(Turns - 1)) turn_q <= '0;
    else turn_q <= turn_q + 1'b1;
  end

  // Code books.
  logic                   table_valid, table_we;
  logic [BookBits-1:0]    table_book, book_q;
  logic [DeltaBits-1:0]   table_symbol, table_rank;
  logic [3:0]             table_length;
  logic [7:0]             table_code;
  logic [TableBits-1:0]   table_addr;
  logic [71:0]            limits;
  logic [8*DeltaBits-1:0] bases;

  huffman_code_book #(.SymbolBits(DeltaBits), .Books(MaxLayers)) u_code_book (
    .clk_i,
    .rst_ni,
    .we_i(load_book_i),
    .waddr_i(load_addr_i[TableBits-1:0]),
    .wdata_i(load_data_i[3:0]),
    .start_i(build_start_i),
    .book_i(build_layer_i[BookBits-1:0]),
    .uniform_i(build_uniform_i),
    .last_symbol_i({DeltaBits{1'b1}}),
    .done_o(build_done_o),
    .fault_o(build_fault_o),
    .table_valid_o(table_valid),
    .table_book_o(table_book),
    .table_symbol_o(table_symbol),
    .table_length_o(table_length),
    .table_code_o(table_code),
    .table_rank_o(table_rank),
    .read_book_i(layer_i[BookBits-1:0]),
    .limits_o(limits),
    .bases_o(bases)
  );

  assign table_we = table_valid && table_length != '0;
  assign table_addr = TableBits'({table_book, table_rank});
  always_ff @(posedge clk_i) book_q <= layer_i[BookBits-1:0];

  // Banks.
  logic [Lanes-1:0]   take;
  logic [Banks-1:0]   errors, bad_code, too_short;
  logic [7:0]         stream_lane;

  assign take = issue_i ? ~({Lanes{1'b1}} << lanes_i[LaneBits-1:0]) : '0;
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
      .SymbolBits(DeltaBits),
      .Books(MaxLayers),
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
      .book_i(book_q),
      .take_i(take[First +: BankLanes]),
      .end_i,
      .symbols_o(deltas_o[First*DeltaBits +: BankLanes*DeltaBits]),
      .error_o(errors[b]),
      .fault_o(fault)
    );

    assign bad_code[b] = fault == 2'd1;
    assign too_short[b] = fault == 2'd2;
  end

  assign error_o = errors != '0;
  assign fault_o = (bad_code != '0) ? 2'd1 : (too_short != '0) ? 2'd2 : error_o ? 2'd3 : 2'd0;

  logic unused_bits;
  assign unused_bits = ^{load_addr_i, build_layer_i, layer_i, lanes_i, table_book, table_code};

endmodule

`default_nettype wire
