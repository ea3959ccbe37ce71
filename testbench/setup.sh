# Sourced by ./run and ./test: packages, build, and progress with the time that is left.

step() { printf '\n== %s\n' "$*"; }

# Installs what is missing of the Debian packages named.
install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  step "installing ${#missing[@]} packages (a minute or two): ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "not root and no sudo: install these packages by hand" >&2; exit 2; }
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" \
    >/dev/null
}

# "MILLISECONDS NAME" of each test of the release build: what it took in an earlier run, else what CMakeLists.txt
# expects of its suite.
test_durations() {
  local history=build/release/Testing/Temporary/CTestCostData.txt
  [ -e "$history" ] || history=/dev/null
  ctest --preset release -N | awk -v history="$history" -v expected=build/release/test-costs.txt '
    BEGIN {
      while ((getline line < history) > 0 && line != "---")
        if (match(line, / [0-9]+ [0-9.e+-]+$/)) {
          split(substr(line, RSTART + 1), count_and_cost, " ")
          if (count_and_cost[2] > 0) took[substr(line, 1, RSTART - 1)] = count_and_cost[2]
        }
      while ((getline line < expected) > 0) { split(line, word, " "); suite[word[1]] = word[2] }
    }
    sub(/^ *Test +#[0-9]+: /, "") {
      name = $0; of = name; sub(/:.*/, "", of)
      printf "%d %s\n", 1000 * (name in took ? took[name] : of in suite ? suite[of] : 1), name
    }'
}

# Turns the progress of ninja and ctest into one line in five seconds, with the time that is left. Steps count
# the same, but for tests whose durations are in the file named: slow ones go first, so their number tells nothing.
with_time_left() {
  local begin=$SECONDS shown=$SECONDS line done all weight name total=0 passed=0
  local -A weights=()
  if [ $# -gt 0 ]; then
    while read -r weight name; do
      weights[$name]=$weight
      total=$((total + weight))
    done <"$1"
  fi
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] || $line =~ ^\ *([0-9]+)/([0-9]+)\ Test ]]; then
      done=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
      if [[ $line =~ Test\ +#[0-9]+:\ (.*[^\ .])\ \.\.\. ]]; then
        passed=$((passed + ${weights[${BASH_REMATCH[1]}]:-0}))
      fi
      if ((done > 0 && SECONDS - shown >= 5)); then
        shown=$SECONDS
        if ((passed > 0)); then
          echo "   $done of $all done, about $(((SECONDS - begin) * (total - passed) / passed)) s left"
        elif ((total == 0)); then
          echo "   $done of $all done, about $(((SECONDS - begin) * (all - done) / done)) s left"
        fi
      fi
      [[ $line == *"***"* || $line == *FAILED* ]] || continue
    fi
    [[ $line =~ ^\ *Start\ +[0-9]+: ]] || printf '%s\n' "$line"
  done
}

# Configures and builds a preset; further arguments are targets.
build_preset() {
  local preset=$1 log
  shift
  log=$(mktemp)
  step "configuring ($preset)"
  cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; rm -f "$log"; exit 1; }
  rm -f "$log"
  step "building ${*:-everything} ($preset)"
  cmake --build --preset "$preset" ${1:+--target "$@"} 2>&1 | with_time_left
}

base_packages=(g++ make cmake ninja-build ccache verilator libsystemc-dev libboost1.81-dev libboost-json1.81-dev
  libboost-iostreams1.81-dev libboost-filesystem1.81-dev libcli11-dev libsqlite3-dev zlib1g-dev sqlite3 libjs-chart.js catch2
  dataset-fashion-mnist)
test_packages=(libtorch-dev libonnx-dev libonnx-testdata libprotobuf-dev liblzma-dev libzstd-dev yosys iverilog gtkwave clang-format)
