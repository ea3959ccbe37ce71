// The registers of the edqa behind AXI4-Lite (rtl/axi_lite.sv says when an access happens), its error
// register, and the builds of the static books:
//
//   0x000 ID        0x44544531, "DTE1"
//   0x004 CONTROL   written: bit 0 starts, bit 1 resets the interior in the next cycle, and wins
//   0x008 STATUS    [1:0] 0 idle, 1 running, 3 error; [4] ready: started, channels are taken; [12:8] the
//                   error, [15:14] error 3's fault; since the reset a NaN [16], an infinity [17], a
//                   denormal [18] came in, an output became 0 [19] or the largest number [20]
//   0x00C GROUPS    groups of channels that have left since the reset, modulo 2^32
//   0x010 CONFIG    [3:0] N, [6:4] m, [9:8] mode (0 paper, 1 static, 2 whole), [12] signed,
//                   [13] half down, [14] raw; after rst_ni Bits, Extra, the first mode that there is, 1
//   0x014 COUNT     [6:0] rows of the channel table in use; after rst_ni 1
//   0x018 ROW       [6:0] values of a row, for contexts; [19:16] static books in use; after rst_ni 4, 1
//   0x01C CYCLES    since the reset in which STATUS[1:0] was 1, modulo 2^32
//   0x020 DESIGN    [1:0] Format, [7:4] Bits, [10:8] Extra, [12] Dynamic, [13] Whole, [19:16] Books,
//                   [24:20] Channels
//   0x024 DEPTH     values of the longest channel
//   0x028 INJECT    [5:0] bit, [27:16] word: flips that bit of that word (from 0) of lane 0's next
//                   channel on its way into the store; gone with that channel's last word
//   0x100 SIZE      [64], read: bits of the codes of the lane's latest channel of that row
//   0x200 SCALE     [64], written: the static maximum, a magnitude (float32: 0, or the bits of a normal
//                   number)
//   0x300 DIRECT    [64], written: bit 0: the channel has m = 0 and no code
//   0x400 BOOK_OF   [64], written, if there is more than one static book: [2:0] the book for a symbol
//                   below symbol k, modulo the books in use
//   0x800 LENGTH    [8][64], written: [3:0] length of the code of a symbol, by {book, symbol}
//
// SIZE, SCALE and DIRECT are addressed by {row, lane}, with as many bits for the lane as it takes to
// number the lanes (rows: 64 over that). ID, STATUS, GROUPS, CYCLES, DESIGN, DEPTH and SIZE are read
// only, INJECT and all below SIZE written only, as CONTROL; unused bits are ignored, and read 0.
// A start and the writes of CONFIG to LENGTH need an idle STATUS and no beat of the input stream in
// that cycle. All of these but INJECT clear ready. Another access, also to an address that is no
// multiple of 4, of a lane, symbol or book that is not there, answers SLVERR and does nothing. A read
// sees what was before the cycle in which it happens.
//
// A start in cycle c makes the groups' rows begin at 0. With a bad configuration STATUS shows error 4
// from c + 1 on. Good is 2 <= N <= Bits, m <= Extra, a mode that there is, COUNT from 1 to the rows that
// there are, and in mode whole 1, 2, 4 or 8 books, at most Books, with a ROW of 4 to 64 if it is more
// than one. Then static books are built, in mode static with m > 0 book 0 of 2^m symbols, in mode whole
// those in use of 2^(N+m) symbols: one behind another, book k beginning in c + 1 + k (X + 1) if the one
// before is done X cycles after its begin. STATUS is running meanwhile. A bad book ends it with error 5,
// from the cycle after it is done on. In the cycle after the last one is done, or in c + 1 without a
// book, ready is high.
//
// STATUS shows the first error of the cycle after it is reported; of several the lowest number. It
// stays until the reset, and so do the stops, from the same cycle on for each kind that is reported,
// also behind another error.
//
// The reset clears ready, error, flags, counters and INJECT. rst_ni also sets CONFIG, COUNT and ROW;
// the tables keep what they have, 0 at the beginning.

`default_nettype none

module edqa_control #(
  /// Those of edqa.
  parameter int Format = 0,
  parameter int Bits = 3,
  parameter int Extra = 3,
  parameter int Depth = 4096,
  parameter int Dynamic = 1,
  parameter int Whole = 0,
  parameter int Books = 1,
  parameter int Channels = 1,
  /// Bits of a symbol.
  parameter int SymbolBits = 3,
  localparam int LaneBits = $clog2(Channels),
  localparam int RowBits = 6 - LaneBits
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  // AXI4-Lite
  input  logic [11:0]            s_axil_awaddr_i,
  input  logic [2:0]             s_axil_awprot_i,
  input  logic                   s_axil_awvalid_i,
  output logic                   s_axil_awready_o,
  input  logic [31:0]            s_axil_wdata_i,
  input  logic [3:0]             s_axil_wstrb_i,
  input  logic                   s_axil_wvalid_i,
  output logic                   s_axil_wready_o,
  output logic [1:0]             s_axil_bresp_o,
  output logic                   s_axil_bvalid_o,
  input  logic                   s_axil_bready_i,
  input  logic [11:0]            s_axil_araddr_i,
  input  logic [2:0]             s_axil_arprot_i,
  input  logic                   s_axil_arvalid_i,
  output logic                   s_axil_arready_o,
  output logic [31:0]            s_axil_rdata_o,
  output logic [1:0]             s_axil_rresp_o,
  output logic                   s_axil_rvalid_o,
  input  logic                   s_axil_rready_i,
  // The reset of the interior
  output logic                   interior_rst_no,
  // Status; a group or a part of one is inside, a beat comes in, a group leaves
  output logic [1:0]             status_o,
  output logic                   ready_o,
  output logic                   error_o,
  input  logic                   inside_i,
  input  logic                   in_beat_i,
  input  logic                   group_out_i,
  input  logic [2:0]             in_flags_i,
  input  logic [1:0]             out_flags_i,
  // Errors are reported, and stop lanes
  input  logic                   too_long_i,
  input  logic                   uncoded_i,
  input  logic                   faulty_i,
  input  logic [1:0]             fault_i,
  output logic                   stop_encode_o,
  output logic                   stop_decode_o,
  // Configuration of lanes (rtl/edqa_lane.sv), two cycles after its write
  output logic                   restart_o,
  output logic [3:0]             bits_o,
  output logic [2:0]             extra_o,
  output logic                   paper_o,
  output logic                   whole_o,
  output logic                   signed_o,
  output logic                   half_down_o,
  output logic                   raw_o,
  output logic [SymbolBits-1:0]  symbol_mask_o,
  output logic [RowBits-1:0]     last_row_o,
  output logic [2:0]             book_mask_o,
  output logic [5:0]             context_row_o,
  // Tables
  output logic [Channels-1:0]    scale_we_o,
  output logic [Channels-1:0]    direct_we_o,
  output logic [RowBits-1:0]     table_row_o,
  output logic                   book_of_we_o,
  output logic [5:0]             book_of_addr_o,
  output logic [31:0]            table_data_o,
  output logic [RowBits-1:0]     size_row_o,
  input  logic [16*Channels-1:0] sizes_i,
  // Static books
  output logic                   length_we_o,
  output logic [SymbolBits-1:0]  length_symbol_o,
  output logic [3:0]             length_o,
  output logic                   build_o,
  output logic [2:0]             build_book_o,
  input  logic                   build_done_i,
  input  logic                   build_bad_i,
  // The bit to be flipped
  output logic                   inject_o,
  output logic [11:0]            inject_word_o,
  output logic [5:0]             inject_bit_o,
  input  logic                   inject_done_i
);

  localparam logic [7:0] AddrId = 8'h00, AddrControl = 8'h04, AddrStatus = 8'h08, AddrGroups = 8'h0C,
      AddrConfig = 8'h10, AddrCount = 8'h14, AddrRow = 8'h18, AddrCycles = 8'h1C, AddrDesign = 8'h20,
      AddrDepth = 8'h24, AddrInject = 8'h28;
  localparam logic [3:0] PageRegisters = 4'd0, PageSizes = 4'd1, PageScales = 4'd2, PageDirects = 4'd3,
      PageBookOf = 4'd4;
  localparam logic [1:0] StatusIdle = 2'd0, StatusRunning = 2'd1, StatusError = 2'd3;
  localparam logic [1:0] ModePaper = 2'd0, ModeStatic = 2'd1, ModeWhole = 2'd2;
  localparam logic [2:0] NoError = 3'd0, ErrorLength = 3'd1, ErrorUncoded = 3'd2, ErrorFault = 3'd3,
      ErrorConfig = 3'd4, ErrorBook = 3'd5;
  localparam int Rows = 2 ** RowBits;
  localparam int LengthBits = SymbolBits + $clog2(Books);

  logic        write, write_okay, read_okay;
  logic [11:0] write_addr, read_addr;
  logic [31:0] write_data, read_data;

  axi_lite u_axi_lite (
    .clk_i,
    .rst_ni,
    .s_axil_awaddr_i,
    .s_axil_awprot_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arprot_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .write_o(write),
    .write_addr_o(write_addr),
    .write_data_o(write_data),
    .write_okay_i(write_okay),
    .read_addr_o(read_addr),
    .read_data_i(read_data),
    .read_okay_i(read_okay)
  );

  // Writes: where to, and may it be?
  logic       quiet, accepted, write_aligned, to_control, to_config, to_count, to_row, to_inject;
  logic       to_scale, to_direct, to_book_of, to_length, start, write_lane_there;
  logic [3:0] write_page;
  logic [5:0] write_index, write_lane;
  logic [2:0] write_book;

  assign quiet = status_o == StatusIdle && !in_beat_i;
  assign write_page = write_addr[11:8];
  assign write_index = write_addr[7:2];
  assign write_book = write_addr[10:8];
  assign write_aligned = write_addr[1:0] == '0;
  assign write_lane = write_index & 6'(2 ** LaneBits - 1);
  assign write_lane_there = 32'(write_lane) < Channels;

  assign to_control = write_addr == {PageRegisters, AddrControl};
  assign to_config = write_addr == {PageRegisters, AddrConfig};
  assign to_count = write_addr == {PageRegisters, AddrCount};
  assign to_row = write_addr == {PageRegisters, AddrRow};
  assign to_inject = write_addr == {PageRegisters, AddrInject};
  assign to_scale = write_page == PageScales && write_aligned && write_lane_there;
  assign to_direct = write_page == PageDirects && write_aligned && write_lane_there;
  assign to_book_of = Books > 1 && write_page == PageBookOf && write_aligned;
  assign to_length = write_addr[11] && write_aligned && 32'(write_book) < Books
      && 32'(write_index) < 2 ** SymbolBits;

  assign write_okay = to_control ? write_data[1] || !write_data[0] || quiet
      : quiet && (to_config || to_count || to_row || to_inject || to_scale || to_direct || to_book_of
                  || to_length);
  assign accepted = rst_ni && write && write_okay;
  assign start = accepted && to_control && write_data[0] && !write_data[1];

  logic clear_q;

  assign interior_rst_no = rst_ni && !clear_q;

  always_ff @(posedge clk_i) clear_q <= accepted && to_control && write_data[1];

  // Configuration.
  logic [3:0] config_bits_q, config_books_q;
  logic [2:0] config_extra_q;
  logic [1:0] mode_q;
  logic       signed_q, half_down_q, raw_q;
  logic [6:0] count_q, context_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      config_bits_q <= 4'(Bits);
      config_extra_q <= 3'(Extra);
      mode_q <= (Dynamic != 0) ? ModePaper : ModeStatic;
      signed_q <= 1'b1;
      half_down_q <= 1'b0;
      raw_q <= 1'b0;
      count_q <= 7'd1;
      context_q <= 7'd4;
      config_books_q <= 4'd1;
    end else if (accepted) begin
      if (to_config) begin
        config_bits_q <= write_data[3:0];
        config_extra_q <= write_data[6:4];
        mode_q <= write_data[9:8];
        signed_q <= write_data[12];
        half_down_q <= write_data[13];
        raw_q <= write_data[14];
      end
      if (to_count) count_q <= write_data[6:0];
      if (to_row) context_q <= write_data[6:0];
      if (to_row) config_books_q <= write_data[19:16];
    end
  end

  logic books_good, good, books_needed;

  assign books_good = (config_books_q == 4'd1
                       || ((config_books_q == 4'd2 || config_books_q == 4'd4 || config_books_q == 4'd8)
                           && context_q >= 7'd4 && context_q <= 7'd64))
      && 32'(config_books_q) <= Books;
  assign good = config_bits_q >= 4'd2 && 32'(config_bits_q) <= Bits && 32'(config_extra_q) <= Extra
      && count_q != '0 && 32'(count_q) <= Rows
      && ((mode_q == ModePaper && Dynamic != 0) || mode_q == ModeStatic
          || (mode_q == ModeWhole && Whole != 0 && books_good));
  assign books_needed = (mode_q == ModeStatic && config_extra_q != '0) || mode_q == ModeWhole;

  // What lanes need of it. A start is two cycles after a write at the earliest, so that these are there.
  always_ff @(posedge clk_i) begin
    bits_o <= config_bits_q + 4'(config_extra_q);
    extra_o <= config_extra_q;
    paper_o <= mode_q == ModePaper && Dynamic != 0;
    whole_o <= mode_q == ModeWhole && Whole != 0;
    signed_o <= signed_q;
    half_down_o <= half_down_q;
    raw_o <= raw_q;
    symbol_mask_o <= ~({SymbolBits{1'b1}} << ((mode_q == ModeWhole) ? config_bits_q + 4'(config_extra_q)
                                                                    : 4'(config_extra_q)));
    last_row_o <= RowBits'(count_q - 7'd1);
    book_mask_o <= (mode_q == ModeWhole) ? 3'(config_books_q - 4'd1) : '0;
    context_row_o <= 6'(context_q - 7'd1);
  end

  // Start, builds, errors.
  logic       ready_q, building_q, busy_q, build_done, last_build;
  logic [2:0] build_book_q, error_q;
  logic [1:0] fault_q;

  assign build_o = building_q && !busy_q;
  assign build_book_o = build_book_q;
  assign build_done = busy_q && build_done_i;
  assign last_build = build_book_q == book_mask_o;
  assign ready_o = ready_q;
  assign error_o = error_q != NoError;
  assign status_o = error_o ? StatusError : (building_q || inside_i) ? StatusRunning : StatusIdle;

  always_ff @(posedge clk_i) begin
    restart_o <= start;
    if (!interior_rst_no) begin
      ready_q <= 1'b0;
      building_q <= 1'b0;
      busy_q <= 1'b0;
      error_q <= NoError;
      fault_q <= '0;
      stop_encode_o <= 1'b0;
      stop_decode_o <= 1'b0;
    end else begin
      if (start) ready_q <= good && !books_needed;
      else if (accepted && !to_control && !to_inject) ready_q <= 1'b0;
      else if (build_done && last_build && !build_bad_i) ready_q <= 1'b1;
      if (start) building_q <= good && books_needed;
      else if (build_done && (last_build || build_bad_i)) building_q <= 1'b0;
      busy_q <= build_o || (busy_q && !build_done);
      if (error_q == NoError) begin
        if (too_long_i) error_q <= ErrorLength;
        else if (uncoded_i) error_q <= ErrorUncoded;
        else if (faulty_i) error_q <= ErrorFault;
        else if (start && !good) error_q <= ErrorConfig;
        else if (build_done && build_bad_i) error_q <= ErrorBook;
        fault_q <= (faulty_i && !too_long_i && !uncoded_i) ? fault_i : '0;
      end
      if (uncoded_i) stop_encode_o <= 1'b1;
      if (faulty_i) stop_decode_o <= 1'b1;
    end
    if (start) build_book_q <= '0;
    else if (build_done) build_book_q <= build_book_q + 1'b1;
  end

  // Lengths of static books go to the lanes while these build: a symbol per cycle from the first one on.
  (* ram_style = "distributed" *)
  logic [3:0]            lengths_q [2 ** LengthBits];
  logic [SymbolBits-1:0] fill_q;

  initial for (int i = 0; i < 2 ** LengthBits; i++) lengths_q[i] = '0;

  assign length_we_o = build_o || fill_q != '0;
  assign length_symbol_o = fill_q;
  assign length_o = lengths_q[LengthBits'({build_book_q, fill_q})];

  always_ff @(posedge clk_i) begin
    if (accepted && to_length)
      lengths_q[LengthBits'({write_book, write_index[SymbolBits-1:0]})] <= write_data[3:0];
    if (!interior_rst_no) fill_q <= '0;
    else if (length_we_o) fill_q <= (fill_q == symbol_mask_o) ? '0 : fill_q + 1'b1;
  end

  // Tables in the lanes, INJECT.
  for (genvar lane = 0; lane < Channels; lane++) begin : gen_lane
    assign scale_we_o[lane] = accepted && to_scale && write_lane == 6'(lane);
    assign direct_we_o[lane] = accepted && to_direct && write_lane == 6'(lane);
  end
  assign table_row_o = write_index[5:LaneBits];
  assign book_of_we_o = accepted && to_book_of;
  assign book_of_addr_o = write_index;
  assign table_data_o = write_data;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_no || inject_done_i) inject_o <= 1'b0;
    else if (accepted && to_inject) inject_o <= 1'b1;
    if (accepted && to_inject) begin
      inject_bit_o <= write_data[5:0];
      inject_word_o <= write_data[27:16];
    end
  end

  // Counters and flags.
  logic [31:0] groups_q, cycles_q;
  logic [2:0]  in_flags_q;
  logic [1:0]  out_flags_q;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_no) begin
      groups_q <= '0;
      cycles_q <= '0;
      in_flags_q <= '0;
      out_flags_q <= '0;
    end else begin
      if (group_out_i) groups_q <= groups_q + 1'b1;
      if (status_o == StatusRunning) cycles_q <= cycles_q + 1'b1;
      in_flags_q <= in_flags_q | in_flags_i;
      out_flags_q <= out_flags_q | out_flags_i;
    end
  end

  // Reads.
  logic [3:0]  read_page;
  logic [7:0]  offset;
  logic [5:0]  read_lane;
  logic [15:0] read_size;
  logic        read_aligned;

  assign {read_page, offset} = read_addr;
  assign read_lane = offset[7:2] & 6'(2 ** LaneBits - 1);
  assign read_size = sizes_i[16*32'(read_lane) +: 16];
  assign read_aligned = offset[1:0] == '0;
  assign size_row_o = offset[7:2+LaneBits];

  always_comb begin
    read_okay = read_page == PageRegisters;
    case (offset)
      AddrId:     read_data = 32'h44544531;
      AddrStatus: read_data = {11'd0, out_flags_q, in_flags_q, fault_q, 1'b0, 2'd0, error_q, 3'd0, ready_q,
                               2'd0, status_o};
      AddrGroups: read_data = groups_q;
      AddrConfig: read_data = {17'd0, raw_q, half_down_q, signed_q, 2'd0, mode_q, 1'b0, config_extra_q,
                               config_bits_q};
      AddrCount:  read_data = {25'd0, count_q};
      AddrRow:    read_data = {12'd0, config_books_q, 9'd0, context_q};
      AddrCycles: read_data = cycles_q;
      AddrDesign: read_data = {7'd0, 5'(Channels), 4'(Books), 2'd0, 1'(Whole), 1'(Dynamic), 1'b0, 3'(Extra),
                               4'(Bits), 2'd0, 2'(Format)};
      AddrDepth:  read_data = 32'(Depth);
      default: begin
        read_okay = 1'b0;
        read_data = '0;
      end
    endcase
    if (read_page == PageSizes) begin
      read_okay = read_aligned && 32'(read_lane) < Channels;
      read_data = {16'd0, read_size};
    end
    if (!read_okay) read_data = '0;
  end

  logic unused;
  assign unused = ^{write_data[31:28], write_addr[10:8]};

endmodule

`default_nettype wire
