#!/usr/bin/env bash
# Several servers on one PostgreSQL of their own, to try out: replicas.sh [COUNT [PORT]]. Ports from PORT
# (8080) on; the database lies in ~/.local/state/weft-replicas (or below $XDG_STATE_HOME) and stays there. All of it
# stops with this script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

count=${1:-2}
case $count in
  [1-9]) ;;
  *)
    echo "./dev replicas: a number of servers, 1 to 9" >&2
    exit 2
    ;;
esac
port=${2:-8080}
directory=${XDG_STATE_HOME:-$HOME/.local/state}/weft-replicas
# Where PostgreSQL's user can get to.
if [ "$(id -u)" = 0 ] && [ -z "${XDG_STATE_HOME:-}" ]; then directory=/var/lib/weft-replicas; fi
mkdir -p "$directory"
children=()
stop() {
  trap - EXIT
  for ((i = ${#children[@]} - 1; i >= 0; --i)); do kill -INT "${children[$i]}" 2>/dev/null || true; done
  wait
}
trap stop EXIT
trap 'exit 130' INT TERM

bash tests/support/postgres.sh "$directory" &
children+=($!)
url="postgresql://weft@/postgres?host=$directory"
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
for ((tries = 0; ; ++tries)); do
  "$programs/pg_isready" -q -d "$url" && break
  if [ "$tries" = 300 ] || ! kill -0 "${children[0]}" 2>/dev/null; then
    echo "./dev replicas: PostgreSQL does not start: $directory/postgres.log" >&2
    exit 1
  fi
  sleep 0.1
done
for ((i = 0; i < count; ++i)); do
  build/release/weft serve --database-url "$url" --listen "127.0.0.1:$((port + i))" --replica-id "replica-$i" &
  children+=($!)
done
wait -n || true
