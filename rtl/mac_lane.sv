// One neuron's multiply-accumulate, or two neurons' when packed. load_i takes a delta into the
// operand, and x_i belongs to it one cycle later; with add_i a parallel multiplier adds the product
// of the cycle before, and the serial one adds x_i for the operand's next bit.

`default_nettype none

module mac_lane #(
  /// Neurons: 2 for a packed pair, else 1.
  parameter int Count = 1,
  /// Bits of a delta.
  parameter int DeltaBits = 4,
  /// 0 lut, 1 dsp, 2 dsp_packed (with Count 2), 3 serial.
  parameter int Multiplier = 0,
  /// 1: the operand can be the running sum of the deltas.
  parameter int Consecutive = 1,
  /// Bits of the accumulator: OperandBits + 8 and $clog2 of the longest input.
  parameter int AccBits = 28,
  localparam int OperandBits = (Consecutive != 0) ? 8 : DeltaBits,
  localparam int XBits = (Multiplier == 3) ? OperandBits + 8 : 8
) (
  input  logic                        clk_i,
  // Operand: running_i adds the delta to the operand before it
  input  logic                        load_i,
  input  logic                        running_i,
  input  logic [Count*DeltaBits-1:0]  deltas_i,
  // Activation, its multiples that all lut lanes share (3x and -x), and the accumulator's control
  input  logic signed [XBits-1:0]     x_i,
  input  logic signed [9:0]           x_triple_i,
  input  logic signed [8:0]           x_negative_i,
  input  logic                        add_i,
  input  logic                        first_i,
  output logic [Count*AccBits-1:0]    acc_o
);

  logic [Count*OperandBits-1:0] operands;

  for (genvar n = 0; n < Count; n++) begin : gen_operand
    logic signed [DeltaBits-1:0]   delta;
    logic signed [OperandBits-1:0] held;
    // Without keep, Yosys 0.23 moves a running sum into a DSP and loses the way back to its adder.
    (* keep = Consecutive *)
    logic signed [OperandBits-1:0] operand_q;

    assign delta = $signed(deltas_i[n*DeltaBits +: DeltaBits]);
    assign operands[n*OperandBits +: OperandBits] = operand_q;

    // A serial operand rotates once round in a beat, so that a running sum finds it whole again.
    if (Multiplier == 3 && OperandBits > 1) begin : gen_rotate
      assign held = add_i ? $signed({operand_q[0], operand_q[OperandBits-1:1]}) : operand_q;
    end else begin : gen_hold
      assign held = operand_q;
    end

    always_ff @(posedge clk_i) begin
      if (!load_i) operand_q <= held;
      else if (Consecutive == 0) operand_q <= OperandBits'(delta);
      else operand_q <= OperandBits'(delta) + (running_i ? held : '0);
    end
  end

  if (Consecutive == 0) begin : gen_never_running
    logic unused_running;
    assign unused_running = running_i;
  end

  if (Multiplier != 0) begin : gen_no_multiples
    logic unused_multiples;
    assign unused_multiples = ^{x_triple_i, x_negative_i};
  end

  if (Multiplier == 0) begin : gen_lut
    // The operand's radix-4 digits select multiples of x; only the top digit is negative.
    localparam int Digits = (OperandBits + 1) / 2;
    localparam int ProductBits = 2 * Digits + 8;

    logic [2*Digits-1:0]           digits;
    logic signed [9:0]             multiple, partial;
    logic signed [ProductBits-1:0] product, product_q;
    logic signed [AccBits-1:0]     acc_q, acc_d, above;
    logic                          unused_bit;

    assign digits = (2 * Digits)'($signed(operands));

    always_comb begin
      multiple = '0;
      // |partial| <= 384 * (1 + 1/4 + 1/16 + ...) = 512: ten bits hold every partial sum.
      partial = '0;
      product = '0;
      for (int d = 0; d < Digits; d++) begin
        case ({d == Digits - 1, digits[2*d +: 2]})
          3'b0_01, 3'b1_01: multiple = 10'(x_i);
          3'b0_10:          multiple = 10'(x_i) <<< 1;
          3'b0_11:          multiple = x_triple_i;
          3'b1_10:          multiple = 10'(x_negative_i) <<< 1;
          3'b1_11:          multiple = 10'(x_negative_i);
          default:          multiple = '0;
        endcase
        partial = (partial >>> 2) + multiple;
        product[2*d +: 10] = partial;
      end
    end

    // product + acc as product - ~acc - 1, with a bit below for the 1: one subtraction, into which
    // Yosys takes the choice of first_i.
    assign above = first_i ? '1 : ~acc_q;
    assign {acc_d, unused_bit} = {AccBits'(product_q), 1'b0} - {above, 1'b1};

    always_ff @(posedge clk_i) begin
      product_q <= product;
      if (add_i) acc_q <= acc_d;
    end
    assign acc_o = acc_q;
  end

  if (Multiplier == 1 || (Multiplier == 2 && Count == 1)) begin : gen_dsp
    // Written so that one DSP48E1 takes the operands, the product and the accumulator.
    logic signed [OperandBits+7:0] product_q;
    logic signed [AccBits-1:0]     acc_q;

    always_ff @(posedge clk_i) begin
      product_q <= $signed(operands) * x_i;
      if (add_i) acc_q <= AccBits'(product_q) + (first_i ? '0 : acc_q);
    end
    assign acc_o = acc_q;
  end

  if (Multiplier == 2 && Count == 2) begin : gen_packed
    // (c1 * 2^16 + c0) * x: where c0 * x is negative it borrows one from c1 * x, given back below.
    // Every width is exact, because Yosys 0.23 loses sign bits that it finds repeated in a product.
    localparam int ProductBits = OperandBits + 25;

    logic signed [OperandBits-1:0]  c0, c1;
    logic signed [OperandBits+16:0] pair;
    logic signed [ProductBits-1:0]  product_q;
    logic signed [15:0]             low;
    logic signed [ProductBits-17:0] high;
    logic signed [AccBits-1:0]      acc0_q, acc0_d, above0, acc1_q, acc1_d, above1;
    logic                           unused_bit, unused_bits, carry;

    assign {c1, c0} = operands;
    assign pair = $signed({c1, 16'd0}) + (OperandBits + 17)'(c0);
    assign {high, low} = product_q;
    // As above, and what was borrowed enters as the subtractor's carry in.
    assign above0 = first_i ? '1 : ~acc0_q;
    assign above1 = first_i ? '1 : ~acc1_q;
    assign {acc0_d, unused_bit} = {AccBits'(low), 1'b0} - {above0, 1'b1};
    assign {acc1_d, carry} = {AccBits'(high), low[15]} - {above1, 1'b1};
    assign unused_bits = ^{low, carry};  // a short accumulator needs no upper bits of low

    always_ff @(posedge clk_i) begin
      product_q <= pair * x_i;
      if (add_i) begin
        acc0_q <= acc0_d;
        acc1_q <= acc1_d;
      end
    end
    assign acc_o = {acc1_q, acc0_q};
  end

  if (Multiplier == 3) begin : gen_serial
    // The owner shifts x_i a bit a cycle and negates it for the operand's sign bit.
    logic signed [AccBits-1:0] acc_q;

    always_ff @(posedge clk_i) begin
      if (add_i) acc_q <= (operands[0] ? AccBits'(x_i) : '0) + (first_i ? '0 : acc_q);
    end
    assign acc_o = acc_q;

    if (OperandBits > 1) begin : gen_upper_bits
      logic unused_operands;
      assign unused_operands = ^operands[OperandBits-1:1];
    end
  end

endmodule

`default_nettype wire
