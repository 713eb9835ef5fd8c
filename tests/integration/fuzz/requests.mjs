// Requests from the description alone: every route and method that it has, with parameters, headers and bodies that
// fit, or do not. A route that is described tomorrow is asked tomorrow.
const verbs = ["get", "post", "put", "patch", "delete"];

export function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    verbs.filter((verb) => item[verb]).map((verb) => ({
      path, method: verb.toUpperCase(), operation: item[verb], name: `${verb.toUpperCase()} ${path}`,
      parameters: [...(item.parameters ?? []), ...(item[verb].parameters ?? [])],
    })));
}

export class Requests {
  constructor(random, values) {
    this.random = random;
    this.values = values;
  }

  /** {method, path, headers, body} for one of operationsOf(); `id` is the document of the path. */
  make({ path, method, operation, parameters }, id) {
    const headers = {};
    const query = [];
    let target = path;
    for (const parameter of parameters) {
      if (parameter.in === "path") {
        const value = parameter.name === "id" && this.random.chance(0.9) ? id : this.#value(parameter, 0.2);
        target = target.replace(`{${parameter.name}}`, encoded(value));
      } else if (parameter.required || this.random.chance(0.5)) {
        const value = this.#value(parameter, 0.3);
        if (parameter.in === "query") query.push(`${parameter.name}=${encoded(value)}`);
        else headers[parameter.name] = headerText(value);
      }
    }
    if (this.random.chance(0.05)) query.push(this.random.pick(["x=1", "limit=1&limit=2", "=", "%zz", "&&", "at=%ff"]));
    if (query.length > 0) target += `?${query.join("&")}`;
    if (this.random.chance(0.1)) headers.Accept = this.random.pick(["text/plain", "image/png", "*/*", "text/event-stream", ";"]);
    const sent = this.#method(method);
    const body = sent === "GET" || sent === "HEAD" ? undefined : this.#body(operation, headers);
    return { method: sent, path: target, headers, body };
  }

  #method(method) {
    if (method === "GET" && this.random.chance(0.05)) return "HEAD";
    return this.random.chance(0.03) ? this.random.pick(["PUT", "POST", "DELETE", "PATCH", "TRACE"]) : method;
  }

  #value({ name, schema = {} }, broken) {
    return this.random.chance(broken) ? this.values.broken(schema) : this.values.fitting(schema, name);
  }

  #body(operation, headers) {
    const { random, values } = this;
    const content = operation.requestBody?.content;
    if (content === undefined) return random.chance(0.9) ? undefined : Buffer.from("{}");
    const media = random.pick(Object.keys(content));
    headers["Content-Type"] = random.chance(0.95) ? media : random.pick(["text/html", "application/jsonp", "", "multipart/form-data"]);
    const { schema = {} } = content[media];
    let value = values.fitting(schema);
    if (!/json/.test(media)) return Buffer.from(random.chance(0.8) ? String(value) : "\u0000\r\n" + values.odd());
    if (random.chance(0.35)) value = this.#bent(value, schema);
    const text = JSON.stringify(value);
    return random.chance(0.85) ? Buffer.from(text) : this.#spoilt(text);
  }

  /** Something is missing, too much, or of another type, at any depth. */
  #bent(value, schema) {
    const { random, values } = this;
    if (value === null || typeof value !== "object" || random.chance(0.1)) return values.broken(schema);
    const keys = Object.keys(value);
    if (keys.length === 0 || random.chance(0.2)) return Array.isArray(value) ? [values.odd()] : { ...value, [values.odd()]: 1 };
    const key = random.pick(keys);
    const out = Array.isArray(value) ? [...value] : { ...value };
    if (random.chance(0.2)) delete out[key];
    else out[key] = this.#bent(out[key], schema.properties?.[key] ?? schema.items ?? {});
    return out;
  }

  /** No JSON any more, or hardly. */
  #spoilt(text) {
    const { random } = this;
    const depth = random.pick([60, 1_000, 100_000]);
    return random.pick([
      () => Buffer.from(text.slice(0, random.below(text.length + 1))),
      () => Buffer.from(text + text),
      () => Buffer.from("[".repeat(depth)),
      () => Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
      () => Buffer.from(text.replace(/"/, '"\\ud800')),
      () => Buffer.from(text.replace(/"/, '"\u0000')),
      () => Buffer.concat([Buffer.from(text.slice(0, 2)), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from(text.slice(2))]),
      () => Buffer.from(text.replace(/"([^"]*)"/, '"$1":1,"$1"')),
      () => Buffer.alloc(random.chance(0.1) ? (8 << 20) + 1 : 70_000, "x"),
    ])();
  }
}

/** As lone surrogates are: encodeURIComponent() would throw at them. */
function encoded(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return [...Buffer.from(text)].map((byte) => /[\w.~-]/.test(String.fromCharCode(byte))
    ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Node sends no other characters in a header. */
function headerText(value) {
  return (typeof value === "string" ? value : JSON.stringify(value)).replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}
