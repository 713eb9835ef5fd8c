// A real PostgreSQL for a test, started by tests/support/postgres.sh, with a directory of its own. Both
// are gone afterwards. Questions go through psql: nothing of the server's code is between.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../support/postgres.sh", import.meta.url));

export class Postgres {
  #directory = mkdtempSync(join(tmpdir(), "weft-postgres-"));
  #child = null;
  #options;
  #port;
  #within = [];

  /**
   * `options` are added to the command line of postgres. The port names the socket, too. `addresses`: where it
   * listens besides, and believes everybody. `prepare` is called with its directory, before anything is there,
   * and returns a command that runs what follows it, such as nsenter.
   */
  static async start(t, { options = [], port = 5432, addresses = [], prepare } = {}) {
    const postgres = new Postgres();
    if (prepare !== undefined) postgres.#within = await prepare(postgres.#directory);
    postgres.#options = ["-c", `port=${port}`, ...options];
    if (addresses.length > 0) {
      const rules = join(postgres.#directory, "rules");
      writeFileSync(rules, `local all all trust\n${addresses.map((a) => `host all all ${a}/24 trust\n`).join("")}`);
      postgres.#options.push("-c", `hba_file=${rules}`, "-c", `listen_addresses=${addresses.join(",")}`);
    }
    postgres.#port = port;
    t.after(async () => {
      await postgres.stop("SIGQUIT");
      rmSync(postgres.#directory, { recursive: true, force: true });
    });
    await postgres.start();
    return postgres;
  }

  /** `host`: by TCP, at one of `addresses`. */
  url(database = "postgres", host = this.#directory) {
    return `postgresql://weft@/${database}?host=${host}&port=${this.#port}`;
  }

  /** Returns as soon as it takes connections. */
  async start() {
    for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
      assert.ok(Date.now() < deadline, "PostgreSQL starts within a minute");
      // After a SIGKILL the first attempts meet what is left of the old processes.
      if (!this.isRunning) this.launch();
      try {
        this.query("SELECT 1 AS one");
        return;
      } catch {
        // Not yet.
      }
    }
  }

  /** Whether it comes up shows later. REQUIRES: it is not running. */
  launch() {
    const [program, ...args] = [...this.#within, "bash", script, this.#directory, ...this.#options];
    this.#child = spawn(program, args, { stdio: "inherit" });
  }

  /** What it wrote: from FATAL on. */
  log() {
    return readFileSync(join(this.#directory, "postgres.log"), "utf8");
  }

  /** Whether its first process lives. It may have ended itself. */
  get isRunning() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGQUIT ends it at once, as after a crash; SIGKILL kills its first process. */
  async stop(signal) {
    if (!this.isRunning) return;
    const closed = once(this.#child, "exit");
    this.#child.kill(signal);
    await closed;
  }

  /** Silent, as behind a network that swallows everything: no process of it runs until resume(). */
  pause() {
    this.#signalAll("SIGSTOP");
  }
  resume() {
    this.#signalAll("SIGCONT");
  }
  #signalAll(signal) {
    const { pid } = this.#child;
    const sessions = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    for (const each of [pid, ...sessions.map(Number)]) process.kill(each, signal);
  }

  /** SQL that changes something. */
  exec(sql, database) {
    execFileSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", this.url(database), "-c", sql],
      { timeout: 20_000, stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Rows as objects. */
  query(sql, database) {
    const output = execFileSync(
      "psql", ["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", this.url(database), "-c",
        `SELECT coalesce(json_agg(row), '[]') FROM (${sql}) AS row`],
      { encoding: "utf8", maxBuffer: 1 << 28, timeout: 20_000, stdio: ["ignore", "pipe", "pipe"] },
    );
    return JSON.parse(output);
  }
}
