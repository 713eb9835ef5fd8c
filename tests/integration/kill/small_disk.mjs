// A small file system in memory that only the test's own processes see: a mount namespace that a
// sleeping process holds open. Without the right to make one there is nothing to test with, and that
// is a failure.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

export class SmallDisk {
  #holder;
  #directory;
  #user;

  /** `bytes` of space at `directory`, which exists. */
  static async make(t, directory, bytes) {
    const disk = new SmallDisk();
    disk.#directory = directory;
    disk.#user = process.getuid() === 0 ? [] : ["--user", "--map-root-user"];
    const script = `mount -t tmpfs -o size=${bytes},mode=0700 tmpfs "$1" && echo ready && exec sleep 100000`;
    const args = [...disk.#user, "--mount", "--propagation", "private", "sh", "-c", script, "sh", directory];
    if (disk.#user.length > 0) args.splice(args.indexOf("--propagation"), 2);
    const holder = spawn("unshare", args, { stdio: ["ignore", "pipe", "pipe"] });
    disk.#holder = holder;
    t.after(() => holder.kill("SIGKILL"));
    let stderr = "";
    holder.stderr.on("data", (text) => (stderr += text));
    const [said] = await Promise.race([once(holder.stdout, "data"), once(holder, "close")]);
    assert.equal(String(said), "ready\n", `no small file system could be made: ${stderr}`);
    return disk;
  }

  /** Runs what follows it where the disk is. */
  get within() {
    const user = this.#user.length > 0 ? ["--user", "--preserve-credentials"] : [];
    return ["nsenter", "--target", String(this.#holder.pid), "--mount", ...user, "--"];
  }
  /** The disk's files, seen from here. */
  path(name = "") {
    return join(`/proc/${this.#holder.pid}/root`, this.#directory, name);
  }
  /** Until not one byte more is possible. */
  fill() {
    const file = openSync(this.path("filler"), "a");
    let taken = 0;
    for (const size of [1 << 16, 1 << 12, 1]) {
      try {
        for (;;) taken += writeSync(file, Buffer.alloc(size, 1));
      } catch (error) {
        if (error.code !== "ENOSPC") throw error;
      }
    }
    closeSync(file);
    return taken;
  }
  free() {
    rmSync(this.path("filler"));
  }
}
