// The walk through a step by sweeps, for rtl/array_scheduler.sv, which says what steps and layers are: for each
// tile, and of it for each kernel row, kernel column and channel group, a sweep over the block's pixels, row by
// row of output columns, one window per cycle. A sweep of n pixels takes max(n, 4) cycles; the step ends, with
// step_ends_o, in the last one of its last sweep. One bank, one pixel a window, one width.
//
// Sweeps take loads of weights (rtl/sweep_weights.sv) in the order in which they come: each one its own, or each
// tile one, where all its sweeps have the same weights (`still`). A sweep begins in the first cycle in which
//   its step has begun and the sweep before has taken its cycles;
//   tile_full_i is high, if it takes a load: it is copied 3 cycles later, by copy_o;
//   the drain of the tile before is over, if it is the last one of its tile.
// The loads of a step are a stream, which begins in the first cycle in which the step's words are there (ready_i),
// and tiles_ready_i is high: while the step before is walked.
//
// A tile's parameters are loaded from the cycle behind the begin of its last sweep on, with load_o. Its drain
// begins Seen + 2 cycles behind that, but no less than Outputs - Beats + 1: read_o, with pixel 0 and all of where
// its results go, and every Beats cycles the next pixel; Beats cycles of its last one are the drain's.
// Result word, skip words read and written of a pixel lie output groups, and tiles, behind those of the pixel
// before. What a step's drains need is theirs: the next step may be walked meanwhile.
//
// With ZeroDepth > 0 a sweep may be left out, one whose weights are all zero: there is a memory of marks, a word of
// two bits for each of a step's sweeps in order, from the layer's first one on (layer word 14 [15:0]). Of a marked
// one (bit 0) there is neither a load nor a sweep. Bit 1 marks the last one of its tile that happens, which there
// must be, and with which its drain comes; first is the first one that does. One mark is looked at in a cycle, from
// the step's first cycle on; where it says that a sweep is left out, or where its sweep begins, the next one is in
// the next cycle. So sweeps that are left out take no time behind one of more cycles than they are, and ahead of
// a step's first one a cycle each; those behind the step's last one are not looked at. Marks are written by words;
// behind the memory's last one they read as 0.

`default_nettype none

module sweep_walk #(
  /// P, outputs per tile; S, bytes of a word; R, results per cycle.
  parameter int Outputs = 8,
  parameter int Channels = 8,
  parameter int Results = 4,
  /// Most pixels of a block: 16, 32 or 64.
  parameter int Sweep = 64,
  /// Width of maps: bit c: 8 >> c bits.
  parameter int Widths = 2,
  /// E: a read of sums sees the beats of so many cycles before.
  parameter int Seen = 9,
  /// Marks of sweeps, 2 to 65535; 0: there are none, and all sweeps happen.
  parameter int ZeroDepth = 0,
  /// 1: marks are in block RAM, 0: in LUT-RAM.
  parameter int Block = 1,
  localparam int PixelBits = $clog2(Sweep)
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,
  // Marks
  input  logic                 mark_we_i,
  input  logic [15:0]          word_i,
  input  logic [1:0]           data_i,
  // A step, and its layer: from ready_i to go_i
  input  logic                 ready_i,
  input  logic                 go_i,
  input  logic [479:0]         layer_word_i,
  input  logic [159:0]         step_word_i,
  input  logic                 last_step_i,
  output logic                 walking_o,
  output logic                 step_ends_o,
  output logic                 draining_o,
  output logic [15:0]          free_rows_o,
  // Weights
  input  logic                 tiles_ready_i,
  input  logic                 tile_full_i,
  output logic                 stream_begin_o,
  output logic [15:0]          stream_base_o,
  output logic [3:0]           stream_book_o,
  output logic [15:0]          stream_tiles_o,
  output logic                 copy_o,
  // Windows
  output logic                 issue_o,
  output logic                 first_o,
  output logic                 last_o,
  output logic [PixelBits-1:0] pixel_o,
  output logic [15:0]          weight_o,  // the load's number in its stream
  output logic                 from_input_o,
  output logic [15:0]          address_o,
  output logic                 pad_o,
  output logic [7:0]           zero_o,
  // Pixels of drains, and where their results go
  output logic                 read_o,
  output logic [PixelBits-1:0] read_pixel_o,
  output logic [4:0]           layer_o,
  output logic                 to_map_o,
  output logic                 to_skip_o,
  output logic                 to_output_o,
  output logic                 add_o,
  output logic                 ends_o,  // the step's last result
  output logic                 final_o,  // the image's
  output logic [5:0]           valid_o,
  output logic [15:0]          result_address_o,
  output logic [4:0]           result_part_o,
  output logic                 load_o,
  output logic [15:0]          parameter_o,
  output logic [15:0]          skip_read_o,
  output logic [15:0]          skip_write_o
);

  localparam int Beats = Outputs / Results;
  localparam int Code = $clog2(Widths);
  localparam int Parts = ((Channels << Code) > Outputs) ? (Channels << Code) / Outputs : 1;
  localparam int BeatBits = (Beats > 1) ? $clog2(Beats) : 1;
  // From the begin of a tile's last sweep: until its sums can be read, and its parameters are loaded.
  localparam int LoadDelay = Outputs - Beats + 1;
  localparam int DrainDelay = (Seen + 2 > LoadDelay) ? Seen + 2 : LoadDelay;
  localparam int DelayBits = $clog2(DrainDelay);

  if (Sweep != 16 && Sweep != 32 && Sweep != 64) begin : gen_bad_sweep
    sweep_must_be_16_32_or_64 u_error ();
  end
  if (Widths != 1 && Widths != 2 && Widths != 4 && Widths != 8) begin : gen_bad_widths
    sweeps_take_one_width u_error ();
  end
  if (ZeroDepth < 0 || ZeroDepth == 1 || ZeroDepth > 65535) begin : gen_bad_zero_depth
    zero_depth_must_be_0_or_2_to_65535 u_error ();
  end

  // The step that is walked.
  logic        depthwise_q, from_input_q, to_map_q, to_skip_q, to_output_q, add_q, final_q, still_q;
  logic [4:0]  layer_q;
  logic [7:0]  zero_q, last_kernel_row_q, last_kernel_q, last_channel_q, last_tile_q, last_row_q;
  logic [11:0] width_q, height_q, last_column_q;
  logic [3:0]  stride_q;
  logic [15:0] pitch_q, groups_q, base_q, end_q, ring_q, row_words_q, output_groups_q, stride_words_q, free_q,
               output_word_q;
  logic [5:0]  last_valid_q;

  // Sweeps, and where each one's first pixel is: of the one that runs, or with marks that is looked at.
  logic [7:0]         tile_q, kernel_row_q, kernel_q, channel_q;
  logic signed [12:0] first_column_q, sweep_column_q, sweep_column, first_row_q, sweep_row_q, sweep_row;
  logic [15:0]        first_words_q, sweep_words_q, sweep_words, first_slot_q, sweep_slot_q, sweep_slot, group_q;
  logic [15:0]        weight_q, tile_group_q, next_tile_group, parameter_q, skip_read_q, skip_write_q;
  logic [4:0]         part_q;

  // Pixels of the sweep that runs, or that may begin.
  logic [PixelBits-1:0] pixel_q;
  logic [11:0]          x_q;
  logic [7:0]           y_q;
  logic signed [12:0]   column_q, row_q, begin_column;  // begin: of a row
  logic [15:0]          words_q, slot_q, begin_words, group;

  logic       walking_q, sweeping_q, over_q, copies_q, draining_q;  // walking: there are sweeps that may begin
  logic [2:0] young_q;  // a sweep has begun 1 to 3 cycles ago
  logic       takes, begins, sweep_ends, walk_ends, step_ends, group_ends;
  logic       at_first, at_last, left_out;  // the sweep that may begin
  logic       goes_on, steps_on, settles;
  logic       last_channel, last_kernel, last_kernel_row, last_place, last_tile, last_column, last_pixel;

  assign last_channel = channel_q == last_channel_q;
  assign last_kernel = kernel_q == last_kernel_q;
  assign last_kernel_row = kernel_row_q == last_kernel_row_q;
  assign last_tile = tile_q == last_tile_q;
  assign last_column = x_q == last_column_q;
  assign last_pixel = last_column && y_q == last_row_q;
  assign last_place = last_channel && last_kernel && last_kernel_row;
  assign takes = at_first || !still_q;
  assign begins = walking_q && !sweeping_q && !left_out && (!takes || tile_full_i) && (!at_last || !draining_q);
  assign issue_o = begins || (sweeping_q && !over_q);
  assign sweep_ends = sweeping_q && (over_q || last_pixel) && young_q[1:0] == '0;
  assign step_ends_o = step_ends;
  assign free_rows_o = free_q;
  assign copy_o = copies_q && young_q[2];

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      walking_q <= 1'b0;
      sweeping_q <= 1'b0;
      over_q <= 1'b0;
      young_q <= '0;
    end else begin
      walking_q <= go_i || (walking_q && !walk_ends);
      sweeping_q <= begins || (sweeping_q && !sweep_ends);
      over_q <= (over_q || (issue_o && last_pixel)) && !sweep_ends;
      young_q <= {young_q[1:0], begins};
    end
    if (begins) copies_q <= takes;
  end

  // Windows.
  logic [15:0]        next_slot, row_slot;
  logic [16:0]        row_sum;
  logic signed [13:0] column, row;

  assign pixel_o = pixel_q;
  assign weight_o = weight_q;
  assign from_input_o = from_input_q;
  assign zero_o = zero_q;
  assign column = 14'(column_q);
  assign row = 14'(row_q);
  assign address_o = words_q + group + slot_q;
  assign pad_o = column < 0 || column >= $signed({2'b00, width_q}) || row < 0 || row >= $signed({2'b00, height_q});

  // A row on, and as many as the stride is.
  assign next_slot = sweep_slot_q + pitch_q == end_q ? base_q : sweep_slot_q + pitch_q;
  assign row_sum = 17'(slot_q) + 17'(row_words_q);
  assign row_slot = 16'(row_sum >= 17'(end_q) ? row_sum - 17'(ring_q) : row_sum);

  // The first pixel of the next sweep; of this one unless it goes on.
  logic [15:0] sweep_group;

  assign group_ends = part_q == 5'(Parts - 1);
  assign next_tile_group = tile_group_q + 16'(group_ends);

  always_comb begin
    sweep_column = sweep_column_q;
    sweep_words = sweep_words_q;
    sweep_row = sweep_row_q;
    sweep_slot = sweep_slot_q;
    sweep_group = group_q;
    if (steps_on && !last_channel) sweep_group = group_q + 1'b1;
    if (steps_on && last_channel) begin
      sweep_group = !depthwise_q ? '0 : last_place ? next_tile_group : tile_group_q;
      sweep_column = last_kernel ? first_column_q : sweep_column_q + 1'b1;
      sweep_words = last_kernel ? first_words_q : sweep_words_q + groups_q;
      if (last_kernel) begin
        sweep_row = last_kernel_row ? first_row_q : sweep_row_q + 1'b1;
        sweep_slot = last_kernel_row ? first_slot_q : next_slot;
      end
    end
  end

  // Products of shifts, so that none takes a DSP.
  logic [15:0] stride_pitch;

  always_comb begin
    stride_pitch = '0;
    for (int i = 0; i < 4; i++)
      if (layer_word_i[64+12+i]) stride_pitch = stride_pitch + (layer_word_i[96 +: 16] << i);
  end

  always_ff @(posedge clk_i) begin
    if (go_i) begin
      depthwise_q <= layer_word_i[2];
      from_input_q <= layer_word_i[3];
      to_map_q <= layer_word_i[4];
      to_skip_q <= layer_word_i[5];
      to_output_q <= layer_word_i[6];
      add_q <= layer_word_i[7];
      zero_q <= layer_word_i[8 +: 8];
      last_kernel_row_q <= layer_word_i[16 +: 8];
      last_kernel_q <= layer_word_i[24 +: 8];
      width_q <= layer_word_i[32 +: 12];
      height_q <= layer_word_i[32+12 +: 12];
      first_column_q <= 13'($signed(layer_word_i[64 +: 12]));
      stride_q <= layer_word_i[64+12 +: 4];
      last_channel_q <= layer_word_i[64+16 +: 8];
      pitch_q <= layer_word_i[96 +: 16];
      groups_q <= layer_word_i[96+16 +: 16];
      base_q <= layer_word_i[128 +: 16];
      end_q <= layer_word_i[128+16 +: 16];
      ring_q <= layer_word_i[128+16 +: 16] - layer_word_i[128 +: 16];
      row_words_q <= stride_pitch;
      last_column_q <= layer_word_i[160 +: 12];
      last_tile_q <= layer_word_i[160+12 +: 8];
      last_valid_q <= layer_word_i[160+20 +: 6];
      output_groups_q <= layer_word_i[224 +: 16];
      stride_words_q <= 16'(layer_word_i[352+4 +: 12]);
      first_words_q <= layer_word_i[352+16 +: 16];
      still_q <= layer_word_i[416+12];
      layer_q <= step_word_i[4:0];
      last_row_q <= step_word_i[24 +: 8];
      first_row_q <= $signed(step_word_i[32 +: 13]);
      first_slot_q <= step_word_i[64 +: 16];
      output_word_q <= step_word_i[64+16 +: 16];
      free_q <= step_word_i[128 +: 16];
      final_q <= last_step_i;

      tile_q <= '0;
      kernel_row_q <= '0;
      kernel_q <= '0;
      channel_q <= '0;
      group_q <= '0;
      weight_q <= '0;
      tile_group_q <= '0;
      part_q <= '0;
      parameter_q <= layer_word_i[192+16 +: 16];
      skip_read_q <= step_word_i[96 +: 16];
      skip_write_q <= step_word_i[96+16 +: 16];
      sweep_column_q <= 13'($signed(layer_word_i[64 +: 12]));
      sweep_words_q <= layer_word_i[352+16 +: 16];
      sweep_row_q <= $signed(step_word_i[32 +: 13]);
      sweep_slot_q <= step_word_i[64 +: 16];
      pixel_q <= '0;
      x_q <= '0;
      y_q <= '0;
      column_q <= 13'($signed(layer_word_i[64 +: 12]));
      words_q <= layer_word_i[352+16 +: 16];
      row_q <= $signed(step_word_i[32 +: 13]);
      slot_q <= step_word_i[64 +: 16];
    end else begin
      if (goes_on) begin
        channel_q <= last_channel ? '0 : channel_q + 1'b1;
        if (last_channel) kernel_q <= last_kernel ? '0 : kernel_q + 1'b1;
        if (last_channel && last_kernel) kernel_row_q <= last_kernel_row ? '0 : kernel_row_q + 1'b1;
        if (last_place) begin
          tile_q <= tile_q + 1'b1;
          tile_group_q <= next_tile_group;
          part_q <= group_ends ? '0 : part_q + 1'b1;
          parameter_q <= parameter_q + 16'(Beats);
          skip_read_q <= skip_read_q + 1'b1;
          skip_write_q <= skip_write_q + 1'b1;
        end
        group_q <= sweep_group;
        sweep_column_q <= sweep_column;
        sweep_words_q <= sweep_words;
        sweep_row_q <= sweep_row;
        sweep_slot_q <= sweep_slot;
      end
      if (sweep_ends) weight_q <= weight_q + 16'(last_o || !still_q);
      if (settles) begin
        pixel_q <= '0;
        x_q <= '0;
        y_q <= '0;
        column_q <= sweep_column;
        words_q <= sweep_words;
        row_q <= sweep_row;
        slot_q <= sweep_slot;
      end else if (issue_o && !last_pixel) begin
        pixel_q <= pixel_q + 1'b1;
        x_q <= last_column ? '0 : x_q + 1'b1;
        column_q <= last_column ? begin_column : column_q + 13'(stride_q);
        words_q <= last_column ? begin_words : words_q + stride_words_q;
        if (last_column) begin
          y_q <= y_q + 1'b1;
          row_q <= row_q + 13'(stride_q);
          slot_q <= row_slot;
        end
      end
    end
  end

  // With marks the sweep that may begin next is looked for while one runs, whose own row begins and group are kept.
  if (ZeroDepth > 0) begin : gen_marks
    localparam int MarkBits = $clog2(ZeroDepth);
    logic [MarkBits:0]  mark_q, next_mark;  // from 2^MarkBits on there is none
    logic [1:0]         mark, stored_mark;
    logic               fresh_q, first_q, last_q;
    logic signed [12:0] begin_column_q;
    logic [15:0]        begin_words_q, begin_group_q;

    weight_bank #(.Width(2), .Depth(ZeroDepth), .ReadLatency(1), .Block(Block)) u_marks (
      .clk_i,
      .we_i(mark_we_i && 32'(word_i) < ZeroDepth),
      .waddr_i(word_i[MarkBits-1:0]),
      .wdata_i(data_i),
      .re_i(go_i || goes_on),
      .raddr_i(next_mark[MarkBits-1:0]),
      .rdata_o(stored_mark)
    );

    assign next_mark = go_i ? (MarkBits + 1)'(layer_word_i[448 +: 16]) : mark_q + (MarkBits + 1)'(!mark_q[MarkBits]);
    assign mark = mark_q[MarkBits] ? '0 : stored_mark;
    assign left_out = mark[0];
    assign at_first = fresh_q;
    assign at_last = mark[1];
    assign goes_on = begins || (walking_q && left_out);
    assign steps_on = goes_on;
    assign settles = !begins && (!sweeping_q || sweep_ends);
    assign first_o = sweeping_q ? first_q : fresh_q;
    assign last_o = sweeping_q ? last_q : at_last;
    assign walking_o = walking_q || sweeping_q;
    assign walk_ends = begins && at_last && last_tile;
    assign step_ends = sweep_ends && !walking_q;

    assign begin_column = begin_column_q;
    assign begin_words = begin_words_q;
    assign group = begin_group_q;

    always_ff @(posedge clk_i) begin
      if (go_i || goes_on) mark_q <= next_mark;
      if (go_i) fresh_q <= 1'b1;
      else if (goes_on) fresh_q <= last_place || (fresh_q && !begins);
      if (begins) begin
        first_q <= fresh_q;
        last_q <= at_last;
      end
      if (go_i) begin
        begin_column_q <= 13'($signed(layer_word_i[64 +: 12]));
        begin_words_q <= layer_word_i[352+16 +: 16];
        begin_group_q <= '0;
      end else if (settles) begin
        begin_column_q <= sweep_column;
        begin_words_q <= sweep_words;
        begin_group_q <= sweep_group;
      end
    end
  end else begin : gen_no_marks
    assign left_out = 1'b0;
    assign at_first = channel_q == '0 && kernel_q == '0 && kernel_row_q == '0;
    assign at_last = last_place;
    assign goes_on = sweep_ends;
    assign steps_on = 1'b1;
    assign settles = sweep_ends;
    assign first_o = at_first;
    assign last_o = at_last;
    assign walking_o = walking_q;
    assign walk_ends = step_ends;
    assign step_ends = sweep_ends && at_last && last_tile;
    assign begin_column = sweep_column_q;
    assign begin_words = sweep_words_q;
    assign group = group_q;

    logic unused_marks;
    assign unused_marks = ^{mark_we_i, word_i, data_i} && Block != 0;
  end

  // Streams: one step ahead.
  logic begun_q;

  assign stream_begin_o = ready_i && tiles_ready_i && !begun_q && !start_i;
  assign stream_base_o = layer_word_i[192 +: 16];
  assign stream_book_o = layer_word_i[416+8 +: 4];
  assign stream_tiles_o = layer_word_i[448+16 +: 16];

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begun_q <= 1'b0;
    else begun_q <= (begun_q || stream_begin_o) && !go_i;
  end

  // Drains. A tile's last pixel is known before its results would leave.
  logic [DelayBits-1:0] delay_q;
  logic [BeatBits-1:0]  beat_q;
  logic [PixelBits-1:0] drain_pixel_q, drain_last_q;
  logic                 last_known_q, drain_last, drains, beats_end, drain_ends;
  logic                 drain_ends_step_q, drain_final_q;
  logic [7:0]           drain_tiles_q;
  logic [15:0]          drain_groups_q;

  assign drains = draining_q && delay_q == '0;
  assign beats_end = drains && 32'(beat_q) == Beats - 1;
  assign drain_last = last_known_q && drain_pixel_q == drain_last_q;
  assign drain_ends = beats_end && drain_last;
  assign draining_o = draining_q;
  assign read_o = drains && beat_q == '0;
  assign read_pixel_o = drain_pixel_q;
  assign ends_o = drain_ends_step_q && drain_last;
  assign final_o = drain_final_q && ends_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) draining_q <= 1'b0;
    else draining_q <= (draining_q && !drain_ends) || (begins && at_last);
    load_o <= rst_ni && !start_i && begins && at_last;
    if (issue_o && last_o && last_pixel) drain_last_q <= pixel_q;
    if (issue_o && last_o) last_known_q <= last_pixel;
    if (begins && at_last) begin
      delay_q <= DelayBits'(DrainDelay - 1);
      beat_q <= '0;
      drain_pixel_q <= '0;
      drain_ends_step_q <= last_tile;
      drain_final_q <= final_q;
      drain_tiles_q <= last_tile_q;
      drain_groups_q <= output_groups_q;
      layer_o <= layer_q;
      to_map_o <= to_map_q;
      to_skip_o <= to_skip_q;
      to_output_o <= to_output_q;
      add_o <= add_q;
      valid_o <= last_tile ? last_valid_q : 6'(Outputs);
      result_address_o <= output_word_q + tile_group_q;
      result_part_o <= part_q;
      parameter_o <= parameter_q;
      skip_read_o <= skip_read_q;
      skip_write_o <= skip_write_q;
    end else begin
      if (delay_q != '0) delay_q <= delay_q - 1'b1;
      if (drains) beat_q <= beats_end ? '0 : beat_q + 1'b1;
      if (beats_end) begin
        drain_pixel_q <= drain_pixel_q + 1'b1;
        result_address_o <= result_address_o + drain_groups_q;
        skip_read_o <= skip_read_o + 16'(drain_tiles_q) + 1'b1;
        skip_write_o <= skip_write_o + 16'(drain_tiles_q) + 1'b1;
      end
    end
  end

  logic unused;
  assign unused = ^{layer_word_i, step_word_i};

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && !start_i) begin
      assert (!go_i || begun_q || stream_begin_o) else $error("a step begins without its stream");
      assert (!(begins && first_o && tile_q == '0) || weight_q == '0) else $error("loads are miscounted");
      assert (!(draining_q && begins && at_last)) else $error("a drain is overtaken");
    end
  end
`endif

endmodule

`default_nettype wire
