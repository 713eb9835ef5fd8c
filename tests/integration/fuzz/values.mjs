// Values for a schema of the description: some that fit, some at its bounds, some that do not fit.
const odd = [
  "", " ", "\u0000", "\u0001\u001f", "a\nb", "\u007f", "\ufeff", "\uffff", "\ud800", "\udc00x", "\ud83d\ude00", "e\u0301",
  "../..", "%00", "%", "'; --", "null", "-1", "0", "1e999", "9".repeat(30), "2026-11-23T12:00:00Z", "2026-13-99T99:99:99Z",
  "x".repeat(64), "x".repeat(65), "x".repeat(256), "x".repeat(257), "é".repeat(2_000),
];
const numbers = [
  0, 1, -1, 2, 0.5, 1e300, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, -(2 ** 63),
];

export class Values {
  /** `pool` knows what the server said before, by name. */
  constructor(random, pool, schemas) {
    this.random = random;
    this.pool = pool;
    this.schemas = schemas;
  }

  odd() {
    return this.random.pick(odd);
  }

  /** A value that fits the schema; `name` leads to values that exist. */
  fitting(schema, name = "", depth = 0) {
    const { random } = this;
    if (schema.$ref) return this.fitting(this.schemas[schema.$ref.split("/").at(-1)], name, depth);
    const one = schema.oneOf ?? schema.anyOf;
    if (one) return this.fitting(random.pick(one), name, depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return random.pick(schema.enum);
    switch ([schema.type].flat()[0]) {
      case "object": return this.#object(schema, depth);
      case "array": return depth > 4 ? [] : Array.from({ length: random.below(4) }, () =>
        this.fitting(schema.items ?? {}, name, depth + 1));
      case "integer":
      case "number": return this.#number(schema, name);
      case "boolean": return random.chance(0.5);
      case "null": return null;
      default: return this.#string(schema, name);
    }
  }

  #object(schema, depth) {
    const out = {};
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const needed = schema.required?.includes(name) ?? false;
      if (needed || (depth < 5 && this.random.chance(0.5))) out[name] = this.fitting(field, name, depth + 1);
    }
    return out;
  }

  #number({ minimum = -10, maximum }, name) {
    const known = this.pool.any(name);
    if (typeof known === "number" && this.random.chance(0.5)) return known;
    const most = maximum ?? minimum + 40;
    return this.random.pick([minimum, most, minimum + this.random.below(Math.min(most - minimum, 40) + 1)]);
  }

  #string({ format, minLength = 0, maxLength = 40 }, name) {
    const { random } = this;
    const known = this.pool.any(name);
    if (known !== undefined && random.chance(0.7)) return String(known);
    if (format === "uuid") return "00000000-0000-4000-8000-" + String(random.below(1e9)).padStart(12, "0");
    if (format === "date-time") return new Date(Date.now() + (random.below(2e6) - 1e6) * 1000).toISOString();
    const length = Math.max(minLength, random.pick([minLength, Math.min(maxLength, 300), Math.min(maxLength, 8)]));
    return "abcdefgh ij".repeat(Math.ceil(length / 11)).slice(0, length);
  }

  /** One that the schema does not expect, or only just. */
  broken(schema) {
    const { random } = this;
    const bounds = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined).flatMap((b) => [b - 1, b + 1]);
    const lengths = [schema.maxLength].filter((most) => most !== undefined).map((most) => "y".repeat(most + 1));
    return random.pick([
      random.pick(odd), random.pick(numbers), null, true, [], {}, [[]], { a: { b: [] } }, ...bounds, ...lengths,
    ]);
  }
}

/** What the server has told, by the name of the field; small, so that what is old is forgotten. */
export class Pool {
  #known = new Map();
  constructor(random) {
    this.random = random;
  }
  any(name) {
    const values = this.#known.get(name);
    return values === undefined ? undefined : this.random.pick(values);
  }
  add(name, value) {
    const values = this.#known.get(name) ?? [];
    if (!values.includes(value)) values.push(value);
    if (values.length > 12) values.splice(this.random.below(6), 1);
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
  user: ["name"], token_id: ["name"],
};
