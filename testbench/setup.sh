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

# Adds the time that is left to lines with a count of "done/all"; one line in five seconds.
with_time_left() {
  awk -v tty="$([ -t 1 ] && echo 1)" '
    BEGIN { begin = systime(); shown = begin }
    match($0, /[0-9]+\/ *[0-9]+/) {
      split(substr($0, RSTART, RLENGTH), count, "/")
      now = systime()
      if (count[1] > 0 && now - shown >= 5) {
        shown = now
        printf "   %d of %d done, about %d s left\n", count[1], count[2], (now - begin) * (count[2] - count[1]) / count[1]
        fflush()
      }
      if ($0 !~ /\*\*\*|FAILED/) next
    }
    { print; fflush() }'
}

# Configures and builds the release preset; further arguments are targets.
build_release() {
  step "configuring"
  cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log; rm -f build-configure.log; exit 1; }
  rm -f build-configure.log
  step "building ${*:-everything}"
  cmake --build --preset release ${1:+--target "$@"} 2>&1 | with_time_left
}

base_packages=(g++ make cmake ninja-build ccache verilator libsystemc-dev libboost1.81-dev libboost-json1.81-dev
  libboost-iostreams1.81-dev libboost-filesystem1.81-dev libcli11-dev catch2 dataset-fashion-mnist)
test_packages=(libtorch-dev yosys iverilog gtkwave clang-format)
