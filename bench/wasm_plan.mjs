// What the benchmark of the WebAssembly module plays: a history as edits in UTF-16 code units, and
// before each transaction what its author hears of the others.
import { GapBuffer } from "./typing_history.mjs";

/**
 * {agents, edits, at, erased, inserted, steps}: edit i erases erased[i] code units and puts
 * inserted[i]. A step is {agent, missing, from, to, stream}: `missing` are the steps that its author
 * hears of before it, [from, to) its edits, `stream` the bytes of its operations. Found by an
 * untimed play; flat, so that a timed one measures the module and not the plan.
 */
export function plan(core, history) {
  const concurrent = history.kind === "concurrent";
  const agents = concurrent ? history.numAgents : 1;
  const first = history.startContent ? 1 : 0;
  const txns = [...(first ? [{ patches: [[0, 0, history.startContent]] }] : []), ...history.txns];
  const wide = /[\u{10000}-\u{10ffff}]/u;
  const astral = wide.test(history.startContent ?? "") ||
    txns.some((txn) => txn.patches.some((patch) => wide.test(patch[2])));
  const sites = Array.from({ length: agents }, (_, i) => new Site(core, i + 1, astral));
  const steps = [];
  const at = [];
  const erased = [];
  const inserted = [];
  txns.forEach((txn, number) => {
    const agent = txn.agent ?? 0;
    const site = sites[agent];
    const parents = concurrent && number >= first ? txn.parents.map((parent) => parent + first) : [];
    const missing = site.missing(txns, number, parents, first);
    site.learn(missing.map((need) => steps[need].stream));
    const from = at.length;
    for (const patch of txn.patches) {
      const [units, erasedUnits] = site.edit(patch);
      at.push(units);
      erased.push(erasedUnits);
      inserted.push(patch[2]);
    }
    steps.push({ agent, missing, from, to: at.length, stream: site.doc.takeOps() });
  });
  for (const site of sites) site.doc.free();
  return { agents, edits: at.length - first, steps, at: Uint32Array.from(at), erased: Uint32Array.from(erased), inserted };
}

class Site {
  #known = new Set();
  #text; // tells scalar values from code units, where the history has characters that differ

  constructor(core, sid, astral) {
    this.doc = core.newDocument();
    this.doc.setSite(sid);
    if (astral) this.#text = new GapBuffer();
  }

  /** The transactions before `number` that are not here yet, by others, in their order. */
  missing(txns, number, parents, first) {
    const found = [];
    const queue = [...parents];
    if (first > 0 && number > 0) queue.push(0);
    while (queue.length > 0) {
      const next = queue.pop();
      if (this.#known.has(next)) continue;
      this.#known.add(next);
      if ((txns[next].agent ?? 0) !== (txns[number].agent ?? 0)) found.push(next);
      if (next >= first) for (const parent of txns[next].parents ?? []) queue.push(parent + first);
    }
    this.#known.add(number);
    return found.sort((a, b) => a - b);
  }

  learn(streams) {
    for (const stream of streams) checked(this.doc.integrate(stream));
    if (this.#text && streams.length > 0) this.#text = new GapBuffer(this.doc.text());
  }

  /** Makes the edit; answers with its place and extent in code units. */
  edit([at, erased, inserted]) {
    const units = this.#text ? this.#text.splice(at, erased, inserted) : [at, erased];
    edit(this.doc, units[0], units[1], inserted);
    return units;
  }
}

export function edit(doc, at, erased, inserted) {
  if (erased > 0 && doc.erase(at, erased) !== 0) throw new Error("an erase was refused");
  if (inserted !== "" && doc.insert(at, inserted) !== 0) throw new Error("an insert was refused");
}

export function checked(refused) {
  if (refused !== 0) throw new Error(`an operation was refused: ${refused}`);
}
