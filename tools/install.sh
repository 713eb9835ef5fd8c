# shellcheck shell=bash
# What a bare Debian 12 lacks, installed by what a command needs. Sourced by ./dev with tools/build.sh.
# Everything present: two dpkg-query calls and no root. docs/adr says why these and no others.

packages_of() {
  case $1 in
    build)
      # The server ...
      echo ca-certificates g++ cmake ninja-build ccache libboost1.81-dev libboost-json1.81-dev \
        libsqlite3-dev libpq-dev libcurl4-openssl-dev libssl-dev libspdlog-dev libcli11-dev zlib1g-dev
      # ... and its core as WebAssembly for the page.
      echo clang-14 lld-14 llvm-14 wasi-libc libc++-14-dev-wasm32 libc++abi-14-dev-wasm32 \
        libclang-rt-14-dev-wasm32
      ;;
    test) echo libgtest-dev libclang-rt-14-dev clang-format-14 valgrind chromium sqlite3 postgresql-15 patch groff-base openssl curl haproxy iproute2 ;;
    replicas) echo postgresql-15 ;;
    bench) echo valgrind postgresql-15 ;;
    check) echo clang-format-14 clang-tidy-14 shellcheck ;;
    *)
      echo "./dev install: unknown set '$1' (build, test, replicas, bench, check)" >&2
      return 2
      ;;
  esac
}

# The page and the tests are built with node >= 18. One that is there is used; otherwise Debian's.
node_works() {
  command -v npm >/dev/null && command -v node >/dev/null &&
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'
}

install_for() {
  local what wanted="" missing
  for what in "$@"; do wanted+=" $(packages_of "$what")" || return; done
  node_works || wanted+=" nodejs npm"
  if ! command -v dpkg-query >/dev/null; then
    echo "./dev installs with apt-get on Debian 12. Here, install the likes of:$wanted" >&2
    return 1
  fi
  # shellcheck disable=SC2086 # a list of words
  missing=$(missing_packages $wanted)
  [ -z "$missing" ] && return
  apt_install "$missing" && node_works && return
  echo "./dev: could not install: ${missing//$'\n'/ }" >&2
  return 1
}

missing_packages() {
  comm -23 <(printf '%s\n' "$@" | LC_ALL=C sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | LC_ALL=C sort -u)
}

apt_install() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "./dev: needs root or sudo to install: ${1//$'\n'/ }" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  if [[ $1 == *libboost1.81* ]] && [ "$(dpkg-query -W -f '${db:Status-Status}' libboost1.74-dev 2>/dev/null)" = installed ]; then
    echo "==> libboost1.81-dev takes the place of the installed libboost1.74-dev"
  fi
  echo "==> to be installed: ${1//$'\n'/ }"
  step "apt-get update" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update || return
  # shellcheck disable=SC2086 # a list of words
  step "apt-get install" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 $1
}
