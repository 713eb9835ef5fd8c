// The Prometheus text format 0.0.4, read strictly: what is not exactly right is an error. After
// https://prometheus.io/docs/instrumenting/exposition_formats/ and what promtool complains about.
import assert from "node:assert/strict";

const metric_name = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const number = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;
const unescape = (text, where) =>
  text.replace(/\\(.|$)/g, (_, c) => {
    const plain = { "\\": "\\", n: "\n", '"': '"' }[c];
    assert.ok(plain !== undefined, `${where}: \\${c} is no escape`);
    return plain;
  });

function labels_of(text, where) {
  const labels = {};
  let rest = text;
  while (rest !== "") {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"(,|$)/.exec(rest);
    assert.ok(match, `${where}: labels ${text}`);
    const [whole, name, value, comma] = match;
    rest = rest.slice(whole.length);
    assert.ok(!(name in labels), `${where}: ${name} twice`);
    assert.ok(!name.startsWith("__"), `${where}: ${name} is reserved`);
    assert.ok(comma === "" || rest !== "", `${where}: a comma at the end`);
    labels[name] = unescape(value, where);
  }
  return labels;
}

function value_of(text, where) {
  assert.match(text, number, where);
  return Number(text.replace(/inf$/i, "Infinity"));
}

/** Name -> {help, type, samples: [{name, labels, value}]}. Throws on anything that is not as it must be. */
export function parse_exposition(text) {
  assert.ok(text.endsWith("\n"), "the last line ends, too");
  const families = new Map();
  let current = null;
  text.slice(0, -1).split("\n").forEach((line, at) => {
    const where = `line ${at + 1}, ${line}`;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment;
      assert.match(name, metric_name, where);
      if (kind === "HELP") {
        assert.ok(!families.has(name), `${where}: twice, or not together`);
        assert.notEqual(rest, "", `${where}: no help`);
        current = { name, help: unescape(rest, where), samples: [] };
        families.set(name, current);
      } else {
        assert.equal(current?.name, name, `${where}: not after its HELP`);
        assert.equal(current.type, undefined, `${where}: twice`);
        assert.ok(["counter", "gauge", "histogram"].includes(rest), where);
        current.type = rest;
      }
      return;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(sample, where);
    const [, name, labels = "", value] = sample;
    const own = current?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    assert.ok(own.some((suffix) => name === current?.name + suffix), `${where}: of another family`);
    current.samples.push({ name, labels: labels_of(labels, where), value: value_of(value, where) });
  });
  for (const family of families.values()) check_family(family);
  return families;
}

function check_family({ name, type, samples }) {
  assert.ok(type !== undefined, `${name} has no type`);
  assert.ok(samples.length > 0, `${name} has no samples`);
  const keys = samples.map((sample) => `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`);
  assert.equal(new Set(keys).size, keys.length, `${name}: a series twice`);
  if (type === "counter") assert.match(name, /_total$/);
  else assert.doesNotMatch(name, /_total$/);
  if (type !== "gauge") {
    for (const { value } of samples) assert.ok(value >= 0 && Number.isFinite(value), `${name} ${value}`);
  }
  if (type === "histogram") check_histogram(name, samples);
  const names_of = ({ labels }) => Object.keys(labels).filter((label) => label !== "le").sort().join();
  for (const sample of samples) assert.equal(names_of(sample), names_of(samples[0]), `${name}: other labels`);
}

function check_histogram(name, samples) {
  const groups = new Map();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    if (!groups.has(key)) groups.set(key, { buckets: [] });
    const group = groups.get(key);
    if (sample.name === `${name}_bucket`) group.buckets.push([value_of(le ?? "", `${name} le`), sample.value]);
    else {
      assert.equal(le, undefined, `${name}: le at ${sample.name}`);
      group[sample.name.slice(name.length + 1)] = sample.value;
    }
  }
  for (const { buckets, sum, count } of groups.values()) {
    assert.ok(sum !== undefined && count !== undefined, `${name}: _sum and _count`);
    assert.deepEqual(buckets.at(-1), [Infinity, count], `${name}: the last bucket is +Inf and has all`);
    for (let i = 1; i < buckets.length; ++i) {
      assert.ok(buckets[i][0] > buckets[i - 1][0], `${name}: bounds ascend`);
      assert.ok(buckets[i][1] >= buckets[i - 1][1], `${name}: buckets are cumulative`);
    }
    assert.ok(count > 0 || sum === 0, `${name}: a sum of nothing`);
  }
}

/** The value of one series; 0 when there is none yet. */
export function value(families, name, labels = {}) {
  const family = families.get(name) ?? families.get(name.replace(/_(count|sum|bucket)$/, ""));
  const fits = (sample) => sample.name === name && Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted);
  return family?.samples.find(fits)?.value ?? 0;
}

/** What only grows has not fallen from one scrape to the next, and nothing has gone. */
export function assert_monotone(before, after) {
  for (const [name, family] of before) {
    assert.ok(after.has(name), `${name} is gone`);
    if (family.type === "gauge") continue;
    for (const sample of family.samples) {
      const later = value(after, sample.name, sample.labels);
      assert.ok(later >= sample.value, `${sample.name} ${JSON.stringify(sample.labels)} fell to ${later}`);
    }
  }
}
