// ./dev fuzz [target [seconds]]: fuzzes the targets whose name contains the word, a few at a time.
import { availableParallelism, cpus } from "node:os";
import { Scheduler } from "./testing/scheduler.mjs";
import { fuzz_tasks } from "./testing/stages.mjs";

const [word = "", seconds = "60"] = process.argv.slice(2);
let failed = 0;
const scheduler = new Scheduler(availableParallelism?.() ?? cpus().length, (task, result, took) => {
  failed += result.failed;
  console.log(`${task.name}  ${result.failed > 0 ? "FAILED" : "ok"}  ${result.note ?? ""}  ${took.toFixed(0)} s`);
  for (const message of result.messages) console.log(message);
});
process.on("SIGINT", () => {
  scheduler.stop();
  process.exit(1);
});
const tasks = fuzz_tasks(Number(seconds), word);
if (tasks.length === 0) {
  console.error(`./dev fuzz: no target contains '${word}'`);
  process.exit(2);
}
await scheduler.run(tasks);
process.exit(failed > 0 ? 1 : 0);
