// What the description of the API is made of: small words for OpenAPI 3.1's large ones.

export const string = (more = {}) => ({ type: "string", ...more });
export const integer = (more = {}) => ({ type: "integer", minimum: 0, ...more });
export const boolean = { type: "boolean" };
export const time = string({ format: "date-time", description: "RFC 3339, UTC" });
export const uuid = string({ format: "uuid" });
export const array = (items, more = {}) => ({ type: "array", items, ...more });
export const nullable = (schema) => ({ ...schema, type: [schema.type, "null"] });
export const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/** Every property is there unless its name ends with "?". */
export function object(properties, more = {}) {
  const plain = Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ""), schema]);
  const required = Object.keys(properties).filter((name) => !name.endsWith("?"));
  return { type: "object", properties: Object.fromEntries(plain), required, ...more };
}

export const json = (schema) => ({ "application/json": { schema } });
export const plainText = { "text/plain": { schema: string() } };

export const query = (name, schema, description, required = false) =>
  ({ name, in: "query", required, description, schema });
export const header = (name, schema, description) =>
  ({ name, in: "header", required: false, description, schema });

export const documentId = { name: "id", in: "path", required: true, description: "The document", schema: uuid };
export const nameInPath = (description) =>
  ({ name: "name", in: "path", required: true, description, schema: string({ minLength: 1 }) });

const index = "[0-9]{1,15}";
const moment = "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})";
export const authors = {
  type: "object", additionalProperties: ref("Author"),
  description: "By site: who wrote as those that the answer names, where it is known",
};
export const version = integer({ maximum: 2 ** 53 - 1, description: "A log index; 0 is the empty document" });
export const versionOrTime = string({
  pattern: `^(${index}|${moment})?$`,
  description: "A version (a log index), or a time (RFC 3339): the last version at or before it",
});
export const limit = (most, usual) =>
  query("limit", integer({ minimum: 1, maximum: most, default: usual }), "How many at most");
export const cursor = query("cursor", string(), "From the page before");
export const idempotencyKey = header(
  "Idempotency-Key", string({ minLength: 1, maxLength: 255 }),
  "A repeated request with the same key is answered with what the first one did",
);
export const ifMatch = header(
  "If-Match", string({ pattern: '^([*]|(W/)?"[0-9]+"(, *(W/)?"[0-9]+")*)$' }),
  "Only if the document is at this version, in quotes; * is any",
);
export const ifNoneMatch = header("If-None-Match", string(), "An ETag that is known already: 304 when it still holds");

const problems = {
  400: "The request can never succeed as it is",
  401: "No token, or a void one",
  403: "The caller may not do this",
  404: "There is no such thing, or not for this caller",
  406: "None of the accepted forms is to be had",
  409: "It contradicts what is there",
  410: "It was deleted",
  412: "The document is at another version",
  413: "A documented limit was passed",
  415: "The body is of another type",
  422: "The body is well-formed and makes no sense here",
  426: "A WebSocket upgrade is wanted",
  429: "Too many requests: wait",
  500: "Stored data fails its checks: an operator is needed",
  503: "Not now: retry later",
};

/** Answers that are problems, by status; some come with every route. */
export function refusals(...statuses) {
  return Object.fromEntries(statuses.map((status) => [
    String(status),
    { description: problems[status], content: { "application/problem+json": { schema: ref("Problem") } } },
  ]));
}

/** What every request about a document may be answered. */
export const aboutDocument = refusals(400, 401, 403, 404, 410, 429, 500, 503);

export const ok = (description, content, headers) =>
  ({ description, ...(content && { content }), ...(headers && { headers }) });
export const etag = { ETag: { required: true, description: "The version, in quotes", schema: string({ pattern: '^"[0-9]+"$' }) } };
export const location = { Location: { required: true, description: "Its address", schema: string() } };
export const body = (schema, more = {}) => ({ required: true, content: { ...json(schema), ...more } });
