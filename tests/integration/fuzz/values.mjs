// Values for a schema of the description: some that fit, some at its bounds, some that do not fit.
//
// They are plain data, so that fast-check can shrink and replay them. What depends on the clock or on what the server has
// said is a stand-in, which settled() fills in when the call is made.
import fc from "fast-check";

/** The `nth` of the values that the server gave under this name; `otherwise` while it gave none of the type. */
export class Known {
  constructor(name, nth, otherwise, type) {
    Object.assign(this, { name, nth, otherwise, type });
  }
}

/** A date-time, so many seconds from the moment of the call. */
export class Moment {
  constructor(seconds) {
    this.seconds = seconds;
  }
}

/** Text that goes out as it is: a number that JavaScript has not, a piece of a path with its escapes. */
export class Literal {
  constructor(text) {
    this.text = text;
  }
}

/** `value` with its stand-ins filled in from `pool`. */
export function settled(value, pool) {
  if (value instanceof Known) return pool.at(value.name, value.nth, value.type) ?? settled(value.otherwise, pool);
  if (value instanceof Moment) return new Date(Date.now() + value.seconds * 1000).toISOString();
  if (value === null || typeof value !== "object" || value instanceof Literal) return value;
  if (Array.isArray(value)) return value.map((item) => settled(item, pool));
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, settled(field, pool)]));
}

/** As JSON.stringify(), with literals as they are. */
export function jsonText(value) {
  if (value instanceof Literal) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${jsonText(field)}`).join(",")}}`;
}

/** One of [weight, arbitrary]…; a failure is tried with the first of them, so that is to be the plainest. */
export const choice = (...weighted) =>
  fc.oneof({ withCrossShrink: true }, ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** One time in `n`; undefined otherwise. */
export const rarely = (n, arbitrary) => choice([n - 1, fc.constant(undefined)], [1, arbitrary]);

const odd = fc.constantFrom(
  "", " ", "\u0000", "\u0001\u001f", "a\nb", "\r\n", "\u007f", "\u0085", "\u2028", "\ufeff", "\ufffe", "\uffff", "\ud800",
  "\udc00x", "\udbff\ud800", "\ud83d\ude00", "e\u0301", "\u202e", "../..", "%00", "%", "'; --", "null", "true", "-1", "0",
  "1e999", "+1", "1.0", "0x10", " 1", "٣", "9".repeat(15), "9".repeat(16), "9".repeat(30), "__proto__", "2026-11-23T12:00:00Z",
  "2026-13-99T99:99:99Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60+23:59", "2026-02-30T00:00:00.000000000001-00:00",
  "x".repeat(64), "x".repeat(65), "x".repeat(256), "x".repeat(257), "é".repeat(2_000),
);
const numbers = fc.constantFrom(
  0, 1, -1, 2, 0.5, -0.5, 1e300, 5e-324, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, -(2 ** 63),
);
const literals = fc.constantFrom(
  "-0", "1.0", "1E2", "1e-400", "1e400", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615",
  "18446744073709551616", "9".repeat(400), "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "'x'", "tru", '"\\x"', '"\\u12"',
).map((text) => new Literal(text));
const nested = fc.integer({ min: 1, max: 64 }).map((depth) => new Literal("[".repeat(depth) + "]".repeat(depth)));
const moment = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((seconds) => new Moment(seconds));

/** A name or a text that nothing expects. */
export const oddText = choice([4, odd], [1, fc.string({ unit: "binary", maxLength: 20 })]);

export class Values {
  #schemas;
  #fitting = new Map();
  constructor(schemas) {
    this.#schemas = schemas;
  }

  /** What fits the schema; `name` leads to values that exist. */
  fitting(schema, name = "") {
    const of = this.#fitting.get(schema) ?? new Map();
    this.#fitting.set(schema, of);
    if (!of.has(name)) of.set(name, this.#build(schema, name));
    return of.get(name);
  }

  #build(schema, name) {
    if (schema.$ref) return this.fitting(this.#resolve(schema), name);
    const alternatives = schema.oneOf ?? schema.anyOf;
    if (alternatives) return fc.oneof(...alternatives.map((one) => this.fitting(one, name)));
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const types = [schema.type].flat().map((type) => this.#typed(type, schema, name));
    return choice(...types.map((arbitrary, place) => [place === 0 ? 3 : 1, arbitrary]));
  }

  #typed(type, schema, name) {
    switch (type) {
      case "object": return this.#object(schema);
      case "array": return fc.array(this.fitting(schema.items ?? {}, name), { minLength: schema.minItems ?? 0, maxLength: 4 });
      case "integer": case "number": return this.#number(schema, name);
      case "boolean": return fc.boolean();
      case "null": return fc.constant(null);
      default: return this.#string(schema, name);
    }
  }

  #object({ properties = {}, required = [] }) {
    const fields = Object.fromEntries(Object.entries(properties).map(([key, field]) => [key, this.fitting(field, key)]));
    return fc.record(fields, { requiredKeys: required.filter((key) => key in fields), noNullPrototype: true });
  }

  #number({ minimum = -10, maximum }, name) {
    const most = maximum ?? minimum + 40;
    const plain = choice(
      [3, fc.integer({ min: minimum, max: Math.min(most, minimum + 40) })], [1, fc.constantFrom(minimum, most)]);
    return choice([1, plain], [1, this.#known(name, plain, "number")]);
  }

  #string({ format, pattern, minLength = 0, maxLength = 40 }, name) {
    const most = Math.min(maxLength, 300);
    const text = choice(
      [4, fc.string({ minLength, maxLength: Math.max(minLength, Math.min(most, 8)) })],
      [1, fc.constantFrom("line", "first line\n", "second", "\n")],
      [1, fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.floor(most / 4)) })],
      [1, fc.constantFrom("x".repeat(Math.max(1, minLength)), "x".repeat(most))]);
    const plain = format === "uuid" ? fc.uuid() : format === "date-time" ? moment
      : pattern ? fc.stringMatching(new RegExp(pattern)) : text;
    return choice([3, plain], [7, this.#known(name, plain, "string")]);
  }

  #known(name, otherwise, type) {
    return fc.tuple(fc.nat(11), otherwise).map(([nth, value]) => new Known(name, nth, value, type));
  }

  /** What the schema does not expect, or only just. */
  broken(schema) {
    const { minimum, maximum, maxLength } = this.#resolve(schema);
    const bounds = [minimum, maximum].filter((bound) => bound !== undefined).flatMap((bound) => [bound - 1, bound + 1]);
    if (maxLength !== undefined) bounds.push("y".repeat(maxLength + 1), "é".repeat(maxLength), "y".repeat(maxLength));
    return choice(
      [3, fc.constantFrom(null, true, [], {}, [[]], { a: { b: [] } })], [3, oddText], [2, numbers], [2, literals], [1, nested],
      [1, fc.jsonValue()], ...(bounds.length > 0 ? [[3, fc.constantFrom(...bounds)]] : []));
  }

  /** What fits but for one place, at any depth: it is missing, too much, or broken. */
  bent(schema) {
    const plain = this.#resolve(schema);
    if (plain.oneOf ?? plain.anyOf) return fc.oneof(...(plain.oneOf ?? plain.anyOf).map((one) => this.bent(one)));
    const ways = [[1, this.broken(plain)]];
    const change = (value, edit) => fc.tuple(this.fitting(plain), value).map(([whole, part]) => edit(whole, part));
    if (plain.properties) {
      ways.push([2, change(oddText, (whole, key) => ({ ...whole, [key]: 1 }))]);
      for (const [key, field] of Object.entries(plain.properties)) {
        ways.push([2, change(this.bent(field), (whole, part) => whole && ({ ...whole, [key]: part }))]);
        ways.push([1, this.fitting(plain).map((whole) => whole && without(whole, key))]);
      }
    } else if (plain.items) {
      ways.push([8, change(this.bent(plain.items), (whole, part) => [...whole.slice(1), part])]);
    }
    return choice(...ways);
  }

  #resolve(schema) {
    return schema.$ref ? this.#resolve(this.#schemas[schema.$ref.split("/").at(-1)]) : schema;
  }
}

const without = (whole, key) => Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));

/** What the server has told, by the name of the field; small, so that what is old is forgotten. */
export class Pool {
  #known = new Map();
  #never;
  /** `never`: what must not be handed out, such as the ids of documents that are to stay as they are. */
  constructor(never = []) {
    this.#never = new Set(never);
  }
  at(name, nth, type) {
    const values = (this.#known.get(name) ?? []).filter((value) => type !== "number" || typeof value === "number");
    if (values.length === 0) return undefined;
    const value = values[values.length - 1 - (nth % values.length)];
    return type === "string" ? String(value) : value;
  }
  add(name, value) {
    const values = this.#known.get(name) ?? [];
    if (!values.includes(value) && !this.#never.has(value)) values.push(value);
    if (values.length > 12) values.shift();
    this.#known.set(name, values);
  }
  /** Every field of an answer, by the names under which requests ask for the same. */
  learn(value, name = "") {
    if (value === null || value === "") return;
    if (Array.isArray(value)) value.slice(0, 5).forEach((item) => this.learn(item, name));
    else if (typeof value === "object") for (const [key, field] of Object.entries(value)) this.learn(field, key);
    else if (typeof value !== "boolean" && String(value).length < 2_000) {
      for (const known of [name, ...(also[name] ?? [])]) this.add(known, value);
    }
  }
}
const also = {
  document_id: ["id"], next_cursor: ["cursor"], version: ["at", "from", "to"], newest_version: ["at", "from", "to"],
  user: ["name"], token_id: ["name"], client: ["Weft-Client"],
};
