// The sum of Count terms, a level of adders a cycle: what is there in cycle c has its sum in
// c + $clog2(Count), one sum per cycle; of one term, that term in the same cycle. Terms and sum are
// signed, or none is, or, with Excess, each of B bits is 2^(B-1) - 1 more than what it stands for: then the
// carry in of each adder keeps it so, and no adder has a sign.

`default_nettype none

module adder_tree #(
  /// Terms, at least 1.
  parameter int Count = 24,
  /// Bits of a term.
  parameter int Bits = 16,
  /// 1: terms and sum have the excess.
  parameter int Excess = 0,
  /// 0, without Excess: terms and sum have no sign.
  parameter int Signed = 1,
  localparam int SumBits = Bits + $clog2(Count)
) (
  input  logic                  clk_i,
  input  logic [Count*Bits-1:0] terms_i,
  output logic [SumBits-1:0]    sum_o
);

  if (Count < 1) begin : gen_bad_count
    count_must_be_at_least_1 u_error ();
  end

  if (Count == 1) begin : gen_sum
    logic unused_clk;

    assign unused_clk = clk_i;
    assign sum_o = terms_i;
  end else begin : gen_level
    localparam int Sums = (Count + 1) / 2;

    logic [Sums*(Bits+1)-1:0] sums_q;

    for (genvar i = 0; i < Sums; i++) begin : gen_sum
      logic [Bits-1:0] a;
      logic [Bits:0]   sum;

      assign a = terms_i[2*i*Bits +: Bits];
      if (2 * i + 1 < Count) begin : gen_adder
        logic [Bits-1:0] b;

        assign b = terms_i[(2*i+1)*Bits +: Bits];
        // a - ~b is a + b + 1 in one row of carries.
        if (Excess != 0) begin : gen_excess
          assign sum = {1'b0, a} - ~{1'b0, b};
        end else if (Signed != 0) begin : gen_signed
          assign sum = {a[Bits-1], a} + {b[Bits-1], b};
        end else begin : gen_unsigned
          assign sum = {1'b0, a} + {1'b0, b};
        end
      end else if (Excess == 0 && Signed == 0) begin : gen_alone_unsigned
        assign sum = {1'b0, a};
      end else begin : gen_alone
        assign sum = {a[Bits-1], (Excess != 0) ? ~a[Bits-1] : a[Bits-1], a[Bits-2:0]};
      end

      always_ff @(posedge clk_i) sums_q[i*(Bits+1) +: Bits+1] <= sum;
    end

    adder_tree #(.Count(Sums), .Bits(Bits + 1), .Excess(Excess), .Signed(Signed)) u_rest (
      .clk_i, .terms_i(sums_q), .sum_o
    );
  end

endmodule

`default_nettype wire
