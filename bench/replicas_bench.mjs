// ./dev bench replicas [--json]: one, two and three servers on one PostgreSQL. Typists alternate between
// the servers and share documents, so most of what they see comes from another server. Beside it the
// same with one server. Load generator, servers and database share the machine.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { Postgres } from "../tests/support-js/postgres.mjs";
import { Server, binary } from "../tests/support-js/server.mjs";

const json = process.argv.includes("--json");
const cleanups = [];
const t = { after: (f) => cleanups.push(f) };  // what Server and Postgres want of a test

const scenarios = {
  "50 typists at 2/s, 1 document": { documents: 1, words: ["--typists", 50, "--rate", 2] },
  "30 typists at 5/s, 3 documents": { documents: 3, words: ["--typists", 30, "--rate", 5] },
  "30 writers, 16 in flight, 6 documents": { documents: 6, words: ["--typists", 30, "--in-flight", 16] },
};

async function counters(servers) {
  const sums = {};
  for (const server of servers) {
    for (const [, name, value] of (await (await server.fetch("/metrics")).text()).matchAll(/^(weft_\w+_total) (\d+)$/gm)) {
      sums[name] = (sums[name] ?? 0) + Number(value);
    }
  }
  return sums;
}

async function play(count, { documents, words }) {
  const postgres = await Postgres.start(t);
  const servers = [];
  for (let i = 0; i < count; ++i) {
    servers.push(await Server.start(t, { database: postgres.url(), args: ["--replica-id", `r${i}`, "--threads", "1"] }));
  }
  const ids = [];
  for (let i = 0; i < documents; ++i) ids.push(await servers[0].create(`document ${i}`));
  const each = (name, of) => servers.flatMap((server) => [name, String(of(server))]);
  const run = spawnSync(
    join(dirname(binary), "load_bench"),
    [...each("--port", (s) => s.port), ...each("--pid", (s) => s.pid), "--seconds", 8, ...words, ...ids].map(String),
    { encoding: "utf8", maxBuffer: 1 << 26 },
  );
  if (run.status !== 0) throw new Error(`load_bench: ${run.stdout}${run.stderr}`);
  const figures = JSON.parse(run.stdout);
  const totals = await counters(servers);
  for (const server of servers) await server.end();
  await postgres.stop("SIGQUIT");
  const seconds = 8;
  return {
    servers: count, p50_ms: figures.p50_ms, p99_ms: figures.p99_ms, ack_p50_ms: figures.ack_p50_ms,
    operations_s: figures.operations / seconds, cpu_us_per_operation: figures.cpu_us_per_operation,
    messages_per_operation: (totals.weft_bus_published_total ?? 0) / Math.max(1, totals.weft_operations_total),
    lost_races: totals.weft_batches_moved_total,
  };
}

try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    for (const count of [1, 2, 3]) {
      const figures = await play(count, scenario);
      if (json) console.log(JSON.stringify({ scenario: name, ...figures }));
      else console.log(`${name.padEnd(40)} ${Object.entries(figures).map(([k, v]) => `${k} ${+Number(v).toFixed(3)}`).join("   ")}`);
    }
  }
} finally {
  for (const clean of cleanups.reverse()) await clean();
}
