// An image's values, one per beat, rows of pixels of channels, into words of Channels bytes for the input
// map: each value shifts in at the top byte. A word is written in the cycle after the value that completes
// it: with up to Channels channels one for each column, and it may hold several pixels, so that a kernel's
// columns are in one word; with more channels one for each Channels of them and one for a pixel's rest.
//
// Column c holds pixels c * stride - left to that + kernel_columns - 1, in its top kernel_columns * channels
// bytes; outside the image they are zero_i: all bytes are when a row begins, and behind its last value
// right_i pixels of it shift in, a byte per cycle, while the stream waits. Columns are those that are whole
// by then. Row y's word of group g lies in bank (y + g) mod Banks of column bank c mod Pixels, at (y /
// Banks) * pitch + (c / Pixels) * groups + g. row_done_o comes in the cycle after the row's last value, or
// padding.
//
// Nothing is accepted before start_i, nor after a value whose TLAST is not what it should be (it is dropped,
// error_o tells in its cycle), until the next one. A row begins where there is credit: as many rows as the
// map holds after a start, one less with each row's first value, more by free_i. The stream's ready depends
// on registers alone. With more than Channels channels there is one column a pixel: kernel_columns 1, stride
// 1, left and right 0.
//
// The map holds all rows of an image, or with Ring = 1, for one bank, held_i of them: row y then lies where
// row y mod held_i would.
//
// By width_i (code c: 8, 4, 2, 1 bits) a value's low bits alone shift in, and all of this is of fields of so
// many bits instead of bytes: a word has Channels << c of them.

`default_nettype none

module pixel_loader #(
  /// T, banks of the map: 1 to 7.
  parameter int Banks = 3,
  /// S, bytes of a word.
  parameter int Channels = 16,
  /// M, column banks of the map: 1, 2 or 4.
  parameter int Pixels = 1,
  /// Widths of fields: bit c: 8 >> c bits.
  parameter int Widths = 1,
  /// 1: the map is a ring of held_i rows.
  parameter int Ring = 0,
  localparam int ColumnBits = (Pixels > 1) ? $clog2(Pixels) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  start_i,
  // The image; stands still while there is one
  input  logic [11:0]           columns_i,
  input  logic [11:0]           rows_i,
  input  logic [11:0]           channels_i,
  input  logic [3:0]            kernel_columns_i,
  input  logic [3:0]            left_i,
  input  logic [3:0]            stride_i,
  input  logic [3:0]            right_i,
  input  logic [7:0]            zero_i,
  input  logic [1:0]            width_i,
  input  logic [15:0]           pitch_i,
  input  logic [11:0]           held_i,
  // Rows that are needed no more
  input  logic                  free_i,
  input  logic [15:0]           free_rows_i,
  // AXI4-Stream
  input  logic [7:0]            s_axis_tdata_i,
  input  logic                  s_axis_tlast_i,
  input  logic                  s_axis_tvalid_i,
  output logic                  s_axis_tready_o,
  // The input map
  output logic                  we_o,
  output logic [ColumnBits-1:0] column_bank_o,
  output logic [2:0]            bank_o,
  output logic [15:0]           address_o,
  output logic [8*Channels-1:0] data_o,
  // Events
  output logic                  begin_o,
  output logic                  row_done_o,
  output logic                  error_o
);

  localparam int Narrowest = Widths[3] ? 3 : Widths[2] ? 2 : Widths[1] ? 1 : 0;  // code
  localparam int FieldBits = $clog2(Channels) + Narrowest;
  localparam bit Several = Widths != 2 ** Narrowest;  // else fields of a word are counted modulo their number
  localparam logic [2:0] LastBank = 3'(Banks - 1);

  if (Ring != 0 && Banks != 1) begin : gen_bad_ring
    a_ring_has_one_bank u_error ();
  end

  function automatic logic [2:0] next_bank(input logic [2:0] bank);
    next_bank = bank == LastBank ? '0 : bank + 1'b1;
  endfunction

  logic                active_q, padding_q;
  logic [15:0]         credit_q;
  logic [11:0]         channel_q, row_q;
  logic [12:0]         pixel_q;
  logic [FieldBits-1:0] field_q, last_field;
  logic [3:0]          until_q;
  logic [2:0]          row_bank_q, bank_q;
  logic [15:0]         slot_q, address_q, next_address;

  logic beat, good, shift, row_begins, last_channel, last_pixel, last_row, row_ends, expected, emits;

  assign row_begins = pixel_q == '0 && channel_q == '0;
  assign last_channel = channel_q == channels_i - 1'b1;
  assign last_pixel = pixel_q == 13'(columns_i) - 1'b1;
  assign last_row = row_q == rows_i - 1'b1;
  assign expected = last_row && last_pixel && last_channel;

  assign s_axis_tready_o = rst_ni && active_q && !padding_q && !(row_begins && credit_q == '0);
  assign beat = s_axis_tvalid_i && s_axis_tready_o;
  assign error_o = beat && s_axis_tlast_i != expected;
  assign good = beat && !error_o;
  assign shift = good || padding_q;
  assign begin_o = good && row_begins && row_q == '0;

  // A row ends with its last value, or with the last padding behind it.
  assign row_ends = shift && last_channel &&
      pixel_q == 13'(columns_i) + 13'(right_i) - 1'b1;
  assign emits = shift && until_q == '0 && (last_channel || field_q == last_field);

  logic [8*Channels-1:0] word_q;

  logic [7:0]            value;
  logic [8*Channels-1:0] before_value, shifted;  // what the register holds ahead of it, and on from there

  assign value = padding_q ? zero_i : s_axis_tdata_i;
  assign before_value = row_begins ? {Channels{zero_i}} : word_q;

  always_comb begin
    shifted = {value, before_value[8*Channels-1:8]};
    last_field = FieldBits'(Channels - 1);
    if (Widths[1] && (Widths == 2 || width_i == 2'd1)) begin
      shifted = {value[3:0], before_value[8*Channels-1:4]};
      last_field = FieldBits'(2 * Channels - 1);
    end
    if (Widths[2] && (Widths == 4 || width_i == 2'd2)) begin
      shifted = {value[1:0], before_value[8*Channels-1:2]};
      last_field = FieldBits'(4 * Channels - 1);
    end
    if (Widths[3] && (Widths == 8 || width_i == 2'd3)) begin
      shifted = {value[0], before_value[8*Channels-1:1]};
      last_field = FieldBits'(8 * Channels - 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (shift) word_q <= shifted;
    bank_o <= bank_q;
    address_o <= address_q;
  end

  assign data_o = word_q;

  // Columns of the same place in all column banks begin at the same address.
  if (Pixels == 1) begin : gen_column
    assign next_address = address_q + 1'b1;
    assign column_bank_o = '0;
  end else begin : gen_columns
    logic [ColumnBits-1:0] column_bank_q;
    logic [15:0]           place_q;  // address of the column's group 0
    logic                  column_ends, place_ends, in_column_q;

    assign column_ends = emits && last_channel;
    assign place_ends = column_bank_q == ColumnBits'(Pixels - 1);
    assign next_address = last_channel && !place_ends ? (in_column_q ? place_q : address_q) :
        address_q + 1'b1;

    always_ff @(posedge clk_i) begin
      column_bank_o <= column_bank_q;
      if (emits && !in_column_q) place_q <= address_q;
      if (!rst_ni || start_i || row_ends) begin
        column_bank_q <= '0;
        in_column_q <= 1'b0;
      end else if (emits) begin
        column_bank_q <= column_bank_q + ColumnBits'(column_ends);
        in_column_q <= !last_channel;
      end
    end
  end

  // The ring's row, and the slot behind it.
  logic        ring_ends;
  logic [15:0] next_slot;

  if (Ring != 0) begin : gen_ring
    logic [11:0] until_row_q;  // of the ring, from 1 on

    assign ring_ends = until_row_q == held_i;

    always_ff @(posedge clk_i) begin
      if (start_i || (row_ends && (last_row || ring_ends))) until_row_q <= 12'd1;
      else if (row_ends) until_row_q <= until_row_q + 1'b1;
    end
  end else begin : gen_no_ring
    assign ring_ends = 1'b0;
  end

  assign next_slot = ring_ends ? '0 : slot_q + pitch_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (start_i) active_q <= 1'b1;
    else if (error_o) active_q <= 1'b0;

    if (start_i) credit_q <= {4'd0, (Ring != 0) ? held_i : rows_i};
    else credit_q <= credit_q + (free_i ? free_rows_i : '0) - 16'(good && row_begins);

    we_o <= rst_ni && emits;
    row_done_o <= rst_ni && row_ends;

    if (!rst_ni || start_i) begin
      padding_q <= 1'b0;
      channel_q <= '0;
      pixel_q <= '0;
      row_q <= '0;
      field_q <= '0;
      until_q <= kernel_columns_i - 1'b1 - left_i;
      row_bank_q <= '0;
      bank_q <= '0;
      slot_q <= '0;
      address_q <= '0;
    end else if (shift) begin
      channel_q <= last_channel ? '0 : channel_q + 1'b1;
      field_q <= last_channel || (Several && field_q == last_field) ? '0 : field_q + 1'b1;
      if (last_channel) begin
        pixel_q <= pixel_q + 1'b1;
        until_q <= until_q == '0 ? stride_i - 1'b1 : until_q - 1'b1;
        if (last_pixel) padding_q <= right_i != '0;
      end
      if (emits) begin
        address_q <= next_address;
        bank_q <= last_channel ? row_bank_q : next_bank(bank_q);
      end
      if (row_ends) begin
        padding_q <= 1'b0;
        pixel_q <= '0;
        until_q <= kernel_columns_i - 1'b1 - left_i;
        row_q <= last_row ? '0 : row_q + 1'b1;
        if (last_row) begin
          row_bank_q <= '0;
          bank_q <= '0;
          slot_q <= '0;
          address_q <= '0;
        end else begin
          row_bank_q <= next_bank(row_bank_q);
          bank_q <= next_bank(row_bank_q);
          // Rows of a slot lie in different banks, at the same addresses.
          if (row_bank_q == LastBank) begin
            slot_q <= next_slot;
            address_q <= next_slot;
          end else begin
            address_q <= slot_q;
          end
        end
      end
    end
  end

  logic unused;
  assign unused = ^{width_i, before_value, held_i};

endmodule

`default_nettype wire
