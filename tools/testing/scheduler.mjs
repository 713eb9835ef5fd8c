// Runs tasks that need each other on a few slots, each in its own process group with a time limit.
//
// A task is {name, stage, needs: [names], slots, command: [program, ...args], env, cwd, limit_s, log,
// read(output, exit) -> outcome} or {name, stage, needs, expand() -> tasks}: what there is to run is
// known only when what it needs is done. A task without `read` is a step: it counts only when it
// fails, through the tasks that need it.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { outcome, tail } from "./results.mjs";

export class Scheduler {
  /** `finished(task, outcome, seconds)` is called once for every task. */
  constructor(slots, finished) {
    this.slots = slots;
    this.finished = finished;
    this.waiting = [];
    this.running = new Map();
    this.good = new Map(); // name -> did it work
  }

  async run(tasks) {
    this.waiting = [...tasks];
    for (;;) {
      this.#start_what_can();
      if (this.running.size === 0) break;
      await Promise.race(this.running.values());
    }
    for (const task of this.waiting) {
      this.#finish(task, outcome(0, 1, ["not started: what it needs never ran"]), 0);
    }
  }

  /** Ends every running process group. */
  stop() {
    for (const task of this.running.keys()) kill_group(task.child);
  }

  #start_what_can() {
    for (let i = 0; i < this.waiting.length; ) {
      const task = this.waiting[i];
      const needs = task.needs ?? [];
      const broken = needs.find((name) => this.good.get(name) === false);
      const ready = broken === undefined && needs.every((name) => this.good.get(name));
      if (broken !== undefined) {
        this.waiting.splice(i, 1);
        this.#finish(task, outcome(0, 1, [`not started: ${broken} failed`]), 0);
        i = 0;
      } else if (ready && task.expand) {
        this.waiting.splice(i, 1, ...this.#expand(task));
        i = 0;
      } else if (ready && this.#free() >= Math.min(this.slots, task.slots ?? 1)) {
        this.waiting.splice(i, 1);
        this.#start(task);
      } else {
        i += 1;
      }
    }
  }

  #free() {
    let used = 0;
    for (const task of this.running.keys()) used += Math.min(this.slots, task.slots ?? 1);
    return this.slots - used;
  }

  #expand(task) {
    try {
      const tasks = task.expand();
      if (tasks.length > 0) {
        this.good.set(task.name, true);
        return tasks;
      }
      this.#finish(task, outcome(0, 1, ["there is nothing to run"]), 0);
    } catch (error) {
      this.#finish(task, outcome(0, 1, [String(error?.message ?? error)]), 0);
    }
    return [];
  }

  #start(task) {
    const start = Date.now();
    const done = execute(task).then(({ output, exit }) => {
      this.running.delete(task);
      const seconds = (Date.now() - start) / 1000;
      const step = exit === "exit 0" ? outcome(0, 0) : outcome(0, 0, [exit, tail(output, 80)]);
      this.#finish(task, task.read ? task.read(output, exit) : step, seconds, exit);
    });
    this.running.set(task, done);
  }

  #finish(task, result, seconds, exit = "exit 0") {
    this.good.set(task.name, result.failed === 0 && (task.read !== undefined || exit === "exit 0"));
    this.finished(task, result, seconds);
  }
}

/** Runs the command to its end or to its limit. */
function execute(task) {
  mkdirSync(dirname(task.log), { recursive: true });
  const log = createWriteStream(task.log);
  const [program, ...args] = task.command;
  return new Promise((resolve) => {
    const env = { ...process.env, ...task.env };
    const stdio = ["ignore", "pipe", "pipe"];
    task.child = spawn(program, args, { cwd: task.cwd, env, stdio, detached: true });
    const pieces = [];
    const keep = (piece) => {
      pieces.push(piece);
      log.write(piece);
    };
    task.child.stdout.on("data", keep);
    task.child.stderr.on("data", keep);
    let late = false;
    let ended = false;
    const timer = setTimeout(() => {
      late = true;
      kill_group(task.child);
    }, task.limit_s * 1000);
    const end = (exit) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      kill_group(task.child); // what it left behind
      log.end(`\n${exit}\n`);
      resolve({ output: Buffer.concat(pieces).toString(), exit });
    };
    task.child.on("error", (error) => end(`cannot start ${program}: ${error.message}`));
    task.child.on("close", (code, signal) => {
      if (late) end(`stopped: not done within ${task.limit_s} s`);
      else end(signal ? `ended by ${signal}` : `exit ${code}`);
    });
  });
}

function kill_group(child) {
  try {
    if (child?.pid) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
