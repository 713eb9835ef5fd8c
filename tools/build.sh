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
  # Only the release build measures.
  local bench=OFF
  if [ "$preset" = release ]; then bench=ON; fi
  configure "$preset" -DWEFT_TESTS=ON -DWEFT_BENCH=$bench || return
  step "tests ($preset)" cmake --build --preset "$preset" ${@:+--target "$@"}
}

build_fuzz() {
  configure fuzz && step "fuzz targets" cmake --build --preset fuzz
}

# build_bench TARGET...: in the tree of the tests, if there is one, so that neither throws the other away.
build_bench() {
  build_page || return
  grep -qs WEFT_BENCH=ON build/stamps/configure_release ||
    configure release -DWEFT_TESTS=OFF -DWEFT_BENCH=ON || return
  step "benchmarks" cmake --build --preset release --target "$@"
}

# The client package as JavaScript, for what measures it under node.
build_client() {
  build_wasm && npm_install client &&
    step "client package" npm --prefix client run build
}

# bench_native NAME ARGUMENTS...: from where the caller is, so that its files are found.
bench_native() {
  local program=$1
  shift
  build_bench "$program" || return
  (cd "${called_from:-.}" && "$OLDPWD/build/release/$program" "$@")
}

# Without arguments: drawn into the documentation too.
bench_complexity() {
  if [ $# -gt 0 ]; then
    bench_native complexity_bench "$@"
    return
  fi
  mkdir -p build
  bench_native complexity_bench --json >build/complexity.jsonl &&
    node bench/complexity_svg.mjs <build/complexity.jsonl
}

# A running server, from outside, by the means of the tests.
bench_server() {
  build_weft && build_bench load_bench bare_broadcast && npm_install tests &&
    (cd "${called_from:-.}" && WEFT_BIN=${WEFT_BIN-$OLDPWD/build/release/weft} node "$OLDPWD/bench/server_bench.mjs" "$@")
}

# Several servers on one PostgreSQL.
bench_replicas() {
  build_weft && build_bench load_bench && npm_install tests &&
    WEFT_BIN=${WEFT_BIN-$PWD/build/release/weft} node bench/replicas_bench.mjs "$@"
}

run_bench() {
  local name=$1
  shift
  case $name in
    rga) bench_native rga_bench "$@" ;;
    complexity) bench_complexity "$@" ;;
    storage | history) bench_native "${name}_bench" "$@" ;;
    counts) build_bench counts_bench && node bench/counts.mjs "$@" ;;
    server) bench_server "$@" ;;
    replicas) bench_replicas "$@" ;;
    wasm) build_client && (cd "${called_from:-.}" && node "$OLDPWD/bench/wasm_bench.mjs" "$@") ;;
    *)
      echo "./dev bench: no benchmark '$name'; there are: rga wasm storage history server replicas counts complexity" >&2
      return 2
      ;;
  esac
}

# Without a name: those that need no arguments and a few minutes.
run_benches() {
  local name
  if [ $# -gt 0 ]; then
    run_bench "$@"
    return
  fi
  for name in rga wasm storage history server replicas; do
    echo "==> $name"
    run_bench "$name" || return
  done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  "$@"
fi
