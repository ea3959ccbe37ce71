// The walk through a step, for rtl/array_scheduler.sv, which says what steps and layers are: OutputColumns x
// Tiles tiles of passes x row groups x kernel columns x channel groups windows, innermost last, one window per
// cycle, and `pause` idle cycles ahead of each tile. A step whose words are there when go_i comes begins in the
// cycle after that; step_ends_o comes with its last window, and then, or while walking_o is low, the next go_i
// may come. A window that is `missing` ends its step in the same way, but is not issued.

`default_nettype none

module array_walk #(
  /// P, outputs per tile; S, channels per word; T, banks; R, results per cycle.
  parameter int Outputs = 8,
  parameter int Channels = 16,
  parameter int Banks = 3,
  parameter int Results = 4,
  /// Words of weights, of parameters, of skips (0: none are read).
  parameter int WeightDepth = 256,
  parameter int ParamDepth = 128,
  parameter int SkipDepth = 2048,
  /// 1: of the depthwise stage.
  parameter int Stage = 0,
  /// M, pixels of a window of a wide layer, and column banks: 1, 2 or 4.
  parameter int Pixels = 1,
  /// 1: there are planes of weights: passes, and all of a layer's word 12.
  parameter int Planes = 0,
  /// Widths of maps: bit c: 8 >> c bits.
  parameter int Widths = 1,
  localparam int ColumnBits = (Pixels > 1) ? $clog2(Pixels) : 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  // A step, and its layer
  input  logic                        go_i,
  input  logic [415:0]                layer_word_i,
  input  logic [159:0]                step_word_i,
  input  logic                        last_step_i,
  output logic                        walking_o,
  output logic                        step_ends_o,
  output logic                        missing_o,
  output logic [15:0]                 free_rows_o,
  // Windows
  output logic                        issue_o,
  output logic                        first_o,
  output logic                        last_o,
  output logic                        top_o,
  output logic                        shift_o,
  output logic [1:0]                  width_o,
  output logic                        planes_o,
  output logic [15:0]                 weight_o,
  output logic                        from_input_o,
  output logic                        from_stage_o,
  output logic                        max_pool_o,
  output logic [2:0]                  bank_o,
  output logic [ColumnBits-1:0]       column_bank_o,
  output logic [Pixels-1:0]           columns_o,  // column banks that are read
  output logic [16*Banks*Pixels-1:0]  address_o,
  output logic [Banks*Pixels-1:0]     pad_o,
  output logic [15:0]                 first_address_o,  // of pixel 0, lane 0
  output logic [Banks-1:0]            lanes_o,
  output logic [7:0]                  zero_o,
  // With the last window of a tile: where its results go
  output logic [4:0]                  layer_o,
  output logic                        to_map_o,
  output logic                        to_stage_o,
  output logic                        to_skip_o,
  output logic                        to_output_o,
  output logic                        add_o,
  output logic                        ends_o,  // the step's last tile
  output logic                        final_o,  // the image's
  output logic [5:0]                  valid_o,
  output logic                        wide_o,
  output logic [1:0]                  result_width_o,
  output logic [2:0]                  reference_shift_o,
  output logic [2:0]                  result_bank_o,
  output logic [Pixels-1:0]           result_columns_o,
  output logic [15:0]                 result_address_o,
  output logic [4:0]                  result_part_o,
  output logic [15:0]                 parameter_o,
  output logic [15:0]                 skip_read_o,
  output logic [15:0]                 skip_write_o
);

  localparam int Beats = Outputs / Results;
  // Of a word, and at least one.
  localparam int Parts0 = (Channels > Outputs) ? Channels / Outputs : 1;
  localparam int Parts1 = (2 * Channels > Outputs) ? 2 * Channels / Outputs : 1;
  localparam int Parts2 = (4 * Channels > Outputs) ? 4 * Channels / Outputs : 1;
  localparam int Parts3 = (8 * Channels > Outputs) ? 8 * Channels / Outputs : 1;
  localparam logic [2:0] LastBank = 3'(Banks - 1);

  function automatic logic [2:0] next_bank(input logic [2:0] bank);
    next_bank = bank == LastBank ? '0 : bank + 1'b1;
  endfunction

  // Both are below Banks.
  function automatic logic [2:0] add_banks(input logic [2:0] a, input logic [2:0] b);
    logic [3:0] sum;
    sum = 4'(a) + 4'(b);
    add_banks = 3'(sum >= 4'(Banks) ? sum - 4'(Banks) : sum);
  endfunction

  // The last part of a word, by code.
  function automatic logic [4:0] last_part(input logic [1:0] code);
    last_part = '0;
    if (Widths[0] && (Widths == 1 || code == 2'd0)) last_part = 5'(Parts0 - 1);
    if (Widths[1] && (Widths == 2 || code == 2'd1)) last_part = 5'(Parts1 - 1);
    if (Widths[2] && (Widths == 4 || code == 2'd2)) last_part = 5'(Parts2 - 1);
    if (Widths[3] && (Widths == 8 || code == 2'd3)) last_part = 5'(Parts3 - 1);
  endfunction

  // The step that is walked.
  logic        max_pool_q, group_mode_q, depthwise_q, from_input_q, from_stage_q, shared_q, wide_q, to_map_q,
               to_stage_q, to_skip_q, to_output_q, add_q, final_q;
  logic [4:0]  layer_q;
  logic [7:0]  zero_q, last_group_row_q, last_kernel_q, last_channel_q, pause_q, last_tile_q;
  logic [11:0] width_q, height_q, last_column_q;
  logic [3:0]  stride_q;
  logic [15:0] pitch_q, groups_q, base_q, end_q, weights_q, parameters_q, output_groups_q, stride_words_q;
  logic [5:0]  last_valid_q, kernel_rows_q;
  logic [2:0]  row_bank_q, output_bank_q;
  logic [15:0] free_q;
  logic [1:0]  read_width_q, result_width_q;
  logic [2:0]  last_pass_q, reference_shift_q;
  logic        planes_q;

  // Counters, and what goes along with them.
  logic [11:0] x_q;
  logic [7:0]  tile_q, row_group_q, kernel_q, channel_q, idle_q;
  logic        idling_q;
  logic signed [12:0] column_q, kernel_column_q;  // of x, of the window
  logic [15:0] column_word_q, kernel_word_q;
  logic signed [12:0] first_row_q, row_q;
  logic [15:0] first_slot_q, slot_q, next_slot;
  logic [2:0]  first_bank_q, bank_q;  // group's share of the bank
  logic [15:0] weight_q, group_q, first_group_q;
  logic [15:0] output_word_q, tile_group_q, parameter_q, skip_read_q, skip_write_q;
  logic [2:0]  tile_bank_q;
  logic [4:0]  part_q;
  logic [5:0]  lanes_left_q;
  logic [2:0]  pass_q;

  logic last_channel, last_kernel, last_row_group, last_pass, last_tile, last_column, pass_begins, tile_ends,
        step_ends, missing, walking_q;

  assign missing = walking_q && !idling_q && !max_pool_q &&
      (32'(weight_q) >= WeightDepth ||
       (last_o && (32'(parameter_q) + 32'(Beats - 1) >= ParamDepth ||
                   (SkipDepth > 0 && add_q && 32'(skip_read_q) >= SkipDepth))));
  assign issue_o = walking_q && !idling_q && !missing;
  assign last_channel = channel_q == last_channel_q;
  assign last_kernel = kernel_q == last_kernel_q;
  assign last_row_group = row_group_q == last_group_row_q;
  assign last_tile = tile_q == last_tile_q;
  assign last_column = x_q == last_column_q;
  assign last_pass = Planes == 0 || pass_q == last_pass_q;
  assign pass_begins = channel_q == '0 && kernel_q == '0 && row_group_q == '0;
  assign top_o = Planes == 0 || pass_q == '0;
  assign first_o = pass_begins && top_o;
  assign shift_o = pass_begins && !top_o;
  assign last_o = last_channel && last_kernel && last_row_group && last_pass;
  assign width_o = read_width_q;
  assign planes_o = planes_q;
  assign tile_ends = issue_o && last_o;
  assign step_ends = tile_ends && last_tile && last_column;
  assign free_rows_o = free_q;
  assign walking_o = walking_q;
  assign step_ends_o = step_ends;
  assign missing_o = missing;

  // Windows.
  assign next_slot = slot_q + pitch_q == end_q ? base_q : slot_q + pitch_q;
  assign weight_o = weight_q;
  assign from_input_o = from_input_q;
  assign from_stage_o = from_stage_q && !from_input_q;
  assign max_pool_o = max_pool_q;
  assign bank_o = add_banks(row_bank_q, bank_q);
  assign zero_o = zero_q;

  // By column bank: the pixel that it is read for, if any, and whether that is outside of the map.
  logic [ColumnBits-1:0] column_bank;
  logic [Pixels-1:0]     outside_column;
  logic [15:0]           word;
  logic [Banks-1:0]      outside_row;

  assign column_bank = (Pixels > 1) ? kernel_column_q[ColumnBits-1:0] : '0;
  assign column_bank_o = column_bank;
  assign word = kernel_word_q + group_q;

  for (genvar j = 0; j < Banks; j++) begin : gen_lane
    logic signed [13:0] row;
    assign row = 14'(row_q) + (group_mode_q ? '0 : 14'(j));
    assign outside_row[j] = row < 0 || row >= $signed({2'b00, height_q});
    assign lanes_o[j] = !(outside_column[column_bank] || outside_row[j]) && lanes_left_q > 6'(j);
  end

  for (genvar k = 0; k < Pixels; k++) begin : gen_column
    logic signed [13:0]    column;
    logic [ColumnBits-1:0] pixel;
    logic [15:0]           column_word;

    assign pixel = ColumnBits'(k) - column_bank;
    assign column = 14'(kernel_column_q) + ((Pixels > 1) ? 14'(pixel) : '0);
    assign outside_column[k] = column < 0 || column >= $signed({2'b00, width_q});
    assign column_word = word + (32'(column_bank) > k ? groups_q : '0);
    assign columns_o[k] = Pixels == 1 || wide_q || 32'(column_bank) == k;

    for (genvar j = 0; j < Banks; j++) begin : gen_column_lane
      assign pad_o[Banks*k+j] = outside_column[k] || outside_row[j];
      assign address_o[16*(Banks*k+j) +: 16] = column_word + (group_mode_q ? slot_q + 16'(j) :
          4'(row_bank_q) + 4'(j) < 4'(Banks) ? slot_q : next_slot);
    end
  end

  // The last column bank is never behind that of pixel 0.
  assign first_address_o = address_o[16*Banks*(Pixels-1) +: 16];

  // Results.
  assign layer_o = layer_q;
  assign to_map_o = to_map_q;
  assign to_stage_o = to_stage_q;
  assign to_skip_o = to_skip_q;
  assign to_output_o = to_output_q;
  assign add_o = add_q;
  assign ends_o = last_tile && last_column;
  assign final_o = final_q && ends_o;
  assign valid_o = last_tile ? last_valid_q : 6'(Outputs);
  assign wide_o = wide_q;
  assign result_width_o = result_width_q;
  assign reference_shift_o = reference_shift_q;
  assign result_bank_o = add_banks(output_bank_q, tile_bank_q);
  assign result_address_o = output_word_q + tile_group_q;
  assign result_part_o = part_q;
  assign parameter_o = parameter_q;
  assign skip_read_o = skip_read_q;
  assign skip_write_o = skip_write_q;

  logic        group_ends;  // of a tile's channels
  logic [15:0] next_tile_group;
  logic [2:0]  next_tile_bank;

  assign group_ends = max_pool_q || part_q == last_part(result_width_q);
  assign next_tile_group = last_tile ? '0 : tile_group_q + 16'(group_ends);
  assign next_tile_bank = last_tile ? '0 : group_ends ? next_bank(tile_bank_q) : tile_bank_q;

  // Words on from a column to the next ones, and from a result's.
  logic [15:0] kernel_words, column_words, result_words;

  if (Pixels == 1) begin : gen_one
    assign kernel_words = groups_q;
    assign column_words = stride_words_q;
    assign result_words = output_groups_q;
    assign result_columns_o = 1'b1;
  end else begin : gen_more
    logic [ColumnBits-1:0] result_column;
    logic [ColumnBits:0]   next_column;

    assign next_column = (ColumnBits + 1)'(column_q[ColumnBits-1:0]) +
        (ColumnBits + 1)'(stride_q[ColumnBits-1:0]);
    assign kernel_words = column_bank == '1 ? groups_q : '0;
    assign column_words = stride_words_q + (next_column[ColumnBits] ? groups_q : '0);
    assign result_column = x_q[ColumnBits-1:0];
    assign result_words = wide_q || result_column == '1 ? output_groups_q : '0;
    assign result_columns_o = wide_q ? '1 : Pixels'(1) << result_column;
  end

  logic        by_tile;  // each tile has its own group of channels
  logic [15:0] next_read_group;
  logic [2:0]  next_read_bank;

  assign by_tile = depthwise_q || max_pool_q;

  if (Widths == 1 || Widths == 2 || Widths == 4 || Widths == 8) begin : gen_one_width
    assign next_read_group = next_tile_group;
    assign next_read_bank = next_tile_bank;
  end else begin : gen_widths  // the map's words may have other parts than the results'
    logic [4:0] read_part_q;
    logic       read_ends;

    assign read_ends = max_pool_q || read_part_q == last_part(read_width_q);
    assign next_read_group = last_tile ? '0 : first_group_q + 16'(read_ends);
    assign next_read_bank = last_tile ? '0 : read_ends ? next_bank(first_bank_q) : first_bank_q;

    always_ff @(posedge clk_i) begin
      if (go_i) read_part_q <= '0;
      else if (tile_ends) read_part_q <= last_tile || read_ends ? '0 : read_part_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      walking_q <= 1'b0;
      idling_q <= 1'b0;
    end else begin
      walking_q <= go_i || (walking_q && !step_ends && !missing);
      idling_q <= go_i ? layer_word_i[64+24 +: 8] != '0 :
          idling_q ? idle_q != pause_q : tile_ends && !step_ends && pause_q != '0;
    end
  end

  always_ff @(posedge clk_i) begin
    idle_q <= idling_q ? idle_q + 1'b1 : 8'd1;
    if (go_i) begin
      max_pool_q <= Stage == 0 && layer_word_i[0];
      group_mode_q <= layer_word_i[1];
      depthwise_q <= layer_word_i[2];
      from_input_q <= Stage == 0 && layer_word_i[3];
      from_stage_q <= Stage == 0 && layer_word_i[32+24];
      shared_q <= layer_word_i[32+26];
      wide_q <= Stage == 0 && Pixels > 1 && layer_word_i[32+27];
      to_map_q <= layer_word_i[4];
      to_stage_q <= Stage == 0 && layer_word_i[32+25];
      to_skip_q <= Stage == 0 && layer_word_i[5];
      to_output_q <= Stage == 0 && layer_word_i[6];
      add_q <= Stage == 0 && layer_word_i[7];
      zero_q <= layer_word_i[8 +: 8];
      last_group_row_q <= layer_word_i[16 +: 8];
      last_kernel_q <= layer_word_i[24 +: 8];
      width_q <= layer_word_i[32 +: 12];
      height_q <= layer_word_i[32+12 +: 12];
      stride_q <= layer_word_i[64+12 +: 4];
      last_channel_q <= layer_word_i[64+16 +: 8];
      pause_q <= layer_word_i[64+24 +: 8];
      pitch_q <= layer_word_i[96 +: 16];
      groups_q <= layer_word_i[96+16 +: 16];
      base_q <= layer_word_i[128 +: 16];
      end_q <= layer_word_i[128+16 +: 16];
      last_column_q <= layer_word_i[160 +: 12];
      last_tile_q <= layer_word_i[160+12 +: 8];
      last_valid_q <= layer_word_i[160+20 +: 6];
      kernel_rows_q <= layer_word_i[160+26 +: 6];
      weights_q <= layer_word_i[192 +: 16];
      parameters_q <= layer_word_i[192+16 +: 16];
      output_groups_q <= layer_word_i[224 +: 16];
      stride_words_q <= 16'(layer_word_i[352+4 +: 12]);
      read_width_q <= layer_word_i[384 +: 2];
      result_width_q <= layer_word_i[384+2 +: 2];
      last_pass_q <= layer_word_i[384+4 +: 3];
      reference_shift_q <= layer_word_i[384+7 +: 3];
      planes_q <= layer_word_i[384+10];
      layer_q <= step_word_i[4:0];
      row_bank_q <= step_word_i[12 +: 3];
      output_bank_q <= step_word_i[16 +: 3];
      first_row_q <= $signed(step_word_i[32 +: 13]);
      first_slot_q <= step_word_i[64 +: 16];
      free_q <= step_word_i[128 +: 16];
      final_q <= last_step_i;

      x_q <= '0;
      tile_q <= '0;
      row_group_q <= '0;
      kernel_q <= '0;
      channel_q <= '0;
      pass_q <= '0;
      column_q <= 13'($signed(layer_word_i[64 +: 12]));
      kernel_column_q <= 13'($signed(layer_word_i[64 +: 12]));
      column_word_q <= layer_word_i[352+16 +: 16];
      kernel_word_q <= layer_word_i[352+16 +: 16];
      row_q <= $signed(step_word_i[32 +: 13]);
      slot_q <= step_word_i[64 +: 16];
      lanes_left_q <= layer_word_i[160+26 +: 6];
      group_q <= '0;
      first_group_q <= '0;
      bank_q <= '0;
      first_bank_q <= '0;
      weight_q <= layer_word_i[192 +: 16];
      output_word_q <= step_word_i[64+16 +: 16];
      tile_group_q <= '0;
      tile_bank_q <= '0;
      part_q <= '0;
      parameter_q <= layer_word_i[192+16 +: 16];
      skip_read_q <= step_word_i[96 +: 16];
      skip_write_q <= step_word_i[96+16 +: 16];
    end else begin
      if (issue_o) begin
        weight_q <= last_o && (last_tile || shared_q) ? weights_q : weight_q + 1'b1;
        channel_q <= last_channel ? '0 : channel_q + 1'b1;
        if (last_channel) begin
          kernel_q <= last_kernel ? '0 : kernel_q + 1'b1;
          group_q <= first_group_q;
          bank_q <= first_bank_q;
          kernel_column_q <= last_kernel ? column_q : kernel_column_q + 1'b1;
          kernel_word_q <= last_kernel ? column_word_q : kernel_word_q + kernel_words;
          if (last_kernel) begin
            row_group_q <= last_row_group ? '0 : row_group_q + 1'b1;
            if (last_row_group) pass_q <= last_pass ? '0 : pass_q + 1'b1;
            row_q <= last_row_group ? first_row_q : row_q + 13'(Banks);
            slot_q <= last_row_group ? first_slot_q : next_slot;
            lanes_left_q <= last_row_group ? kernel_rows_q :
                lanes_left_q > 6'(Banks) ? lanes_left_q - 6'(Banks) : '0;
          end
        end else if (group_mode_q) begin
          group_q <= group_q + 16'(Banks);
        end else begin
          group_q <= group_q + 1'b1;
          bank_q <= next_bank(bank_q);
        end
      end
      if (tile_ends) begin
        tile_q <= last_tile ? '0 : tile_q + 1'b1;
        tile_group_q <= next_tile_group;
        tile_bank_q <= next_tile_bank;
        part_q <= last_tile || group_ends ? '0 : part_q + 1'b1;
        parameter_q <= last_tile ? parameters_q : parameter_q + 16'(Beats);
        skip_read_q <= skip_read_q + 1'b1;
        skip_write_q <= skip_write_q + 1'b1;
        if (by_tile) begin
          first_group_q <= next_read_group;
          first_bank_q <= next_read_bank;
          group_q <= next_read_group;
          bank_q <= next_read_bank;
        end
        if (last_tile) begin
          x_q <= x_q + 1'b1;
          column_q <= column_q + 13'(stride_q);
          kernel_column_q <= column_q + 13'(stride_q);
          column_word_q <= column_word_q + column_words;
          kernel_word_q <= column_word_q + column_words;
          output_word_q <= output_word_q + result_words;
        end
      end
    end
  end
  logic unused;
  assign unused = ^{layer_word_i, step_word_i, last_pass_q, pass_q};

endmodule

`default_nettype wire
