# shellcheck shell=bash
# What is built from what. Sourced by ./dev, and run by tools/test.mjs as `bash tools/build.sh STEP`.
# The order of a release: core as wasm -> page -> server with the page embedded.

# What one checkout has compiled, another one of the same text need not: paths below here do not count.
export CCACHE_BASEDIR=${CCACHE_BASEDIR-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR-1}

# One line a step, the output of the tools only when they fail.
step() {
  local title=$1 log status=0 start=$SECONDS
  shift
  mkdir -p build/logs
  log=build/logs/$(printf %s "$title" | tr -cs 'a-zA-Z0-9' _).log
  printf '==> %s\n' "$title" >&2
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    tail -n 60 "$log" >&2
    echo "./dev: '$title' failed after $((SECONDS - start)) s; all its output is in $log" >&2
  fi
  return "$status"
}

cpp_sources() {
  find src wasm tests bench -name node_modules -prune -o \( -name '*.cc' -o -name '*.h' \) -print0 2>/dev/null |
    LC_ALL=C sort -z
}

# stamped NAME PATHS... -- COMMAND: runs the command unless the files below PATHS are the same as when
# it last succeeded. The stamp lies in build/, so a clean build runs everything.
stamped() {
  local stamp=build/stamps/$1 paths=() now
  shift
  while [ "$1" != -- ]; do
    paths+=("$1")
    shift
  done
  shift
  now=$(find "${paths[@]}" -name node_modules -prune -o -path '*/dist' -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return
  "$@" || return
  mkdir -p build/stamps
  printf '%s\n' "$now" >"$stamp"
}

# npm_install DIR: its node_modules as its lock file says.
npm_install() {
  [ -d "$1/node_modules" ] || rm -f "build/stamps/npm_${1//\//_}"
  stamped "npm_${1//\//_}" "$1/package.json" "$1/package-lock.json" -- \
    step "npm packages of $1" npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
}

# configure PRESET OPTIONS...: once, and again when the options change.
configure() {
  local preset=$1 stamp=build/stamps/configure_$1
  shift
  [ -f "build/$preset/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "options: $*" ] && return
  step "configure $preset" cmake --preset "$preset" "$@" || return
  mkdir -p build/stamps
  printf 'options: %s\n' "$*" >"$stamp"
}

build_wasm() {
  configure wasm && step "core as WebAssembly" cmake --build --preset wasm
}

build_page() {
  build_wasm && npm_install web &&
    { [ -f build/web/index.html ] || rm -f build/stamps/page; } &&
    stamped page web client/src build/wasm/weft.wasm -- step "page" npm --prefix web run build
}

# A build tree that has the tests keeps them: only the target differs.
build_weft() {
  build_page || return
  [ -f build/release/build.ninja ] || configure release -DWEFT_TESTS=OFF -DWEFT_BENCH=OFF || return
  step "server" cmake --build --preset release --target weft
}

# build_tests PRESET [TARGET...]: the native tests, and the server that others test.
build_tests() {
  local preset=$1
  shift
  build_page || return
  configure "$preset" -DWEFT_TESTS=ON -DWEFT_BENCH=OFF || return
  step "tests ($preset)" cmake --build --preset "$preset" ${@:+--target "$@"}
}

build_fuzz() {
  configure fuzz && step "fuzz targets" cmake --build --preset fuzz
}

build_bench() {
  build_page || return
  configure release -DWEFT_TESTS=OFF -DWEFT_BENCH=ON || return
  step "benchmarks" cmake --build --preset release
}

run_benches() {
  local program name word found=0
  for program in build/release/*_bench build/release/bench_*; do
    [ -f "$program" ] || continue
    name=$(basename "$program")
    if [ $# -gt 0 ]; then
      for word in "$@" ''; do [ -n "$word" ] && [[ $name == *"$word"* ]] && break; done
      [ -n "$word" ] || continue
    fi
    found=1
    echo "==> $name"
    "$program"
  done
  if [ $found = 0 ]; then
    echo "./dev bench: no benchmark of that name" >&2
    return 1
  fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  "$@"
fi
