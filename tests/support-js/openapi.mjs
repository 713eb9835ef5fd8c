// Holds answers against the description of the API (web/openapi): the route must be described, the status
// must be one of its own, and the body must have exactly the fields that are written there.
import assert from "node:assert/strict";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { openapi } from "../../web/openapi/index.mjs";

export const api = openapi("0");
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);

const templates = Object.keys(api.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/\{[a-z]+\}/g, "[^/]+")}$`),
}));

/** The described path that this one is an instance of, the plainest first; undefined for none. */
export function templateOf(path) {
  const fitting = templates.filter(({ pattern }) => pattern.test(path));
  return fitting.sort((a, b) => holes(a.path) - holes(b.path))[0]?.path;
}
const holes = (path) => path.split("{").length;

/** The description must not be looser than the server: objects have no other fields than they say. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  if (typeof schema.$ref === "string") return closed(api.components.schemas[schema.$ref.split("/").at(-1)]);
  const out = Object.fromEntries(Object.entries(schema).map(([key, value]) =>
    [key, key === "properties"
      ? Object.fromEntries(Object.entries(value).map(([name, field]) => [name, closed(field)]))
      : closed(value)]));
  if (out.type === "object" && out.properties && !("additionalProperties" in out)) out.additionalProperties = false;
  return out;
}

const validators = new Map();
function validatorOf(schema) {
  if (!validators.has(schema)) validators.set(schema, ajv.compile(closed(schema)));
  return validators.get(schema);
}

const problem = { $ref: "#/components/schemas/Problem" };

/** What is refused before its route is looked at is a problem all the same. */
function problemFault(method, template, status, type, body) {
  if (method === "HEAD") return "";
  if (type !== "application/problem+json") return `${method} ${template} answers ${status} as ${type || "nothing"}`;
  const validate = validatorOf(problem);
  return validate(JSON.parse(body)) ? "" : `${method} ${template} ${status}: ${ajv.errorsText(validate.errors)}`;
}

/** What a request may be refused with before its route is looked at; 413 also where no body is expected. */
const early = [400, 403, 408, 414, 417, 431, 503, 505];
const before = (status, operation) => early.includes(status) || (status === 413 && operation?.requestBody === undefined);

/** Says what is wrong with an answer; "" when nothing is. */
export function faultOf(method, path, status, type, body) {
  if (method === "OPTIONS" && status === 204) return "";  // CORS, not the API
  const template = templateOf(path);
  if (template === undefined) {
    if (!path.startsWith("/api/") || status === 404) return "";
    return before(status) ? problemFault(method, path, status, type, body) : `${path} is not described, and answers ${status}`;
  }
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  const operation = api.paths[template][verb];
  if (operation === undefined) {
    return status === 405 || status >= 500 || before(status)
      ? problemFault(method, template, status, type, body) : `${method} ${template} is not described, and answers ${status}`;
  }
  const described = operation.responses[status];
  if (described === undefined) {
    return before(status, operation) ? problemFault(method, template, status, type, body) : `${method} ${template} answers ${status}, which is not described`;
  }
  if (method === "HEAD" || status === 204 || status === 304 || status === 101) return "";
  const media = (type ?? "").split(";")[0];
  const content = described.content?.[media];
  if (content === undefined) return `${method} ${template} answers ${status} as ${media || "nothing"}`;
  if (!/json$/.test(media)) return "";
  const validate = validatorOf(content.schema);
  if (validate(JSON.parse(body))) return "";
  return `${method} ${template} ${status}: ${ajv.errorsText(validate.errors)}\n${body.slice(0, 500)}`;
}

export async function checkAnswer(method, path, response) {
  const type = response.headers.get("content-type");
  const streams = type?.startsWith("text/event-stream") ?? false;
  const body = streams || method === "HEAD" ? "" : await response.clone().text();
  assert.equal(faultOf(method, new URL(path, "http://x").pathname, response.status, type, body), "");
}
