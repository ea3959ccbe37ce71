// The builder in 4-state simulation, straight after the reset: what was never written is not
// looked at. Counts 5 0 9 30 give lengths 2 0 2 1; a second histogram and an empty one follow.

`default_nettype none

module huffman_builder_bench;

  localparam int Symbols = 4, Runs = 3;

  logic        clk, rst_n, count_valid, count_ready, length_valid, length_ready, error;
  logic [19:0] count;
  logic [3:0]  length;
  logic        failed;

  huffman_builder #(.Symbols(Symbols), .Limit(8), .CountBits(20)) u_builder (
    .clk_i(clk),
    .rst_ni(rst_n),
    .count_valid_i(count_valid),
    .count_i(count),
    .count_ready_o(count_ready),
    .length_valid_o(length_valid),
    .length_o(length),
    .length_ready_i(length_ready),
    .error_o(error)
  );

  initial clk = 1'b0;
  always #5 clk = !clk;

  // Of symbol 0 on the left.
  logic [20*Symbols-1:0] counts [Runs];
  logic [4*Symbols-1:0]  lengths [Runs];

  always @(posedge clk) begin
    if (rst_n === 1'b1) begin
      if (^{count_ready, length_valid, error} === 1'bx || (length_valid && ^length === 1'bx)) begin
        $display("X at %0t", $time);
        $fatal(1);
      end
      if (error) failed = 1'b1;
    end
  end

  initial begin
    counts[0] = {20'd5, 20'd0, 20'd9, 20'd30};
    lengths[0] = {4'd2, 4'd0, 4'd2, 4'd1};
    counts[1] = {20'd1, 20'd1, 20'd2, 20'd4};
    lengths[1] = {4'd3, 4'd3, 4'd2, 4'd1};
    counts[2] = '0;
    lengths[2] = '0;
    count_valid = 1'b0;
    length_ready = 1'b0;
    rst_n <= 1'b0;
    @(posedge clk);
    rst_n <= 1'b1;
    for (int run = 0; run < Runs; run++) begin
      failed = 1'b0;
      for (int s = 0; s < Symbols; s++) begin
        count_valid <= 1'b1;
        count <= counts[run][20 * (Symbols - 1 - s) +: 20];
        do @(posedge clk); while (!count_ready);
        count_valid <= 1'b0;
        count <= 'x;
      end
      for (int s = 0; s < Symbols; s++) begin
        do begin
          length_ready <= $urandom_range(1) == 1;
          @(posedge clk);
        end while (!(length_valid && length_ready));
        length_ready <= 1'b0;
        if (length !== lengths[run][4 * (Symbols - 1 - s) +: 4]) begin
          $display("run %0d, symbol %0d: length %0d", run, s, length);
          $fatal(1);
        end
      end
      if (failed != (run == 2)) begin
        $display("run %0d: error is %b", run, failed);
        $fatal(1);
      end
    end
    $display("passed");
    $finish;
  end

  initial begin
    repeat (10000) @(posedge clk);
    $display("no end");
    $fatal(1);
  end

endmodule

`default_nettype wire
