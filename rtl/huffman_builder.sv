// Optimal code lengths of at most Limit bits from a histogram (package-merge). Takes Symbols counts,
// computes for N^2 + (Limit - 1)(2N - 2) + Limit cycles (N = Symbols), whatever they are, and gives
// Symbols lengths, from the next cycle on. No counts above 0, or more of them than codes of Limit
// bits: error_o in the last cycle of computing, and all lengths are 0.

`default_nettype none

module huffman_builder #(
  /// Symbols, 2 to 32.
  parameter int Symbols = 16,
  /// Longest code, 1 to 8.
  parameter int Limit = 8,
  /// Bits of a count, 1 to 32.
  parameter int CountBits = 20
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  // Counts, in order of symbols
  input  logic                 count_valid_i,
  input  logic [CountBits-1:0] count_i,
  output logic                 count_ready_o,
  // Lengths, in order of symbols
  output logic                 length_valid_o,
  output logic [3:0]           length_o,
  input  logic                 length_ready_i,
  output logic                 error_o
);

  if (Symbols < 2 || Symbols > 32) begin : gen_bad_symbols
    symbols_must_be_2_to_32 u_error ();
  end
  if (Limit < 1 || Limit > 8) begin : gen_bad_limit
    limit_must_be_1_to_8 u_error ();
  end
  if (CountBits < 1 || CountBits > 32) begin : gen_bad_count_bits
    count_bits_must_be_1_to_32 u_error ();
  end

  localparam int Items = 2 * Symbols - 2;
  localparam int IndexBits = $clog2(Symbols);
  localparam int ItemBits = IndexBits + 1;
  localparam int WeightBits = CountBits + 7;

  typedef enum logic [2:0] {Load, Rank, Merge, Back, Out} state_e;
  state_e state_q, state_d;

  // Load, rank and out go through the symbols, rank through the others for each; merge through the
  // items of levels 2 to Limit, and back through the levels from Limit to 1.
  logic [IndexBits-1:0] symbol_q, symbol_next, other_q;
  logic [ItemBits-1:0]  item_q;
  logic [3:0]           level_q;
  logic                 step, last_symbol, last_other, last_item;

  assign last_symbol = symbol_q == IndexBits'(Symbols - 1);
  assign last_other = other_q == IndexBits'(Symbols - 1);
  assign last_item = item_q == ItemBits'(Items - 1);

  assign count_ready_o = state_q == Load;
  assign length_valid_o = state_q == Out;

  always_comb begin
    case (state_q)
      Load: step = count_valid_i;
      Rank: step = last_other;
      Out: step = length_ready_i;
      default: step = 1'b0;
    endcase
  end

  always_comb begin
    state_d = state_q;
    case (state_q)
      Load: if (step && last_symbol) state_d = Rank;
      Rank: if (step && last_symbol) state_d = (Limit > 1) ? Merge : Back;
      Merge: if (last_item && level_q == 4'(Limit)) state_d = Back;
      Back: if (level_q == 4'd1) state_d = Out;
      Out: if (step && last_symbol) state_d = Load;
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= Load;
    else state_q <= state_d;
  end

  assign symbol_next = !step ? symbol_q : last_symbol ? '0 : symbol_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) symbol_q <= '0;
    else symbol_q <= symbol_next;
    if (state_q != Rank || last_other) other_q <= '0;
    else other_q <= other_q + 1'b1;
    if (state_q != Merge || last_item) item_q <= '0;
    else item_q <= item_q + 1'b1;
    if (state_q == Load || state_q == Rank) level_q <= (Limit > 1) ? 4'd2 : 4'd1;
    else if (state_q == Merge && last_item && level_q != 4'(Limit)) level_q <= level_q + 1'b1;
    else if (state_q == Back) level_q <= level_q - 1'b1;
  end

  // Rank: is a symbol's count above 0, and its place among those, by (count, symbol); and the counts in
  // that order.
  (* ram_style = "distributed" *)
  logic [CountBits-1:0] counts_q [2 ** IndexBits];
  (* ram_style = "distributed" *)
  logic [CountBits-1:0] sorted_q [2 ** IndexBits];
  (* ram_style = "distributed" *)
  logic [IndexBits:0]   ranks_q [2 ** IndexBits];

  initial begin
    for (int i = 0; i < 2 ** IndexBits; i++) begin
      counts_q[i] = '0;
      sorted_q[i] = '0;
      ranks_q[i] = '0;
    end
  end

  logic [CountBits-1:0] count, other;
  logic [IndexBits-1:0] rank_q, rank;
  logic [ItemBits-1:0]  used_q;
  logic                 before_it;

  assign count = counts_q[symbol_q];
  assign other = counts_q[other_q];
  assign before_it = other != '0 && (other < count || (other == count && other_q < symbol_q));
  assign rank = rank_q + IndexBits'(before_it);

  always_ff @(posedge clk_i) begin
    if (count_valid_i && count_ready_o) counts_q[symbol_q] <= count_i;
    if (state_q == Rank && last_other) ranks_q[symbol_q] <= {count != '0, rank};
    if (state_q == Rank && last_other && count != '0) sorted_q[rank] <= count;
    if (state_q != Rank || last_other) rank_q <= '0;
    else rank_q <= rank;
    if (state_q == Load) used_q <= '0;
    else if (state_q == Rank && last_other && count != '0) used_q <= used_q + 1'b1;
  end

  // Merge: a level's next item is its next symbol or, if lighter, its next package: a pair of the
  // level before. Level 1's items are the symbols, so its pairs are made here; others wait in their
  // level's half of packages_q, where a pair goes in the cycle after its second item. That is in
  // time, because no level begins with a package. A weight's top bit says that there is no such item.
  (* ram_style = "distributed" *)
  logic [WeightBits:0] packages_q [2 ** ItemBits];
  // Of a level and item, how many of the items up to it are symbols.
  (* ram_style = "distributed" *)
  logic [ItemBits-1:0] reaches_q [2 ** (ItemBits + 3)];

  initial begin
    for (int i = 0; i < 2 ** ItemBits; i++) packages_q[i] = '0;
    for (int i = 0; i < 2 ** (ItemBits + 3); i++) reaches_q[i] = '0;
  end

  // The package that is next waits in head_q, and the one behind it, number fetch_q, is read.
  logic [ItemBits-1:0]   symbols_taken_q, symbols_taken, fetch_q, pair_addr_q, package_addr;
  logic [IndexBits-1:0]  pair_first, pair_second;
  logic [WeightBits-1:0] pair_of_symbols, pair_of_items;
  logic [WeightBits:0]   symbol, package_1, package_n, pair, fetched, head_q, item;
  logic [WeightBits:0]   last_q, before_last_q;
  logic                  first_item, take_symbol, pair_write_q;

  assign pair_first = IndexBits'(fetch_q << 1);
  assign pair_second = pair_first | IndexBits'(1);
  assign pair_of_symbols = WeightBits'(sorted_q[pair_first]) + WeightBits'(sorted_q[pair_second]);
  assign package_1 = {{fetch_q, 1'b1} >= {1'b0, used_q}, pair_of_symbols};
  assign package_addr = {!level_q[0], fetch_q[IndexBits-1:0]};
  assign fetched = (level_q == 4'd2) ? package_1
      : {package_n[WeightBits] || fetch_q >= ItemBits'(Symbols - 1), package_n[WeightBits-1:0]};

  if (Symbols == 2) begin : gen_one_pair  // which is written in the cycle in which it is read
    assign package_n = pair_write_q ? pair : packages_q[package_addr];
  end else begin : gen_pairs
    assign package_n = packages_q[package_addr];
  end

  assign first_item = item_q == '0;
  assign symbol = {symbols_taken_q >= used_q,
                   WeightBits'(sorted_q[symbols_taken_q[IndexBits-1:0]])};
  assign take_symbol = first_item || symbol <= head_q;
  assign symbols_taken = symbols_taken_q + ItemBits'(take_symbol);
  assign item = take_symbol ? symbol : head_q;

  assign pair_of_items = last_q[WeightBits-1:0] + before_last_q[WeightBits-1:0];
  assign pair = {last_q[WeightBits] || before_last_q[WeightBits], pair_of_items};

  always_ff @(posedge clk_i) begin
    if (state_q != Merge || last_item) begin
      symbols_taken_q <= '0;
      fetch_q <= '0;
    end else begin
      symbols_taken_q <= symbols_taken;
      if (first_item || !take_symbol) fetch_q <= fetch_q + 1'b1;
    end
    if (first_item || !take_symbol) head_q <= fetched;
    last_q <= item;
    before_last_q <= last_q;
    pair_write_q <= state_q == Merge && item_q[0];
    pair_addr_q <= {level_q[0], item_q[ItemBits-1:1]};
    if (pair_write_q) packages_q[pair_addr_q] <= pair;
    if (state_q == Merge) reaches_q[{level_q[2:0], item_q}] <= symbols_taken;
  end

  // Back: of the first items that a level needs, the symbols are the lightest `reach`, and the level
  // before needs the packages' pairs. A symbol's length is the number of levels that reach its rank.
  logic [ItemBits-1:0]       need_q, need, reach;
  logic [Limit*ItemBits-1:0] reach_q;
  logic                      failed;

  assign need = (level_q == 4'(Limit)) ? (used_q << 1) - ItemBits'(2) : need_q;

  assign reach = (need == '0 || level_q == 4'd1) ? need
      : reaches_q[{level_q[2:0], ItemBits'(need - 1'b1)}];

  always_ff @(posedge clk_i) begin
    need_q <= (need - reach) << 1;
    if (state_q == Back) reach_q <= (Limit * ItemBits)'({reach_q, reach});
  end

  assign failed = used_q == '0 || 32'(used_q) > 2 ** Limit;
  assign error_o = state_q == Back && level_q == 4'd1 && failed;

  // Out: reached[k]: k levels or more reach the symbol's rank, which was looked up a cycle before. What
  // a level reaches, every later one does.
  logic [8:1]           reached;
  logic [IndexBits-1:0] shown_rank_q;
  logic                 shown_used_q;

  always_ff @(posedge clk_i) {shown_used_q, shown_rank_q} <= ranks_q[symbol_next];

  for (genvar k = 1; k <= 8; k++) begin : gen_reached
    if (k <= Limit) begin : gen_level
      assign reached[k] = ItemBits'(shown_rank_q) < reach_q[(Limit - k) * ItemBits +: ItemBits];
    end else begin : gen_none
      assign reached[k] = 1'b0;
    end
  end

  logic [3:0] levels;

  assign levels[3] = reached[8];
  assign levels[2] = reached[4] && !reached[8];
  assign levels[1] = reached[4] ? reached[6] && !reached[8] : reached[2];
  assign levels[0] = reached[4] ? (reached[6] ? reached[7] && !reached[8] : reached[5])
      : (reached[2] ? reached[3] : reached[1]);
  assign length_o = (failed || !shown_used_q) ? '0 : (used_q == ItemBits'(1)) ? 4'd1 : levels;

`ifndef YOSYS
  // A pair that is written in the cycle in which it is read would be read too early.
  logic collides, fetches;
  assign collides = pair_write_q && pair_addr_q == package_addr;
  assign fetches = state_q == Merge && level_q != 4'd2 && (first_item || !take_symbol);

  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(fetches && collides) || Symbols == 2) else $error("a package is read before it is there");
      for (int k = 1; k < 8; k++)
        assert (state_q != Out || failed || !reached[k+1] || reached[k])
            else $error("a level reaches less than the one before");
    end
  end
`endif

endmodule

`default_nettype wire
