// Adds a skip to a layer's values, one a cycle, each beat at the output exactly ten cycles after its
// input beat. With add_i y_o = scaler(A[page][y] + B[page][skip]): both values, of scales of their own,
// are looked up by their eight bits as 32-bit numbers of one scale, and what they add up to, held in 32
// bits, becomes a value by `scaler` with the factor, rule, zero point and bounds of the beat. Without
// add_i y_o = y_i. A page that is not there reads as 0.
//
// With Direct a beat with direct_i has sum_i in the place of A[page][y].
//
// With LookupBits the table says what comes of both, without a scaler: y_o = L[page][skip[3:0] + 16 * y[3:0]],
// of LookupBits bits and their sign. It is LUT-RAM of one port.
//
// The tables' address is {B, page, index}, of L B is 0; a write to what is not there does nothing, and a beat
// in the cycle of a write still finds what was there before, in L what was where is written. The tables begin
// as zeros, and a reset leaves them.

`default_nettype none

module residual_add #(
  /// Pages of each table, 0 to 16; 0: there are no tables, and every value passes.
  parameter int Pages = 1,
  /// 0: the scaler shifts alone.
  parameter int Multiply = 1,
  /// Bits of a value in the table of what comes of 4 bits of both: 1 to 8; 0: sums.
  parameter int LookupBits = 0,
  /// 1: there may be a sum instead of a value, 0: those pins do nothing.
  parameter int Direct = 0
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  // Tables
  input  logic               table_we_i,
  input  logic [12:0]        table_address_i,
  input  logic [31:0]        table_data_i,
  // Values
  input  logic               valid_i,
  input  logic signed [7:0]  y_i,
  input  logic signed [7:0]  skip_i,
  input  logic               add_i,
  input  logic               direct_i,
  input  logic signed [31:0] sum_i,
  input  logic [3:0]         page_i,
  input  logic [30:0]        m_i,
  input  logic [5:0]         shift_i,
  input  logic [1:0]         rule_i,
  input  logic signed [7:0]  zero_i,
  input  logic signed [7:0]  low_i,
  input  logic signed [7:0]  high_i,
  // Results
  output logic               valid_o,
  output logic signed [7:0]  y_o
);

  localparam int Latency = 10;
  localparam int ScaledLatency = 7;
  localparam int Lookup = Latency - ScaledLatency;  // two cycles for the tables, one for the sum

  if (Pages < 0 || Pages > 16) begin : gen_bad_pages
    pages_must_be_0_to_16 u_error ();
  end
  if (LookupBits < 0 || LookupBits > 8) begin : gen_bad_lookup_bits
    lookup_bits_must_be_0_to_8 u_error ();
  end

  // A value that passes.
  logic [Latency*8-1:0] values_q, values;

  always_ff @(posedge clk_i) values_q <= values;

  if (Pages == 0 || LookupBits == 0) begin : gen_values
    assign values = {values_q[(Latency-1)*8-1:0], y_i};
  end

  if (Pages == 0) begin : gen_no_tables
    logic [Latency-1:0] valid_q;
    logic               unused_inputs;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q <= '0;
      else valid_q <= {valid_q[Latency-2:0], valid_i};
    end

    assign valid_o = valid_q[Latency-1];
    assign y_o = values_q[(Latency-1)*8 +: 8];
    assign unused_inputs = ^{table_we_i, table_address_i, table_data_i, skip_i, add_i, page_i, m_i, shift_i,
                             rule_i, zero_i, low_i, high_i, direct_i, sum_i};
  end else if (LookupBits > 0) begin : gen_lookup
    // What is found in two cycles takes the value's place.
    localparam int Words = 256 * Pages;
    localparam int AddrBits = $clog2(Words);
    logic [Latency-1:0]    valid_q;
    logic [LookupBits-1:0] found;
    logic [1:0]            adds_q;
    logic                  unused_inputs;

    // A table that is read with the address that it is written with takes half the LUTs.
    (* ram_style = "distributed" *)
    logic [LookupBits-1:0] memory_q [Words];
    logic [LookupBits-1:0] word_q;
    logic [AddrBits-1:0]   address;
    logic [1:0]            there_q;
    logic                  write;

`ifndef YOSYS
    initial for (int i = 0; i < Words; i++) memory_q[i] = '0;
`endif

    assign write = table_we_i && !table_address_i[12] && 32'(table_address_i[11:8]) < Pages;
    assign address = write ? AddrBits'(table_address_i[11:0]) : AddrBits'({page_i, y_i[3:0], skip_i[3:0]});

    always_ff @(posedge clk_i) begin
      if (write) memory_q[address] <= table_data_i[LookupBits-1:0];
      word_q <= memory_q[address];
      found <= word_q;
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q <= '0;
      else valid_q <= {valid_q[Latency-2:0], valid_i};
      adds_q <= {adds_q[0], add_i};
      there_q <= {there_q[0], 32'(page_i) < Pages};
    end

    assign values[0 +: 16] = {values_q[0 +: 8], y_i};
    assign values[16 +: 8] = !adds_q[1] ? values_q[8 +: 8] : there_q[1] ? 8'($signed(found)) : '0;
    assign values[Latency*8-1:24] = values_q[(Latency-1)*8-1:16];
    assign valid_o = valid_q[Latency-1];
    assign y_o = values_q[(Latency-1)*8 +: 8];
    assign unused_inputs = ^{table_data_i, skip_i, m_i, shift_i, rule_i, zero_i, low_i, high_i, direct_i, sum_i};
  end else begin : gen_tables
    localparam int Words = 256 * Pages;
    localparam int AddrBits = $clog2(Words);

    // 1 and 2: the tables.
    logic signed [31:0]  a, b;
    logic                write;
    logic [AddrBits-1:0] word_a, word_b;
    logic [1:0]          there_q;

    assign word_a = AddrBits'({page_i, y_i});
    assign word_b = AddrBits'({page_i, skip_i});
    assign write = table_we_i && 32'(table_address_i[11:8]) < Pages;

    weight_bank #(.Width(32), .Depth(Words), .ReadLatency(2)) u_table_a (
      .clk_i,
      .we_i(write && !table_address_i[12]), .waddr_i(AddrBits'(table_address_i[11:0])), .wdata_i(table_data_i),
      .re_i(1'b1), .raddr_i(word_a), .rdata_o(a)
    );
    weight_bank #(.Width(32), .Depth(Words), .ReadLatency(2)) u_table_b (
      .clk_i,
      .we_i(write && table_address_i[12]), .waddr_i(AddrBits'(table_address_i[11:0])), .wdata_i(table_data_i),
      .re_i(1'b1), .raddr_i(word_b), .rdata_o(b)
    );

    // 3: the sum.
    logic signed [32:0] sum;
    logic signed [31:0] of_value, sum_q;

    assign sum = 33'(of_value) + 33'(b);

    if (Direct != 0) begin : gen_direct
      logic [1:0]  direct_q;
      logic [63:0] sums_q;

      always_ff @(posedge clk_i) begin
        direct_q <= {direct_q[0], direct_i};
        sums_q <= {sums_q[31:0], sum_i};
      end
      assign of_value = direct_q[1] ? $signed(sums_q[63:32]) : a;
    end else begin : gen_value
      logic unused_direct;
      assign unused_direct = ^{direct_i, sum_i};
      assign of_value = a;
    end

    always_ff @(posedge clk_i) begin
      there_q <= {there_q[0], 32'(page_i) < Pages};
      if (!there_q[1]) sum_q <= '0;
      else if (sum[32] != sum[31]) sum_q <= {sum[32], {31{!sum[32]}}};
      else sum_q <= sum[31:0];
    end

    // What only travels along, to the scaler and past it.
    localparam int BesideBits = 31 + 6 + 2 + 3 * 8;
    logic [Lookup-1:0]            valid_q;
    logic [Lookup*BesideBits-1:0] beside_q;
    logic [Latency-1:0]           add_q;
    logic [30:0]                  m;
    logic [5:0]                   shift;
    logic [1:0]                   rule;
    logic signed [7:0]            zero, low, high, scaled;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q <= '0;
      else valid_q <= {valid_q[Lookup-2:0], valid_i};
      beside_q <= {beside_q[(Lookup-1)*BesideBits-1:0], m_i, shift_i, rule_i, zero_i, low_i, high_i};
      add_q <= {add_q[Latency-2:0], add_i};
    end

    assign {m, shift, rule, zero, low, high} = beside_q[(Lookup-1)*BesideBits +: BesideBits];

    scaler #(.SumBits(32), .Multiply(Multiply)) u_scaler (
      .clk_i, .rst_ni,
      .valid_i(valid_q[Lookup-1]), .v_i(sum_q), .m_i(m), .shift_i(shift), .rule_i(rule), .zero_i(zero),
      .low_i(low), .high_i(high),
      .valid_o, .y_o(scaled)
    );

    assign y_o = add_q[Latency-1] ? scaled : $signed(values_q[(Latency-1)*8 +: 8]);
  end

endmodule

`default_nettype wire
