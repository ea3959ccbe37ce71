// Activations of a neural network, quantized, compressed into block RAM, and back: Channels lanes
// (rtl/edqa_lane.sv), each with its own channel at a time, behind one pair of streams and one set of
// registers (rtl/edqa_control.sv). Group g, the channels that come together, is channels g * Channels
// and the next ones: a beat of the input stream is one value of each, lane 0's lowest, TLAST is on their
// last one. The same channels leave in the same order, each value as
// max * w / 2^K: K is T - 1, or T without a sign, w the value in N + m = T bits. int16 leaves in 32 bits
// and int32 in 64 as max * w, in units of the input's scale over 2^K, float32 as a rounded product.
//
//   paper   the maximum is that of the channel; of its values N bits are stored as they are, and m more
//           coded, in a code of the channel's own
//   static  the maximum is SCALE, the code is one for all, of m bits
//   whole   all T bits are coded, in one of a few codes, chosen by the value in the row above
//
// Each group waits for its slowest lane. An input beat goes to all lanes, in a cycle in which each has
// room, STATUS is ready and shows no error, and TREADY depends on registers alone. An output beat takes
// a value of each lane, and TVALID is high when each has one. A lane's contract says how long a channel
// takes. Alone, a channel of N values whose last one comes in cycle c, with D the dequantizer's latency:
//   static, whole  the channel's last symbol is encoded in c + T + 6 at the earliest, its last word
//                  stored 2 or 3 cycles later, and from 4 more on a value per cycle is decoded, which
//                  leaves D + 2 later;
//   paper          its first value goes to the quantizer in c + 4, its last one in c + N + 3, and T + 4
//                  later the first count goes to the builder. The book takes as long as in rtl/codec.sv,
//                  with the last of the symbols that the builder has as the last one of the book. In the
//                  cycle after it is done encoding begins, for N cycles from the next one on.
// Behind one another, channels of N values take N cycles each in modes static and whole, in mode paper
// at most N + 4, or as long as a book takes, whichever is more, as long as the output is taken.
//
// Errors stand in STATUS from the cycle after they are seen on, and TREADY is low then until a reset.
//   1  the value that is number Depth of its channel comes without TLAST. It is dropped; groups before
//      it still leave, and the part of its channel goes as far as it can.
//   2  a value has no code, in a static book: seen in the cycle after its encode beat. No symbol is
//      encoded from the cycle of the error in STATUS on. Groups before still leave.
//   3  a stored stream is corrupt: seen in the cycle after the take. No symbol is taken from the cycle
//      of the error in STATUS on; values behind the decoder still leave, those of the fault do not.
//   4  a start with a bad configuration
//   5  a static book is no prefix code that uses all its space
// A reset, also by CONTROL, forgets all that is inside; what has left of a group stays without its
// TLAST. In its cycles neither stream has a beat.

`default_nettype none

module edqa #(
  /// Values: 0 int16, 1 int32, 2 float32.
  parameter int Format = 0,
  /// Largest N, 2 to 8, and largest m, 0 to 4; Bits + Extra is at most 6 with Whole.
  parameter int Bits = 3,
  parameter int Extra = 3,
  /// Values of the longest channel, 1 to 4096.
  parameter int Depth = 4096,
  /// 1: has mode paper: a queue of values, histogram, builder of books.
  parameter int Dynamic = 1,
  /// 1: has mode whole.
  parameter int Whole = 0,
  /// Static books of mode whole, 1, 2, 4 or 8.
  parameter int Books = 1,
  /// Lanes, 1 to 16.
  parameter int Channels = 1,
  localparam int ValueBits = (Format == 0) ? 16 : 32,
  localparam int ResultBits = (Format == 1) ? 64 : 32
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  // AXI4-Lite: configuration, tables, status, sizes
  input  logic [11:0]                    s_axil_awaddr_i,
  input  logic [2:0]                     s_axil_awprot_i,
  input  logic                           s_axil_awvalid_i,
  output logic                           s_axil_awready_o,
  input  logic [31:0]                    s_axil_wdata_i,
  input  logic [3:0]                     s_axil_wstrb_i,
  input  logic                           s_axil_wvalid_i,
  output logic                           s_axil_wready_o,
  output logic [1:0]                     s_axil_bresp_o,
  output logic                           s_axil_bvalid_o,
  input  logic                           s_axil_bready_i,
  input  logic [11:0]                    s_axil_araddr_i,
  input  logic [2:0]                     s_axil_arprot_i,
  input  logic                           s_axil_arvalid_i,
  output logic                           s_axil_arready_o,
  output logic [31:0]                    s_axil_rdata_o,
  output logic [1:0]                     s_axil_rresp_o,
  output logic                           s_axil_rvalid_o,
  input  logic                           s_axil_rready_i,
  // AXI4-Stream: values
  input  logic [ValueBits*Channels-1:0]  s_axis_tdata_i,
  input  logic                           s_axis_tlast_i,
  input  logic                           s_axis_tvalid_i,
  output logic                           s_axis_tready_o,
  // AXI4-Stream: values after quantization
  output logic [ResultBits*Channels-1:0] m_axis_tdata_o,
  output logic                           m_axis_tlast_o,
  output logic                           m_axis_tvalid_o,
  input  logic                           m_axis_tready_i
);

  localparam int MaxBits = Bits + Extra;
  localparam int SymbolBits = (Whole != 0) ? MaxBits : (Extra > 0) ? Extra : 1;
  localparam int RowBits = 6 - $clog2(Channels);
  localparam int PositionBits = (Depth > 1) ? $clog2(Depth) : 1;

  if (Format < 0 || Format > 2) begin : gen_bad_format
    format_must_be_0_to_2 u_error ();
  end
  if (Bits < 2 || Bits > 8) begin : gen_bad_bits
    bits_must_be_2_to_8 u_error ();
  end
  if (Extra < 0 || Extra > 4) begin : gen_bad_extra
    extra_must_be_0_to_4 u_error ();
  end
  if (Depth < 1 || Depth > 4096) begin : gen_bad_depth
    depth_must_be_1_to_4096 u_error ();
  end
  if (Dynamic < 0 || Dynamic > 1) begin : gen_bad_dynamic
    dynamic_must_be_0_or_1 u_error ();
  end
  if (Whole < 0 || Whole > 1) begin : gen_bad_whole
    whole_must_be_0_or_1 u_error ();
  end
  if (Whole == 1 && MaxBits > 6) begin : gen_bad_whole_bits
    bits_and_extra_must_be_at_most_6_with_whole u_error ();
  end
  if (Books != 1 && (Whole != 1 || (Books != 2 && Books != 4 && Books != 8))) begin : gen_bad_books
    books_must_be_1_or_with_whole_2_4_or_8 u_error ();
  end
  if (Channels < 1 || Channels > 16) begin : gen_bad_channels
    channels_must_be_1_to_16 u_error ();
  end

  // Registers, and what they give to all lanes.
  logic                  interior_rst_n, ready, error, occupied, push, too_long, group_out;
  logic [1:0]            status;
  logic [2:0]            in_flags;
  logic [1:0]            out_flags, fault;
  logic                  stop_encode, stop_decode;
  logic                  restart, paper, whole, is_signed, half_down, raw;
  logic [3:0]            bits;
  logic [2:0]            extra, book_mask, build_book;
  logic [SymbolBits-1:0] symbol_mask, length_symbol;
  logic [RowBits-1:0]    last_row, table_row, size_row;
  logic [5:0]            context_row, book_of_addr, inject_bit;
  logic [Channels-1:0]   scale_we, direct_we;
  logic                  book_of_we, length_we, build, inject;
  logic [31:0]           table_data;
  logic [3:0]            book_length;
  logic [11:0]           inject_word;

  // Of each lane; the last ones are the beats that both twins are compared on.
  logic [Channels-1:0]            lane_room, lane_valid, lane_last, lane_build_done, lane_build_bad;
  logic [Channels-1:0]            lane_inject_done, lane_uncoded, lane_faulty;
  logic [2*Channels-1:0]          lane_fault, lane_out_flags;
  logic [3*Channels-1:0]          lane_in_flags;
  logic [16*Channels-1:0]         lane_size;
  logic [Channels-1:0]            lane_quantized_valid, lane_quantized_last;
  logic [MaxBits*Channels-1:0]    lane_quantized;
  logic [Channels-1:0]            lane_length_beat;
  logic [4*Channels-1:0]          lane_length;
  logic [Channels-1:0]            lane_encode_beat, lane_encode_last;
  logic [3*Channels-1:0]          lane_encode_book;
  logic [SymbolBits*Channels-1:0] lane_encode_symbol;
  logic [Channels-1:0]            lane_word_beat, lane_word_last;
  logic [36*Channels-1:0]         lane_word;
  logic [Channels-1:0]            lane_stored_beat, lane_stored_last;
  logic [36*Channels-1:0]         lane_stored;
  logic [Channels-1:0]            lane_decoded_valid, lane_decoded_last;
  logic [SymbolBits*Channels-1:0] lane_decoded;

  edqa_control #(
    .Format(Format),
    .Bits(Bits),
    .Extra(Extra),
    .Depth(Depth),
    .Dynamic(Dynamic),
    .Whole(Whole),
    .Books(Books),
    .Channels(Channels),
    .SymbolBits(SymbolBits)
  ) u_control (
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
    .interior_rst_no(interior_rst_n),
    .status_o(status),
    .ready_o(ready),
    .error_o(error),
    .inside_i(occupied),
    .in_beat_i(s_axis_tvalid_i && s_axis_tready_o),
    .group_out_i(group_out),
    .in_flags_i(in_flags),
    .out_flags_i(out_flags),
    .too_long_i(too_long),
    .uncoded_i(|lane_uncoded),
    .faulty_i(|lane_faulty),
    .fault_i(fault),
    .stop_encode_o(stop_encode),
    .stop_decode_o(stop_decode),
    .restart_o(restart),
    .bits_o(bits),
    .extra_o(extra),
    .paper_o(paper),
    .whole_o(whole),
    .signed_o(is_signed),
    .half_down_o(half_down),
    .raw_o(raw),
    .symbol_mask_o(symbol_mask),
    .last_row_o(last_row),
    .book_mask_o(book_mask),
    .context_row_o(context_row),
    .scale_we_o(scale_we),
    .direct_we_o(direct_we),
    .table_row_o(table_row),
    .book_of_we_o(book_of_we),
    .book_of_addr_o(book_of_addr),
    .table_data_o(table_data),
    .size_row_o(size_row),
    .sizes_i(lane_size),
    .length_we_o(length_we),
    .length_symbol_o(length_symbol),
    .length_o(book_length),
    .build_o(build),
    .build_book_o(build_book),
    .build_done_i(lane_build_done[0]),
    .build_bad_i(lane_build_bad[0]),
    .inject_o(inject),
    .inject_word_o(inject_word),
    .inject_bit_o(inject_bit),
    .inject_done_i(lane_inject_done[0])
  );

  // Beats in: the value's number in its channel.
  logic                    beat, first_q, full_q;
  logic [PositionBits-1:0] position_q, position;

  assign s_axis_tready_o = interior_rst_n && ready && !error && lane_room == '1;
  assign beat = s_axis_tvalid_i && s_axis_tready_o;
  assign too_long = beat && full_q && !s_axis_tlast_i;
  assign push = beat && !too_long;
  assign position = s_axis_tlast_i ? '0 : position_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      position_q <= '0;
      first_q <= 1'b1;
      full_q <= Depth == 1;
    end else if (push) begin
      position_q <= position;
      first_q <= s_axis_tlast_i;
      full_q <= position == PositionBits'(Depth - 1);
    end
  end

  // Whole groups inside: at most 4 that are not begun, 16 that are not decoded, 16 at the output.
  logic       out_beat;
  logic [5:0] groups_q;

  assign m_axis_tvalid_o = interior_rst_n && lane_valid == '1;
  assign m_axis_tlast_o = lane_last[0];
  assign out_beat = m_axis_tvalid_o && m_axis_tready_i;
  assign group_out = out_beat && m_axis_tlast_o;
  assign occupied = groups_q != '0 || !first_q;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) groups_q <= '0;
    else groups_q <= groups_q + 6'(push && s_axis_tlast_i) - 6'(group_out);
  end

  // Of several lanes.
  always_comb begin
    in_flags = '0;
    out_flags = '0;
    fault = '0;
    for (int lane = Channels - 1; lane >= 0; lane--) begin
      in_flags = in_flags | lane_in_flags[3*lane +: 3];
      out_flags = out_flags | lane_out_flags[2*lane +: 2];
      if (lane_faulty[lane]) fault = lane_fault[2*lane +: 2];
    end
  end

  for (genvar lane = 0; lane < Channels; lane++) begin : gen_lane
    edqa_lane #(
      .Format(Format),
      .Bits(Bits),
      .Extra(Extra),
      .Depth(Depth),
      .Dynamic(Dynamic),
      .Whole(Whole),
      .Books(Books),
      .Rows(2 ** RowBits)
    ) u_lane (
      .clk_i,
      .rst_ni(interior_rst_n),
      .restart_i(restart),
      .bits_i(bits),
      .extra_i(extra),
      .paper_i(paper),
      .whole_i(whole),
      .signed_i(is_signed),
      .half_down_i(half_down),
      .raw_i(raw),
      .symbol_mask_i(symbol_mask),
      .last_row_i(last_row),
      .book_mask_i(book_mask),
      .context_row_i(context_row),
      .scale_we_i(scale_we[lane]),
      .direct_we_i(direct_we[lane]),
      .table_row_i(table_row),
      .book_of_we_i(book_of_we),
      .book_of_addr_i(book_of_addr),
      .table_data_i(table_data),
      .size_row_i(size_row),
      .size_o(lane_size[16*lane +: 16]),
      .length_we_i(length_we),
      .length_symbol_i(length_symbol),
      .length_i(book_length),
      .build_i(build),
      .build_book_i(build_book),
      .build_done_o(lane_build_done[lane]),
      .build_bad_o(lane_build_bad[lane]),
      .inject_i((lane == 0) ? inject : 1'b0),
      .inject_word_i(inject_word),
      .inject_bit_i(inject_bit),
      .inject_done_o(lane_inject_done[lane]),
      .room_o(lane_room[lane]),
      .valid_i(push),
      .first_i(first_q),
      .last_i(s_axis_tlast_i),
      .value_i(s_axis_tdata_i[ValueBits*lane +: ValueBits]),
      .in_flags_o(lane_in_flags[3*lane +: 3]),
      .valid_o(lane_valid[lane]),
      .last_o(lane_last[lane]),
      .value_o(m_axis_tdata_o[ResultBits*lane +: ResultBits]),
      .ready_i(out_beat),
      .out_flags_o(lane_out_flags[2*lane +: 2]),
      .stop_encode_i(stop_encode),
      .stop_decode_i(stop_decode),
      .uncoded_o(lane_uncoded[lane]),
      .faulty_o(lane_faulty[lane]),
      .fault_o(lane_fault[2*lane +: 2]),
      .quantized_valid_o(lane_quantized_valid[lane]),
      .quantized_o(lane_quantized[MaxBits*lane +: MaxBits]),
      .quantized_last_o(lane_quantized_last[lane]),
      .length_beat_o(lane_length_beat[lane]),
      .length_o(lane_length[4*lane +: 4]),
      .encode_beat_o(lane_encode_beat[lane]),
      .encode_book_o(lane_encode_book[3*lane +: 3]),
      .encode_symbol_o(lane_encode_symbol[SymbolBits*lane +: SymbolBits]),
      .encode_last_o(lane_encode_last[lane]),
      .word_beat_o(lane_word_beat[lane]),
      .word_o(lane_word[36*lane +: 36]),
      .word_last_o(lane_word_last[lane]),
      .stored_beat_o(lane_stored_beat[lane]),
      .stored_o(lane_stored[36*lane +: 36]),
      .stored_last_o(lane_stored_last[lane]),
      .decoded_valid_o(lane_decoded_valid[lane]),
      .decoded_o(lane_decoded[SymbolBits*lane +: SymbolBits]),
      .decoded_last_o(lane_decoded_last[lane])
    );
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (interior_rst_n) begin
      assert (groups_q <= 6'd36) else $error("more groups are inside than can be");
      assert (!m_axis_tvalid_o || lane_last == '0 || lane_last == '1)
          else $error("lanes end a group apart");
    end
  end
`endif

  logic unused;
  assign unused = ^{lane_build_done, lane_build_bad, lane_inject_done, lane_last};

endmodule

`default_nettype wire
