#!/usr/bin/env bash
# A PostgreSQL for tests: postgres.sh DIR [postgres options] makes a cluster in DIR/data if there is none
# and serves it on the socket in DIR until a signal comes (INT: in order, QUIT: at once), or until whoever
# started it dies. Where there is a DIR/wal, the WAL is in it; it and DIR/data may be small file systems.
# Nothing else on the machine is touched. The superuser is "weft", without a password.
set -euo pipefail

directory=$1
shift
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$programs/postgres" ]; then
  echo "PostgreSQL is not installed: ./dev install test" >&2
  exit 1
fi

# It refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  as=(--reuid=postgres --regid=postgres --init-groups)
  chown postgres "$directory"
  for small in data wal; do
    if [ -d "$directory/$small" ]; then chown postgres "$directory/$small"; fi
  done
fi

if [ ! -e "$directory/data/PG_VERSION" ]; then
  wal=()
  if [ -d "$directory/wal" ]; then wal=(--waldir="$directory/wal" --wal-segsize=1); fi
  setpriv "${as[@]}" env -C "$directory" "$programs/initdb" --pgdata="$directory/data" --username=weft \
    --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync "${wal[@]}" >"$directory/initdb.log" 2>&1 ||
    { cat "$directory/initdb.log" >&2; exit 1; }
fi
exec setpriv "${as[@]}" --pdeathsig QUIT env -C "$directory" "$programs/postgres" -D "$directory/data" \
  -k "$directory" -c listen_addresses= -c max_connections=200 -c log_min_messages=fatal "$@" \
  >>"$directory/postgres.log" 2>&1
