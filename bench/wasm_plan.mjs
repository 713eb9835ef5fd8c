// What the benchmark of the WebAssembly module plays: a history as edits in UTF-16 code units, and
// before each transaction what its author hears of the others.
import { GapBuffer } from "./typing_history.mjs";

/**
 * {authors, edits, at, erased, inserted, steps}: edit i erases erased[i] code units and puts
 * inserted[i]. A step is {author, missing, from, to, stream}: `missing` are the steps that its author
 * hears of before it, [from, to) its edits, `stream` the bytes of its operations. Found by an
 * untimed play; flat, so that a timed one measures the module and not the plan.
 */
export function plan(core, history) {
  const txns = transactions(history);
  const { count, author, missing } = authors(txns);
  const wide = /[\u{10000}-\u{10ffff}]/u;
  const astral = txns.some((txn) => txn.patches.some((patch) => wide.test(patch[2])));
  const sites = Array.from({ length: count }, (_, i) => new Site(core, i + 1, astral));
  const steps = [];
  const at = [];
  const erased = [];
  const inserted = [];
  txns.forEach((txn, number) => {
    const site = sites[author[number]];
    site.learn(missing[number].map((need) => steps[need].stream));
    const from = at.length;
    for (const patch of txn.patches) {
      const [units, erasedUnits] = site.edit(patch);
      at.push(units);
      erased.push(erasedUnits);
      inserted.push(patch[2]);
    }
    const stream = site.doc.takeOps();
    steps.push({ author: author[number], missing: missing[number], from, to: at.length, stream });
  });
  for (const site of sites) site.doc.free();
  const edits = at.length - (history.startContent ? 1 : 0);
  return { authors: count, edits, steps, at: Uint32Array.from(at), erased: Uint32Array.from(erased), inserted };
}

/** [{agent, parents, patches}]: what the document begins with is everybody's first parent. */
function transactions({ kind, numAgents, startContent, txns }) {
  if (kind !== undefined && kind !== "concurrent") throw new Error(`histories of kind ${kind} are not known`);
  const first = startContent ? 1 : 0;
  const start = { agent: 0, parents: [], patches: [[0, 0, startContent]] };
  const all = txns.map(({ agent = 0, parents, patches }, i) => {
    if (kind === undefined) return { agent: 0, parents: i + first > 0 ? [i + first - 1] : [], patches };
    if (!(agent >= 0 && agent < numAgents)) throw new Error(`txns[${i}] is by agent ${agent} of ${numAgents}`);
    if (!parents.every((parent) => parent >= 0 && parent < i)) throw new Error(`txns[${i}] has a parent to come`);
    return { agent, parents: parents.length > 0 ? parents.map((parent) => parent + first) : [0].slice(0, first), patches };
  });
  return first > 0 ? [start, ...all] : all;
}

/**
 * {count, author, missing}: for each transaction its author, and the transactions of others that the
 * author does not know until then. As in src/app/trace_plan.h, an author is an agent, unless that
 * agent edits on versions without its own last edit; then each of its branches is one.
 */
function authors(txns) {
  const branches = [];
  const branchOf = [];
  const missing = txns.map(({ agent, parents }, number) => {
    let unknown;
    let branch = branches.find((one) => one.agent === agent && (unknown = unknownTo(one, parents, txns)));
    if (!branch) {
      branch = { agent, last: undefined, known: new Set() };
      branches.push(branch);
      unknown = unknownTo(branch, parents, txns);
    }
    for (const one of [...unknown, number]) branch.known.add(one);
    branch.last = number;
    branchOf.push(branch);
    return unknown;
  });
  [...branches].sort((a, b) => a.agent - b.agent).forEach((branch, i) => (branch.number = i));
  return { count: branches.length, author: branchOf.map((branch) => branch.number), missing };
}

/** What is before a transaction with these parents and not known; nothing if the branch's last is not before it. */
function unknownTo({ last, known }, parents, txns) {
  const found = new Set();
  let goesOn = last === undefined;
  const queue = [...parents];
  while (queue.length > 0) {
    const next = queue.pop();
    goesOn ||= next === last;
    if (known.has(next) || found.has(next)) continue;
    found.add(next);
    queue.push(...txns[next].parents);
  }
  return goesOn ? [...found].sort((a, b) => a - b) : undefined;
}

class Site {
  #text; // tells scalar values from code units, where the history has characters that differ

  constructor(core, sid, astral) {
    this.doc = core.newDocument();
    this.doc.setSite(sid);
    if (astral) this.#text = new GapBuffer();
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
