// Maps in memory: Banks RAMs of Depth words of Channels bytes. One window of Banks words and one write
// per cycle, whatever the addresses. Lane j of a window reads bank (bank_i + j) mod Banks at the
// lane's address, or, padded, is zero_i in every byte. The window read in cycle c is on window_o in
// cycle c + 4; where no read was it is 0. The RAM is read in c + 1: a read finds what was written in its
// own cycle and before. A write is of any parts, PartBits each, of a word. A write at Depth or
// beyond is ignored and a read there gives 0. A reset drops reads on their way; the words stay.

`default_nettype none

module line_buffer #(
  /// S, bytes of a word: a power of two, 4 to 32.
  parameter int Channels = 16,
  /// T, banks: 1 to 7.
  parameter int Banks = 3,
  /// Bits of a part of a word: divides the word's, which has 32 parts at most.
  parameter int PartBits = 64,
  /// Words of a bank, 2 to 65536.
  parameter int Depth = 1024,
  /// 1: block RAM where there are more than 64 words, 0: LUT-RAM.
  parameter int Block = 1,
  /// Bits of a word that are kept, its top ones, if it is written as a whole; others read as 0.
  parameter int Kept = 8 * Channels,
  localparam int Parts = 8 * Channels / PartBits,
  localparam int BankBits = (Banks > 1) ? $clog2(Banks) : 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // Read: lane 0's bank, each lane's address
  input  logic                        valid_i,
  input  logic [BankBits-1:0]         bank_i,
  input  logic [Banks*16-1:0]         address_i,
  input  logic [Banks-1:0]            pad_i,
  input  logic [7:0]                  zero_i,
  output logic [Banks*Channels*8-1:0] window_o,
  // Write: a word's parts
  input  logic [Parts-1:0]            we_i,
  input  logic [BankBits-1:0]         wbank_i,
  input  logic [15:0]                 waddress_i,
  input  logic [Channels*8-1:0]       wdata_i
);

  if (Channels < 4 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_4_to_32 u_error ();
  end
  if (Banks < 1 || Banks > 7) begin : gen_bad_banks
    banks_must_be_1_to_7 u_error ();
  end
  if (PartBits < 1 || 8 * Channels % PartBits != 0 || 8 * Channels / PartBits > 32) begin : gen_bad_part_bits
    part_bits_must_divide_a_word_into_32_parts_at_most u_error ();
  end
  if (Depth < 2 || Depth > 65536) begin : gen_bad_depth
    depth_must_be_2_to_65536 u_error ();
  end

  if (Kept < 1 || Kept > 8 * Channels || (Kept < 8 * Channels && Parts != 1)) begin : gen_bad_kept
    kept_bits_must_be_1_to_all_of_a_word_of_one_part u_error ();
  end

  localparam int AddrBits = $clog2(Depth);
  localparam int WordBits = Channels * 8;
  localparam int KeptBits = (Kept < WordBits) ? Kept : PartBits;  // of a part
  localparam int SourceBits = $clog2(Banks + 1);

  // With the addresses, with what is read; zero_i also with the words.
  logic [1:0]            valid_q;
  logic [2*BankBits-1:0] bank_q;
  logic [2*Banks-1:0]    pad_q, beyond_q;
  logic [23:0]           zero_q;
  logic [Banks-1:0]      beyond;
  logic                  write_in_range;

  if (AddrBits < 16) begin : gen_small
    // What no address of a bank can say; the banks know the rest.
    for (genvar j = 0; j < Banks; j++) begin : gen_lane
      assign beyond[j] = address_i[16*j+AddrBits +: 16-AddrBits] != '0;
    end
    assign write_in_range = waddress_i[15:AddrBits] == '0;
  end else begin : gen_full
    assign beyond = '0;
    assign write_in_range = 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[0], valid_i};
    bank_q <= {bank_q[BankBits-1:0], bank_i};
    pad_q <= {pad_q[Banks-1:0], pad_i};
    beyond_q <= {beyond_q[Banks-1:0], beyond};
    zero_q <= {zero_q[15:0], zero_i};
  end

  logic [Banks*WordBits-1:0] words;

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    // The lane that reads this bank, of those whose bank_i it can be.
    logic [AddrBits-1:0] address, address_q;
    logic                we;

    always_comb begin
      address = '0;
      for (int j = 0; j < Banks; j++)
        if (32'(bank_i) == (b + Banks - j) % Banks) address = address_i[16*j +: AddrBits];
    end

    always_ff @(posedge clk_i) address_q <= address;

    assign we = write_in_range && 32'(wbank_i) == b;

    for (genvar p = 0; p < Parts; p++) begin : gen_part
      weight_bank #(
        .Width(KeptBits),
        .Depth(Depth),
        .ReadLatency(2),
        .Block((Block != 0 && Depth > 64) ? 1 : 0)
      ) u_words (
        .clk_i,
        .we_i(we && we_i[p]),
        .waddr_i(waddress_i[AddrBits-1:0]),
        .wdata_i(wdata_i[(p+1)*PartBits-1 -: KeptBits]),
        .re_i(valid_q[0]),
        .raddr_i(address_q),
        .rdata_o(words[b*WordBits + (p+1)*PartBits-1 -: KeptBits])
      );
    end
  end

  if (Kept < WordBits) begin : gen_not_kept
    logic unused_bits;
    assign unused_bits = ^wdata_i[WordBits-Kept-1:0];
    for (genvar b = 0; b < Banks; b++) begin : gen_zeros
      assign words[b*WordBits +: WordBits-Kept] = '0;
    end
  end

  // The words back in the order of lanes, each out of a table of a power of two: banks, zeros, nothing.
  logic [WordBits*2**SourceBits-1:0] sources;
  logic [BankBits-1:0]               bank;
  logic [7:0]                        zero;

  assign bank = bank_q[BankBits +: BankBits];
  assign zero = zero_q[23:16];
  assign sources = (WordBits * 2 ** SourceBits)'({{Channels{zero}}, words});

  for (genvar j = 0; j < Banks; j++) begin : gen_lane
    logic [SourceBits-1:0] source, source_q;
    logic [WordBits-1:0]   word_q;
    logic                  padded, none_q;

    assign padded = pad_q[Banks+j];

    always_comb begin
      source = SourceBits'(Banks);
      for (int b = 0; b < Banks; b++)
        if (!padded && 32'(bank) == (b + Banks - j) % Banks) source = SourceBits'(b);
    end

    always_ff @(posedge clk_i) begin
      source_q <= source;
      none_q <= !rst_ni || !valid_q[1] || (beyond_q[Banks+j] && !padded);
      if (!rst_ni || none_q) word_q <= '0;
      else word_q <= sources[{source_q, {$clog2(WordBits){1'b0}}} +: WordBits];
    end
    assign window_o[j*WordBits +: WordBits] = word_q;
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && valid_i) assert (32'(bank_i) < Banks) else $error("a read begins at no bank");
    if (rst_ni && we_i != '0) assert (32'(wbank_i) < Banks) else $error("a write is to no bank");
  end
`endif

endmodule

`default_nettype wire
