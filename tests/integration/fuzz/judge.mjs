// What is wrong with an answer, held against the description: status, form and body as support-js/openapi.mjs has it, and
// here the headers too. No 5xx is right.
import { api, faultOf, templateOf } from "../../support-js/openapi.mjs";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Headers that any answer may have: of HTTP, of browsers' rules, of the connection. All others have to be described. */
const general = new Set([
  "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin", "access-control-expose-headers",
  "access-control-max-age", "cache-control", "connection", "content-encoding", "content-length", "content-security-policy",
  "content-type", "date", "keep-alive", "strict-transport-security", "transfer-encoding", "upgrade", "vary", "x-accel-buffering",
  "x-content-type-options", "x-request-id", "referrer-policy", "cross-origin-resource-policy", "x-frame-options",
]);

/** Headers that HTTP wants with a status (RFC 9110, sections 11.6.1, 15.5.6 and 15.5.22), and ours with 429 and 503. */
const withStatus = {
  401: { "www-authenticate": /^Bearer/ }, 405: { allow: /^[A-Z]+(, [A-Z]+)*$/ }, 426: { upgrade: /./, "sec-websocket-version": /^13$/ },
  429: { "retry-after": /^[1-9][0-9]*$/ }, 503: { "retry-after": /^[0-9]+$/ },
  101: { "sec-websocket-accept": /^[A-Za-z0-9+/]{27}=$/, "sec-websocket-protocol": /^weft\.v1$/, "sec-websocket-extensions": /^permessage-deflate/ },
};
const optional = new Set(["sec-websocket-protocol", "sec-websocket-extensions"]);

function headerFault(method, path, status, headers) {
  if (status !== 101 && !/^[\w.-]{1,64}$/.test(headers["x-request-id"] ?? "")) return "has no X-Request-Id";
  const wanted = withStatus[status] ?? {};
  for (const [name, form] of Object.entries(wanted)) {
    if (!(name in headers) && optional.has(name)) continue;
    if (!form.test(headers[name] ?? "")) return `has ${name}: ${headers[name]}`;
  }
  const template = templateOf(path);
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  const described = api.paths[template]?.[verb]?.responses[status];
  const own = Object.entries(described?.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]);
  for (const [name, { required, schema }] of own) {
    if (!(name in headers)) {
      if (required) return `has no ${name}, which is described as always there`;
    } else if (schema.type === "integer" ? !/^[0-9]{1,16}$/.test(headers[name]) : !new RegExp(schema.pattern ?? "").test(headers[name])) {
      return `has ${name}: ${headers[name]}, which is not as described`;
    }
  }
  const known = new Set([...own.map(([name]) => name), ...Object.keys(wanted)]);
  const other = Object.keys(headers).filter((name) => !general.has(name) && !known.has(name) && template !== undefined);
  return other.length === 0 ? "" : `has ${other.join(", ")}, which is not described`;
}

/** "" when nothing is wrong. `asked` is the method of the route that was meant. */
export function judge({ method, path }, asked, { status, reason, headers, body }) {
  const target = path.replace(/^http:\/\/[^/]+/, "").split("?")[0];
  if (status >= 500) return `answers ${status}: ${body}`;
  if (/^(unknown)?$/i.test(reason)) return `${method} ${target} ${status} does not say what that is`;
  const fault = headerFault(method, target, status, headers);
  if (fault) return `${method} ${target} ${status} ${fault}`;
  // Where the id is none, or the name of something is not to be read, there is nothing, whatever the method.
  const id = target.split("/")[target.startsWith("/api/") ? 4 : 2] ?? "";
  const nothing = method !== asked && status === 404 && (!uuid.test(id.toLowerCase()) || target.includes("%"));
  if (nothing) return "";
  return faultOf(method, target, status, headers["content-type"] ?? "", body);
}
