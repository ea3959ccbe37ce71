// Multiplies a matrix X by columns: Lanes multiply-accumulators, each with some of X's rows in a bank of
// its own. Row r lies in lane r modulo Lanes; its word for column k is where the error beat of k then
// reads. A beat brings one entry of a column to all lanes, from the first to the last of a sum; what
// then stands in lanes 0 to rows_i - 1 leaves, one sum a cycle, from the fourth cycle after the last
// beat on. One beat a cycle; from a last beat to the next one there are at least rows_i cycles. end_i
// of a last beat is end_o of its last sum.

`default_nettype none

module noisy_lanes #(
  /// Lanes, 1 to MaxWidth.
  parameter int Lanes = 8,
  /// Most entries of a column, 2 to 64.
  parameter int MaxWidth = 56,
  /// Bits of X's entries and of a column's.
  parameter int DataBits = 16,
  parameter int ErrorBits = 24,
  localparam int Depth = MaxWidth * ((MaxWidth + Lanes - 1) / Lanes),
  localparam int AddrBits = $clog2(Depth),
  localparam int LaneBits = (Lanes > 1) ? $clog2(Lanes) : 1,
  localparam int RowBits = $clog2(Lanes + 1),
  localparam int SumBits = DataBits + ErrorBits - 1 + $clog2(MaxWidth)
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // X
  input  logic                        we_i,
  input  logic [LaneBits-1:0]         lane_i,
  input  logic [AddrBits-1:0]         waddr_i,
  input  logic [DataBits-1:0]         wdata_i,
  // Columns
  input  logic                        valid_i,
  input  logic signed [ErrorBits-1:0] error_i,
  input  logic [AddrBits-1:0]         raddr_i,
  input  logic                        first_i,
  input  logic                        last_i,
  input  logic [RowBits-1:0]          rows_i,
  input  logic                        end_i,
  // Sums
  output logic                        sum_valid_o,
  output logic signed [SumBits-1:0]   sum_o,
  output logic                        end_o
);

  if (MaxWidth < 2 || MaxWidth > 64) begin : gen_bad_max_width
    max_width_must_be_2_to_64 u_error ();
  end
  if (Lanes < 1 || Lanes > MaxWidth) begin : gen_bad_lanes
    lanes_must_be_1_to_max_width u_error ();
  end

  // The word and the error are there one cycle after the beat, the product two, the sum three.
  logic signed [ErrorBits-1:0] error_q;
  logic [2:0]                  last_q;
  logic                        first1_q, first2_q, valid1_q, valid2_q;
  logic [3*RowBits-1:0]        rows_q;
  logic [2:0]                  ends_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) last_q <= '0;
    else last_q <= {last_q[1:0], valid_i && last_i};
    error_q <= error_i;
    {first2_q, first1_q} <= {first1_q, first_i};
    {valid2_q, valid1_q} <= {valid1_q, valid_i};
    rows_q <= {rows_q[2*RowBits-1:0], rows_i};
    ends_q <= {ends_q[1:0], end_i};
  end

  logic [Lanes*SumBits-1:0] sums, drain_q;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic                                 we;
    logic [DataBits-1:0]                  word;
    logic signed [DataBits+ErrorBits-1:0] product_q;
    logic signed [SumBits-1:0]            sum_q;

    assign we = we_i && lane_i == LaneBits'(l);

    weight_bank #(.Width(DataBits), .Depth(Depth), .Block(Depth > 64 ? 1 : 0)) u_bank (
      .clk_i,
      .we_i(we),
      .waddr_i,
      .wdata_i,
      .re_i(valid_i),
      .raddr_i,
      .rdata_o(word)
    );

    always_ff @(posedge clk_i) begin
      product_q <= error_q * $signed(word);
      if (valid2_q) sum_q <= SumBits'(product_q) + (first2_q ? '0 : sum_q);
    end
    assign sums[l*SumBits +: SumBits] = sum_q;
  end

  // Out, from lane 0 on.
  logic [RowBits-1:0] left_q;
  logic               end_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) left_q <= '0;
    else if (last_q[2]) left_q <= rows_q[2*RowBits +: RowBits];
    else if (left_q != '0) left_q <= left_q - 1'b1;
    if (last_q[2]) begin
      drain_q <= sums;
      end_q <= ends_q[2];
    end else begin
      drain_q <= drain_q >> SumBits;
    end
  end

  assign sum_valid_o = left_q != '0;
  assign sum_o = $signed(drain_q[SumBits-1:0]);
  assign end_o = end_q && left_q == RowBits'(1);

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && valid_i && last_i) assert (rows_i != '0) else $error("no sum is asked for");
    if (rst_ni && last_q[2])
      assert (32'(left_q) <= 1) else $error("sums come before those of the last group have left");
  end
`endif

endmodule

`default_nettype wire
