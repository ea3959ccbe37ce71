// From a tile's sums to its outputs: Results of them per cycle get their bias, a scaler, and where the layer
// adds a map, its residual_add; then the tile is written, Writeback cycles after its last window was issued,
// into the map and the depthwise stage's maps, among the words that are added later (skip), and into the
// output queue, as its layer says. A maximum takes none of these steps and as long. step_done_o comes with
// the write of a step's last tile. The tile's tag comes with the last window; sums_valid_i in cycle v =
// window + SumLatency. Beat b of Pixels * Outputs / Results, pixel by pixel, is in the scaler from v + 1 + b
// on, in residual_add from v + 8 + b, and comes out in v + 18 + b; tiles are no closer than these beats. All
// pixels have the same parameters.
//
// Of a wide tile pixel m is written into column bank m of the map, and a skip word is all of its pixels; of
// another tile and of a maximum pixel 0 alone is written, into the column banks that the tag names, and the
// upper pixels of its skip words are 0. The output queue gets pixel 0.
//
// Into a map a result's low bits alone are written, by the tag's code c of a width 8 >> c, side by side: a tile
// is a part of a word, and a part some pieces, each as much as a tile of the narrowest width takes. What is
// added later keeps the low bits of the widest width that a map can be written with, and its sign. The output
// queue gets all 8 bits.
//
// With ThresholdBits a layer's results may be counted instead: its low bound and how many of 2^ThresholdBits - 1
// thresholds v reaches (rtl/threshold_search.sv), modulo 2^8, in the place of what its residual_add gives. The
// thresholds of a beat's results are those of its parameters' address: word address * 16 + node, a piece each. With
// WideSums they may be the lowest or second byte of v, of which bit 3 of a result's shift tells; and where a map is
// added that is done to v itself.
//
// Tables: parameters, a word of {shift, multiplier, bias} for each of a beat's results (pieces 0 bias, 1
// multiplier, 2 shift, which writes all three), of whose low bits BiasBits and ScaleBits are kept; of layers words 8 [7:0] zero point [15:8] low [23:16] high
// [25:24] rule, 9 the same of the sum, [31:26] its shift, 10 its multiplier, 11 [3:0] page, 12 [11] whether results are counted, [12] are bytes, [13] whether v is added to; residual_add's;
// thresholds.
// With ReferenceBits a sum is v = sum * 2^s + r * total + bias, the tag's s and the parameters' r (bits 15 to 8
// of piece 2), the total that of the sum's pixel; else v = sum + bias. It is exact, and saturates to SumBits. A tile's skip word is read in v + 6, and must be written before.
// Parameters and skip words are there: rtl/array_scheduler.sv issues no tile without.
//
// With LoadParams parameters lie in one RAM, those of a beat one behind the other, and load_i in cycle l takes
// those of a tile, from word parameter_i on, one a cycle; tags of its pixels come from cycle
// l + Outputs - Outputs / Results on, and the next load_i behind the last one's. Words beyond the RAM count
// modulo the power of two that is no less than ParamDepth, and read as 0 where none is left.

`default_nettype none

module array_results #(
  /// P, outputs per tile; S, channels per word; R, results per cycle.
  parameter int Outputs = 8,
  parameter int Channels = 16,
  parameter int Results = 4,
  /// Bits of a sum, and with its bias.
  parameter int AccBits = 25,
  parameter int SumBits = 25,
  /// From a window to its sums, to its maximum, and to the writes.
  parameter int SumLatency = 14,
  parameter int PoolLatency = 7,
  parameter int Writeback = 34,
  parameter int ParamDepth = 512,
  parameter int SkipDepth = 2048,
  parameter int Layers = 32,
  /// Pages of tables for additions; 0: none.
  parameter int Pages = 4,
  /// 1: parameters, skip words are in block RAM, 0: in LUT-RAM.
  parameter int ParamBlock = 1,
  parameter int SkipBlock = 1,
  /// M, pixels of a tile, and column banks: 1, 2 or 4.
  parameter int Pixels = 1,
  /// Column banks of the maps that pixel 0 is written into: where there is one pixel there may be more.
  parameter int Columns = Pixels,
  /// Widths of maps: bit c: 8 >> c bits.
  parameter int Widths = 1,
  /// Bits of a reference r; 0: there are none, nor totals.
  parameter int ReferenceBits = 0,
  /// 0: scalers shift alone, and no multipliers are kept.
  parameter int ScaleMultiply = 1,
  /// Bits of a multiplier that are kept, the low ones, 8 to 31, and of a bias.
  parameter int ScaleBits = 31,
  parameter int BiasBits = 32,
  /// 1: what is added is looked up as a whole, of 4 bits each (rtl/residual_add.sv).
  parameter int Lookup = 0,
  /// 1: parameters are loaded by tile, of pixels one at a time.
  parameter int LoadParams = 0,
  /// Of a count of thresholds, up to 4; 0: there are none.
  parameter int ThresholdBits = 0,
  /// 1: results may be bytes of sums, and sums may be added to.
  parameter int WideSums = 0,
  localparam int PieceBits = Outputs * ((Widths >= 8) ? 1 : (Widths >= 4) ? 2 : (Widths >= 2) ? 4 : 8),
  localparam int Pieces = 8 * Channels / PieceBits
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  // Tables
  input  logic                                 parameter_we_i,
  input  logic                                 layer_we_i,
  input  logic                                 table_we_i,
  input  logic                                 threshold_we_i,
  input  logic [15:0]                          word_i,
  input  logic [11:0]                          piece_i,
  input  logic [31:0]                          data_i,
  // A tile's parameters are loaded
  input  logic                                 load_i,
  // A tile's tag, with its last window
  input  logic                                 tile_i,
  input  logic [4:0]                           layer_i,
  input  logic                                 max_pool_i,
  input  logic                                 to_map_i,
  input  logic                                 to_stage_i,
  input  logic                                 to_skip_i,
  input  logic                                 to_output_i,
  input  logic                                 add_i,
  input  logic                                 ends_i,
  input  logic                                 final_i,
  input  logic [5:0]                           valid_i,
  input  logic                                 wide_i,
  input  logic [1:0]                           width_i,
  input  logic [2:0]                           reference_shift_i,
  input  logic [2:0]                           bank_i,
  input  logic [Columns-1:0]                   columns_i,
  input  logic [15:0]                          address_i,
  input  logic [4:0]                           part_i,
  input  logic [15:0]                          parameter_i,
  input  logic [15:0]                          skip_read_i,
  input  logic [15:0]                          skip_write_i,
  // Sums and maxima
  input  logic                                 sums_valid_i,
  input  logic [AccBits*Outputs*Pixels-1:0]    sums_i,
  input  logic [AccBits*Pixels-1:0]            totals_i,
  input  logic [8*Channels-1:0]                maximum_i,
  // Into the map, into the stage's maps
  output logic                                 map_valid_o,
  output logic                                 map_to_map_o,
  output logic                                 map_to_stage_o,
  output logic [2:0]                           map_bank_o,
  output logic [Columns-1:0]                   map_columns_o,
  output logic [15:0]                          map_address_o,
  output logic [Pieces-1:0]                    map_parts_o,
  output logic [8*Channels*Pixels-1:0]         map_word_o,
  // Skip words
  output logic                                 skip_valid_o,
  output logic [15:0]                          skip_address_o,
  output logic [8*Outputs*Pixels-1:0]          skip_word_o,
  // Into the output queue
  output logic                                 push_o,
  output logic                                 push_final_o,
  output logic [5:0]                           push_valid_o,
  output logic [8*Outputs-1:0]                 push_word_o,
  // A step's last result is written
  output logic                                 step_done_o
);

  localparam int PixelBeats = Outputs / Results;
  localparam int Beats = Pixels * PixelBeats;
  // Of what is added later: a value's bits.
  localparam int KeptBits = (Widths[0] && Outputs <= Channels) ? 8 : (Widths[1] && Outputs <= 2 * Channels) ? 4 :
      (Widths[2] && Outputs <= 4 * Channels) ? 2 : 1;
  localparam int BeatBits = (Beats > 1) ? $clog2(Beats) : 1;
  localparam int ScalerLatency = 7;
  localparam int AddLatency = 10;
  localparam int CountLatency = ScalerLatency + AddLatency;
  localparam int LayerBits = $clog2(Layers);
  localparam int ParamBits = (ParamDepth > 1) ? $clog2(ParamDepth) : 1;
  localparam int SkipBits = (SkipDepth > 1) ? $clog2(SkipDepth) : 1;
  localparam int FactorBits = (ScaleMultiply != 0) ? ScaleBits : 0;
  localparam int FactorKept = (ScaleMultiply != 0) ? ScaleBits : 31;
  localparam int ParamWidth = BiasBits + FactorBits + 6 + ReferenceBits;
  localparam int AddInput = SumLatency + 1 + ScalerLatency;  // v + 8, from the window

  // A tile's events, by cycles from its last window: of all tiles, of those with sums.
  logic [Writeback:1]  written_q;
  logic [AddInput-1:1] tile_q;

  always_ff @(posedge clk_i) begin
    written_q <= rst_ni ? {written_q[Writeback-1:1], tile_i} : '0;
    tile_q <= rst_ni ? {tile_q[AddInput-2:1], tile_i && !max_pool_i} : '0;
  end

  // Parameters: two cycles of the RAM, so that beat b's are there in v + b.
  logic [15:0]                   param_first, param_next_q, param_address;
  logic [BeatBits:0]             reads_q;
  logic                          param_read;
  logic [31:0]                   piece_q, piece_before_q;
  logic [ParamWidth*Results-1:0] params;
  logic [ParamWidth-1:0]         param_word;

  if (ScaleMultiply != 0) begin : gen_factor
    assign param_word = ParamWidth'({data_i[15:8], data_i[5:0], piece_q[ScaleBits-1:0],
                                   piece_before_q[BiasBits-1:0]});
  end else begin : gen_no_factor
    assign param_word = ParamWidth'({data_i[15:8], data_i[5:0], piece_before_q[BiasBits-1:0]});
  end

  delay_line #(.Width(16), .Cycles(SumLatency - 2)) u_param_first (
    .clk_i, .data_i(parameter_i), .data_o(param_first)
  );

  assign param_read = tile_q[SumLatency-2] || reads_q != '0;
  assign param_address = tile_q[SumLatency-2] ? param_first : param_next_q;

  if (Pixels == 1) begin : gen_one
    always_ff @(posedge clk_i) param_next_q <= param_address + 1'b1;
  end else begin : gen_more
    // Back to the first one with a pixel's last.
    logic [BeatBits:0] reads_after;

    assign reads_after = tile_q[SumLatency-2] ? (BeatBits + 1)'(Beats - 1) : reads_q - 1'b1;

    always_ff @(posedge clk_i) begin
      param_next_q <= param_address +
          (32'(reads_after) % PixelBeats == 0 ? 16'(1 - PixelBeats) : 16'd1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) reads_q <= '0;
    else if (tile_q[SumLatency-2]) reads_q <= (BeatBits + 1)'(Beats - 1);
    else if (reads_q != '0) reads_q <= reads_q - 1'b1;
    if (parameter_we_i) begin
      piece_q <= data_i;
      piece_before_q <= piece_q;
    end
  end

  for (genvar r = 0; r < ((LoadParams != 0) ? 0 : Results); r++) begin : gen_params
    weight_bank #(.Width(ParamWidth), .Depth(ParamDepth), .ReadLatency(2), .Block(ParamBlock)) u_words (
      .clk_i,
      .we_i(parameter_we_i && 32'(piece_i) == 3 * r + 2 && 32'(word_i) < ParamDepth),
      .waddr_i(ParamBits'(word_i)),
      .wdata_i(param_word),
      .re_i(param_read),
      .raddr_i(ParamBits'(param_address)),
      .rdata_o(params[ParamWidth*r +: ParamWidth])
    );
  end

  if (LoadParams != 0) begin : gen_by_tile
    localparam int Words = ParamDepth * Results;
    localparam int AddressBits = $clog2(Words);
    localparam int PlaceBits = $clog2(Outputs);
    localparam int ResultBits = $clog2(Results);

    // One of them a cycle, and two cycles later into its bank.
    logic [AddressBits-1:0] address, next_q;
    logic [PlaceBits-1:0]   left_q, place_q;  // place: {beat, result}
    logic                   read, read_q, there_q, written, take;
    logic [31:0]            result;
    logic [ParamWidth-1:0]  loaded;
    logic [BeatBits:0]      takes_q;
    logic [BeatBits-1:0]    beat, beat_q;

    assign read = load_i || left_q != '0;
    assign address = load_i ? AddressBits'(32'(parameter_i) << ResultBits) : next_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        {left_q, place_q} <= '0;
        {there_q, read_q} <= '0;
      end else begin
        if (load_i) left_q <= PlaceBits'(Outputs - 1);
        else if (left_q != '0) left_q <= left_q - 1'b1;
        if (there_q) place_q <= place_q + 1'b1;
        {there_q, read_q} <= {read_q, read};
      end
      next_q <= address + 1'b1;
    end

    always_comb begin
      written = 1'b0;
      result = '0;
      for (int r = 0; r < Results; r++)
        if (32'(piece_i) == 3 * r + 2) begin
          written = 1'b1;
          result = 32'(r);
        end
    end

    weight_bank #(.Width(ParamWidth), .Depth(Words), .ReadLatency(2), .Block(ParamBlock)) u_words (
      .clk_i,
      .we_i(parameter_we_i && written && 32'(word_i) < ParamDepth),
      .waddr_i(AddressBits'(32'(word_i) << ResultBits | result)),
      .wdata_i(param_word),
      .re_i(read),
      .raddr_i(address),
      .rdata_o(loaded)
    );

    // A beat's, each time that a pixel has it.
    assign take = tile_q[SumLatency-1] || takes_q != '0;
    assign beat = tile_q[SumLatency-1] ? '0 : beat_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) takes_q <= '0;
      else if (tile_q[SumLatency-1]) takes_q <= (BeatBits + 1)'(Beats - 1);
      else if (takes_q != '0) takes_q <= takes_q - 1'b1;
      beat_q <= beat + 1'b1;
    end

    for (genvar r = 0; r < Results; r++) begin : gen_bank
      weight_bank #(.Width(ParamWidth), .Depth(Beats), .ReadLatency(1), .Block(0)) u_beats (
        .clk_i,
        .we_i(there_q && 32'(place_q) % Results == r),
        .waddr_i(BeatBits'(32'(place_q) / Results)),
        .wdata_i(loaded),
        .re_i(take),
        .raddr_i(beat),
        .rdata_o(params[ParamWidth*r +: ParamWidth])
      );
    end
  end else begin : gen_by_beat
    logic unused_load;
    assign unused_load = load_i;
  end

  // Sums, Results per cycle, with their bias.
  logic [AccBits*Outputs*Pixels-1:0] sums_q;
  logic [AccBits*Results-1:0]  sums;
  logic [BeatBits:0]           sums_left_q;
  logic                        sums_beat, scale_q;
  logic [SumBits*Results-1:0]  biased, biased_q;
  logic [ParamWidth*Results-1:0] params_q;

  assign sums = sums_valid_i ? sums_i[AccBits*Results-1:0] : sums_q[AccBits*Results-1:0];
  assign sums_beat = sums_valid_i || sums_left_q != '0;

  always_ff @(posedge clk_i) begin
    sums_q <= (sums_valid_i ? sums_i : sums_q) >> (AccBits * Results);
    biased_q <= biased;
    params_q <= params;
    scale_q <= rst_ni && sums_beat;
    if (!rst_ni) sums_left_q <= '0;
    else if (sums_valid_i) sums_left_q <= (BeatBits + 1)'(Beats - 1);
    else if (sums_left_q != '0) sums_left_q <= sums_left_q - 1'b1;
  end

  // And with the total of their pixel.
  logic [AccBits-1:0] total;
  logic [2:0]         reference_shift;

  if (ReferenceBits > 0) begin : gen_totals
    logic [AccBits*Pixels-1:0] totals, totals_q;
    logic [2:0]                late_shift, shift_q;
    logic [BeatBits:0]         left;

    delay_line #(.Width(3), .Cycles(SumLatency)) u_shift (
      .clk_i, .data_i(reference_shift_i), .data_o(late_shift)
    );
    assign totals = sums_valid_i ? totals_i : totals_q;
    assign left = sums_valid_i ? (BeatBits + 1)'(Beats - 1) : sums_left_q - 1'b1;
    assign total = totals[AccBits-1:0];
    assign reference_shift = sums_valid_i ? late_shift : shift_q;

    always_ff @(posedge clk_i) begin
      totals_q <= 32'(left) % PixelBeats == 0 ? totals >> AccBits : totals;
      shift_q <= reference_shift;
    end
  end else begin : gen_no_totals
    logic unused_totals;
    assign unused_totals = ^{totals_i, reference_shift_i};
    assign {total, reference_shift} = '0;
  end

  // What all results of a layer have.
  logic [4:0]  scale_layer, add_layer;
  logic [31:0] scale_word;

  delay_line #(.Width(5), .Cycles(SumLatency)) u_scale_layer (
    .clk_i, .data_i(layer_i), .data_o(scale_layer)
  );
  weight_bank #(.Width(32), .Depth(Layers), .ReadLatency(1), .Block(0)) u_scale_words (
    .clk_i,
    .we_i(layer_we_i && piece_i == 12'd8 && 32'(word_i) < Layers),
    .waddr_i(LayerBits'(word_i)),
    .wdata_i(data_i),
    .re_i(tile_q[SumLatency]),
    .raddr_i(LayerBits'(scale_layer)),
    .rdata_o(scale_word)
  );

  // What counts thresholds: where they are for the sums of v + 1 on, and the layer's low bound for their results,
  // which come in v + 18, if it counts; or if it has bytes of them.
  logic [ParamBits-1:0] threshold_address;
  logic [7:0]           count_low;
  logic                 counts, has_bytes, direct;  // this one in v + 8

  if (ThresholdBits > 0 || WideSums > 0) begin : gen_thresholds
    logic [2:0] first;

    delay_line #(.Width(ParamBits), .Cycles(3)) u_address (
      .clk_i, .data_i(ParamBits'(param_address)), .data_o(threshold_address)
    );
    weight_bank #(.Width(3), .Depth(Layers), .ReadLatency(1), .Block(0)) u_counts (
      .clk_i,
      .we_i(layer_we_i && piece_i == 12'd12 && 32'(word_i) < Layers),
      .waddr_i(LayerBits'(word_i)),
      .wdata_i(data_i[13:11]),
      .re_i(tile_q[SumLatency]),
      .raddr_i(LayerBits'(scale_layer)),
      .rdata_o(first)
    );
    delay_line #(.Width(2), .Cycles(CountLatency)) u_late_counts (
      .clk_i, .data_i(first[1:0]), .data_o({has_bytes, counts})
    );
    delay_line #(.Width(1), .Cycles(ScalerLatency)) u_direct (
      .clk_i, .data_i(first[2]), .data_o(direct)
    );
    delay_line #(.Width(8), .Cycles(CountLatency - 1)) u_low (
      .clk_i, .data_i(scale_word[15:8]), .data_o(count_low)
    );
  end else begin : gen_no_thresholds
    assign {threshold_address, count_low, counts, has_bytes, direct} = '0;
  end

  // What is added, and how.
  logic [8*Results-1:0]  scaled, added, outcome;
  logic [Results-1:0]    scaled_valid, added_valid;
  logic [31:0]           add_word, add_multiplier, add_page;
  logic                  adds, adds_q;
  logic [15:0]           skip_read;
  logic [8*Outputs*Pixels-1:0] skip_word;
  logic [8*Results-1:0]  skip;
  logic [BeatBits-1:0]   add_beat_q;

  if (Pages > 0) begin : gen_add
    delay_line #(.Width(6), .Cycles(AddInput - 1)) u_add_layer (
      .clk_i, .data_i({add_i, layer_i}), .data_o({adds, add_layer})
    );
    for (genvar w = (Lookup != 0) ? 2 : 0; w < 3; w++) begin : gen_words
      logic [31:0] word;
      weight_bank #(.Width(32), .Depth(Layers), .ReadLatency(1), .Block(0)) u_words (
        .clk_i,
        .we_i(layer_we_i && piece_i == 12'(9 + w) && 32'(word_i) < Layers),
        .waddr_i(LayerBits'(word_i)),
        .wdata_i(data_i),
        .re_i(tile_q[AddInput-1]),
        .raddr_i(LayerBits'(add_layer)),
        .rdata_o(word)
      );
    end
    if (Lookup != 0) begin : gen_lookup
      assign {add_word, add_multiplier} = '0;
    end else begin : gen_sum
      assign add_word = gen_words[0].word;
      assign add_multiplier = gen_words[1].word;
    end
    assign add_page = gen_words[2].word;

    delay_line #(.Width(16), .Cycles(AddInput - 2)) u_skip_read (
      .clk_i, .data_i(skip_read_i), .data_o(skip_read)
    );
    logic [KeptBits*Outputs*Pixels-1:0] kept, skip_kept;

    for (genvar i = 0; i < Outputs * Pixels; i++) begin : gen_kept
      assign kept[KeptBits*i +: KeptBits] = skip_word_o[8*i +: KeptBits];
      assign skip_word[8*i +: 8] = 8'($signed(skip_kept[KeptBits*i +: KeptBits]));
    end
    weight_bank #(
      .Width(KeptBits * Outputs * Pixels),
      .Depth(SkipDepth),
      .ReadLatency(2),
      .Block(SkipBlock)
    ) u_skip (
      .clk_i,
      .we_i(skip_valid_o && 32'(skip_address_o) < SkipDepth),
      .waddr_i(SkipBits'(skip_address_o)),
      .wdata_i(kept),
      .re_i(tile_q[AddInput-2]),
      .raddr_i(SkipBits'(skip_read)),
      .rdata_o(skip_kept)
    );
    assign skip = skip_word[8*Results*32'(add_beat_q) +: 8*Results];

    always_ff @(posedge clk_i) begin
      if (tile_q[AddInput-1]) begin
        adds_q <= adds;
        add_beat_q <= '0;
      end else begin
        add_beat_q <= add_beat_q + BeatBits'(32'(add_beat_q) != Beats - 1);
      end
    end
  end else begin : gen_no_add
    assign {add_word, add_multiplier, add_page} = '0;
    assign {adds, adds_q, skip_read, skip_word, skip, add_layer, add_beat_q} = '0;

    logic unused_add;
    assign unused_add = ^{add_i, skip_read_i, adds, adds_q, skip, add_beat_q};
  end

  for (genvar r = 0; r < Results; r++) begin : gen_result
    localparam int ExactBits = (ReferenceBits > 0) ? 35 : 33;
    logic signed [ExactBits-1:0] sum;
    logic [31:0]                 bias;
    logic [FactorKept-1:0]       factor;

    assign bias = 32'($signed(params[ParamWidth*r +: BiasBits]));

    if (ReferenceBits > 0) begin : gen_reference
      // r * total by two bits of r at a time, -2 to 1 and the carry of those below: a row of carries each, and
      // no product, which would be a DSP.
      localparam int Digits = (ReferenceBits + 1) / 2;
      logic [2*Digits:0]             reference;  // behind a 0
      logic signed [ExactBits-1:0]   shifted, wide_total;

      assign reference = {(2 * Digits)'($signed(params[ParamWidth*r+BiasBits+6+FactorBits +: ReferenceBits])), 1'b0};
      assign shifted = ExactBits'($signed(sums[AccBits*r +: AccBits])) <<< reference_shift;
      assign wide_total = ExactBits'($signed(total));

      for (genvar d = 0; d < Digits; d++) begin : gen_digit
        logic                 one, two, minus, unused_bit;
        logic [ExactBits-1:0] term, below, so_far;

        assign minus = reference[2*d+2];
        assign one = reference[2*d+1] != reference[2*d];
        assign two = reference[2*d+2] != reference[2*d+1] && !one;
        assign term = (one ? wide_total : two ? wide_total << 1 : '0) << (2 * d);
        if (d == 0) begin : gen_first
          assign below = shifted + ExactBits'($signed(bias));
        end else begin : gen_next
          assign below = gen_digit[d-1].so_far;
        end
        assign {so_far, unused_bit} = {below, minus} - {term ^ {ExactBits{!minus}}, 1'b1};
      end
      assign sum = gen_digit[Digits-1].so_far;
    end else begin : gen_no_reference
      assign sum = 33'($signed(sums[AccBits*r +: AccBits])) + 33'($signed(bias));
    end

    // In range if all bits from the sign on are equal.
    assign biased[SumBits*r +: SumBits] =
        sum[ExactBits-1:SumBits-1] == {ExactBits + 1 - SumBits{sum[ExactBits-1]}} ? sum[SumBits-1:0] :
        {sum[ExactBits-1], {SumBits-1{!sum[ExactBits-1]}}};

    if (ScaleMultiply != 0) begin : gen_factor
      assign factor = params_q[ParamWidth*r+BiasBits +: FactorBits];
    end else begin : gen_no_factor
      assign factor = '0;
    end

    scaler #(.SumBits(SumBits), .Multiply(ScaleMultiply), .FactorBits(FactorKept)) u_scaler (
      .clk_i,
      .rst_ni,
      .valid_i(scale_q),
      .v_i(biased_q[SumBits*r +: SumBits]),
      .m_i(factor),
      .shift_i(params_q[ParamWidth*r+BiasBits+FactorBits +: 6]),
      .rule_i(scale_word[25:24]),
      .zero_i(scale_word[7:0]),
      .low_i(scale_word[15:8]),
      .high_i(scale_word[23:16]),
      .valid_o(scaled_valid[r]),
      .y_o(scaled[8*r +: 8])
    );

    if (Pages > 0) begin : gen_add_lane
      logic [SumBits-1:0] late_sum;

      if (WideSums > 0) begin : gen_wide
        delay_line #(.Width(SumBits), .Cycles(ScalerLatency)) u_late_sum (
          .clk_i, .data_i(biased_q[SumBits*r +: SumBits]), .data_o(late_sum)
        );
      end else begin : gen_narrow
        assign late_sum = '0;
      end

      residual_add #(
        .Pages(Pages),
        .Multiply(ScaleMultiply),
        .LookupBits((Lookup != 0) ? KeptBits : 0),
        .Direct((Lookup != 0) ? 0 : WideSums)
      ) u_add (
        .clk_i,
        .rst_ni,
        .table_we_i,
        .table_address_i(word_i[12:0]),
        .table_data_i(data_i),
        .valid_i(scaled_valid[r]),
        .y_i(scaled[8*r +: 8]),
        .skip_i(skip[8*r +: 8]),
        .add_i(adds_q),
        .direct_i(direct),
        .sum_i(32'($signed(late_sum))),
        .page_i(add_page[3:0]),
        .m_i(add_multiplier[30:0]),
        .shift_i(add_word[31:26]),
        .rule_i(add_word[25:24]),
        .zero_i(add_word[7:0]),
        .low_i(add_word[15:8]),
        .high_i(add_word[23:16]),
        .valid_o(added_valid[r]),
        .y_o(added[8*r +: 8])
      );
    end else begin : gen_bypass
      delay_line #(.Width(8), .Cycles(AddLatency)) u_added (
        .clk_i, .data_i(scaled[8*r +: 8]), .data_o(added[8*r +: 8])
      );
      assign added_valid[r] = 1'b0;
    end

    logic [7:0] counted_y, sum_byte;

    if (WideSums > 0) begin : gen_byte
      logic [15:0] wide;

      assign wide = 16'($signed(biased_q[SumBits*r +: SumBits]));
      delay_line #(.Width(8), .Cycles(CountLatency)) u_byte (
        .clk_i,
        .data_i(params_q[ParamWidth*r+BiasBits+FactorBits+3] ? wide[15:8] : wide[7:0]),
        .data_o(sum_byte)
      );
    end else begin : gen_no_byte
      assign sum_byte = '0;
    end
    assign outcome[8*r +: 8] = WideSums > 0 && has_bytes ? sum_byte : counted_y;

    if (ThresholdBits > 0) begin : gen_count
      logic                     counted, unused_counted;
      logic [ThresholdBits-1:0] count, late_count;
      logic [7:0]               y_q;

      threshold_search #(
        .Bits(ThresholdBits),
        .SumBits(SumBits),
        .Depth(ParamDepth),
        .Block(ParamBlock)
      ) u_search (
        .clk_i,
        .rst_ni,
        .we_i(threshold_we_i && 32'(piece_i) == r && 32'(word_i[15:4]) < ParamDepth &&
              (32'(word_i[3:0]) >> ThresholdBits) == 0),
        .word_i(ParamBits'(word_i[15:4])),
        .index_i(word_i[ThresholdBits-1:0]),
        .data_i(data_i[SumBits-1:0]),
        .valid_i(scale_q),
        .address_i(threshold_address),
        .v_i(biased_q[SumBits*r +: SumBits]),
        .valid_o(counted),
        .count_o(count)
      );
      delay_line #(.Width(ThresholdBits), .Cycles(CountLatency - 1 - 2 * ThresholdBits)) u_count (
        .clk_i, .data_i(count), .data_o(late_count)
      );
      always_ff @(posedge clk_i) y_q <= count_low + 8'(late_count);
      assign counted_y = counts ? y_q : added[8*r +: 8];
      assign unused_counted = counted;
    end else begin : gen_no_count
      assign counted_y = added[8*r +: 8];
    end
  end

  // A whole tile, and where it goes.
  logic [8*Outputs*Pixels-1:0] tile_word_q;
  logic [8*Channels-1:0] maximum;
  logic                  written, max_pool, to_map, to_stage, to_skip, to_output, ends, is_final;
  logic [5:0]            valid;
  logic [4:0]            part;

  if (Beats > 1) begin : gen_collect
    always_ff @(posedge clk_i) tile_word_q <= {outcome, tile_word_q[8*Outputs*Pixels-1:8*Results]};
  end else begin : gen_whole
    always_ff @(posedge clk_i) tile_word_q <= outcome;
  end

  delay_line #(.Width(8 * Channels), .Cycles(Writeback - PoolLatency)) u_maximum (
    .clk_i, .data_i(maximum_i), .data_o(maximum)
  );
  delay_line #(.Width(53), .Cycles(Writeback)) u_tag (
    .clk_i,
    .data_i({max_pool_i, to_map_i, to_stage_i, to_skip_i, to_output_i, ends_i, final_i, valid_i, bank_i,
             address_i, part_i, skip_write_i}),
    .data_o({max_pool, to_map, to_stage, to_skip, to_output, ends, is_final, valid, map_bank_o,
             map_address_o, part, skip_address_o})
  );

  assign written = written_q[Writeback];
  assign map_valid_o = written && (to_map || to_stage);
  assign map_to_map_o = to_map;
  assign map_to_stage_o = to_stage;
  assign skip_valid_o = written && to_skip;
  assign push_o = written && to_output;
  assign push_final_o = is_final;
  assign push_valid_o = valid;
  assign push_word_o = tile_word_q[8*Outputs-1:0];
  assign step_done_o = written && ends;

  // Of a code, if there are several.
  logic [1:0] width;

  if (Widths == 1 || Widths == 2 || Widths == 4 || Widths == 8) begin : gen_one_width
    logic unused_width;
    assign unused_width = ^width_i;
    assign width = 2'($clog2(Widths));
  end else begin : gen_widths
    delay_line #(.Width(2), .Cycles(Writeback)) u_width (.clk_i, .data_i(width_i), .data_o(width));
  end

  logic [Pixels-1:0] taken;  // pixels that are results

  if (Pixels == 1) begin : gen_one_pixel
    logic unused_wide;
    assign unused_wide = wide_i;
    assign taken = 1'b1;
  end else begin : gen_more_pixels
    logic wide;
    delay_line #(.Width(1), .Cycles(Writeback)) u_wide (.clk_i, .data_i(wide_i), .data_o(wide));
    assign taken = wide ? '1 : Pixels'(1);
  end

  for (genvar m = 0; m < Pixels; m++) begin : gen_pixel
    logic [8*Outputs-1:0]  tile;
    logic [8*Channels-1:0] word;
    logic [32*Channels-1:0] words;  // by code

    assign tile = taken[m] ? tile_word_q[8*Outputs*m +: 8*Outputs] : tile_word_q[8*Outputs-1:0];

    for (genvar c = 0; c < 4; c++) begin : gen_word
      localparam int Bits = 8 >> c;
      if (Widths[c] && Outputs * Bits <= 8 * Channels) begin : gen_written
        logic [Outputs*Bits-1:0] fields;
        for (genvar i = 0; i < Outputs; i++) begin : gen_field
          assign fields[Bits*i +: Bits] = tile[8*i +: Bits];
        end
        assign words[8*Channels*c +: 8*Channels] = {8 * Channels / (Outputs * Bits){fields}};
      end else begin : gen_never
        assign words[8*Channels*c +: 8*Channels] = '0;
      end
    end

    always_comb begin
      word = words[8*Channels-1:0];
      for (int c = 1; c < 4; c++)
        if (Widths[c] && 32'(width) == c) word = words[8*Channels*c +: 8*Channels];
    end

    assign map_word_o[8*Channels*m +: 8*Channels] = max_pool ? maximum : word;
    assign skip_word_o[8*Outputs*m +: 8*Outputs] = taken[m] ? tile : '0;
  end

  if (Columns == 1) begin : gen_one_column
    logic unused_columns;
    assign unused_columns = columns_i;
    assign map_columns_o = 1'b1;
  end else begin : gen_more_columns
    delay_line #(.Width(Columns), .Cycles(Writeback)) u_columns (
      .clk_i, .data_i(columns_i), .data_o(map_columns_o)
    );
  end

  for (genvar p = 0; p < Pieces; p++) begin : gen_piece
    logic [3:0] mine;  // by code
    for (genvar c = 0; c < 4; c++) begin : gen_code
      if (Widths[c]) begin : gen_width
        assign mine[c] = part == 5'(p * PieceBits / (Outputs * (8 >> c)));
      end else begin : gen_never
        assign mine[c] = 1'b0;
      end
    end
    assign map_parts_o[p] = max_pool || mine[width];
  end

  logic unused;
  assign unused = ^{word_i, piece_i, param_read, param_address, scale_word, scale_layer, add_layer, add_multiplier, add_page, add_word,
                    scaled_valid, added_valid, table_we_i, params_q, params, data_i, piece_q, piece_before_q, skip_word, skip_read, total, reference_shift,
                    has_bytes, threshold_we_i, threshold_address, count_low, counts, direct};

endmodule

`default_nettype wire
