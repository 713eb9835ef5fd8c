// Editing histories in the format of josephg/editing-traces, generated from a seed. How they must end
// is computed here by other means than the product's: plain splicing for one author, the paper's naive
// RGA (naive_rga.mjs) for several.
import { gzipSync } from "node:zlib";
import { NaiveReplica } from "./naive_rga.mjs";

/** xorshift32 with a scrambled seed: small, and the same everywhere. */
export class Random {
  #state;
  constructor(seed) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x5bd1e995) | 1;
  }
  below(n) {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 2 ** 32) * n);
  }
  chance(p) {
    return this.below(1_000_000) < p * 1_000_000;
  }
  pick(from) {
    return from[this.below(from.length)];
  }
}

/** WEFT_SEED replays a run; otherwise every run is another one and says which. */
export function seedFor(t) {
  const given = process.env.WEFT_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  t.diagnostic(`WEFT_SEED=${seed}`);
  return seed;
}

const pieces = [
  "a", "b", "word ", " ", "\n", "\r\n", "\t", "if (x) {\n", "}", "é", "ß", "漢字", "😀", "👩‍👩‍👧", "🇪🇺", "\ufeff",
  "e\u0301", "\u0001", "\uffff", "\u{10ffff}", "x".repeat(40),
];

/** People type forwards mostly, now and then somewhere else; they backspace, replace and paste. */
class Typist {
  #random;
  #cursor = 0;
  constructor(random) {
    this.#random = random;
  }

  /** [position, deleted, inserted] for a text of `length` scalar values. */
  patch(length) {
    const random = this.#random;
    if (this.#cursor > length || random.chance(0.1)) this.#cursor = random.below(length + 1);
    const at = this.#cursor;
    if (length > 0 && random.chance(0.2)) {
      const from = Math.max(0, at - 1 - random.below(3));
      const erased = Math.min(length - from, 1 + random.below(3));
      this.#cursor = from;
      return [from, erased, ""];
    }
    const erased = random.chance(0.1) ? random.below(Math.min(8, length - at) + 1) : 0;
    let inserted = random.pick(pieces);
    while (random.chance(0.2)) inserted += random.pick(pieces);
    this.#cursor = at + [...inserted].length;
    return [at, erased, inserted];
  }
}

function patches(random, typist, apply, length) {
  const list = [];
  do {
    const patch = typist.patch(length());
    apply(patch);
    list.push(patch);
  } while (random.chance(0.2));
  return list;
}

export function sequentialHistory(seed, { transactions = 400, start = "" } = {}) {
  const random = new Random(seed);
  const typist = new Typist(random);
  const text = [...start];
  const txns = [];
  for (let i = 0; i < transactions; ++i) {
    const apply = ([at, erased, inserted]) => text.splice(at, erased, ...inserted);
    txns.push({
      time: "2024-01-01T00:00:00.000Z",
      patches: patches(random, typist, apply, () => text.length),
    });
  }
  return { startContent: start, endContent: text.join(""), txns };
}

/**
 * Several authors, each with a replica of its own. `learn`: "all" when whoever looks at the others'
 * work sees all of it, "one" when only that of one other author. `branches`: how many times agent 0
 * edits on without having seen its own other branches.
 */
export function concurrentHistory(
  seed,
  { authors = 3, transactions = 400, learn = "one", branches = 1, learnChance = 0.15 } = {},
) {
  const random = new Random(seed);
  // In the order in which sites are numbered: by agent, then by branch.
  const sites = [];
  for (let agent = 0; agent < authors; ++agent) {
    for (let b = 0; b < (agent === 0 ? branches : 1); ++b) {
      const site = { agent, replica: new NaiveReplica(sites.length + 1), typist: new Typist(random) };
      site.heads = [];
      sites.push(site);
    }
  }
  const txns = [];
  const know = (site, others) => {
    for (const other of others) {
      if (other === site || other.heads.length === 0) continue;
      if (!site.replica.merge(other.replica)) continue;
      site.heads.push(...other.heads);
    }
    site.heads = headsOf(txns, site.heads);
  };
  for (let i = 0; i < transactions; ++i) {
    // Everybody begins once, in the order of their numbers.
    const site = i < sites.length ? sites[i] : random.pick(sites);
    // A branch of agent 0 stays alone: whoever knows two of them is not one of them.
    const alone = branches > 1 && site.agent === 0;
    if (!alone && random.chance(learnChance)) know(site, learn === "all" ? sites : [random.pick(sites)]);
    const list = patches(
      random, site.typist, (patch) => site.replica.splice(...patch), () => site.replica.length);
    txns.push({
      parents: [...site.heads], numChildren: 0, agent: site.agent,
      time: "2024-01-01T00:00:00.000Z", patches: list,
    });
    site.heads = [i];
  }
  for (const txn of txns) for (const parent of txn.parents) ++txns[parent].numChildren;
  for (const site of sites) know(site, sites);
  const texts = new Set(sites.map((site) => site.replica.text()));
  if (texts.size !== 1) throw new Error("the naive replicas differ");
  return { kind: "concurrent", endContent: [...texts][0], numAgents: authors, txns };
}

/** Without those that are ancestors of others. */
function headsOf(txns, numbers) {
  const candidates = new Set(numbers);
  const seen = new Set();
  const queue = [...candidates].flatMap((number) => txns[number].parents);
  while (queue.length > 0) {
    const number = queue.pop();
    if (seen.has(number)) continue;
    seen.add(number);
    candidates.delete(number);
    queue.push(...txns[number].parents);
  }
  return [...candidates].sort((a, b) => a - b);
}

export const toJson = (history) => Buffer.from(JSON.stringify(history));
export const toGzip = (history) => gzipSync(toJson(history));
