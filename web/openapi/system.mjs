// The server itself, and the way in for live editing.
import { documentId, integer, json, object, ok, refusals, string } from "./parts.mjs";

export const schemas = {
  Problem: object({
    type: string(),
    title: string(),
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: string({ description: "For a person" }),
    code: string({ pattern: "^[a-z0-9_]+$", description: "To test for; docs/ERRORS.md lists them" }),
    request_id: string(),
    "version?": integer({ description: "With 412: where the document is" }),
    "edit?": integer({ description: "With 422: which edit it was, from 0" }),
  }),
  Health: object({ status: string({ enum: ["ok", "draining"] }), version: string() }),
  Ready: object({
    status: string({ enum: ["ready"] }),
    checks: object({ database: string({ enum: ["ok"] }), draining: string({ enum: ["no"] }) }),
  }),
};

schemas.Replicas = object({
  replicas: {
    type: "array",
    items: object({
      replica_id: string(),
      instance: string({ format: "uuid", description: "Of the process: another after every start" }),
      version: string(),
      url: string({ description: "Where it listens" }),
      bus: string({ description: "How it hears of the others" }),
      started: string({ format: "date-time" }),
      seen: string({ format: "date-time", description: "Its last heartbeat" }),
      alive: { type: "boolean", description: "Heard of within 15 s" },
      self: { type: "boolean", description: "The one that answers" },
    }),
  },
});

const upgraded = { Server: { required: true, description: "The program, without its version", schema: string({ pattern: "^weft$" }) } };
const ofFile = { ETag: { required: true, description: "Of this description", schema: string() } };

export const paths = {
  "/healthz": {
    get: {
      operationId: "health",
      summary: "Whether the process lives",
      security: [],
      responses: { 200: ok("It does", json({ $ref: "#/components/schemas/Health" })) },
    },
  },
  "/readyz": {
    get: {
      operationId: "ready",
      summary: "Whether it can take requests: the database answers, revoked tokens are known, and it is not shutting down",
      security: [],
      responses: { 200: ok("It can", json({ $ref: "#/components/schemas/Ready" })), ...refusals(503) },
    },
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      summary: "Metrics, as Prometheus reads them",
      security: [],
      responses: { 200: ok("docs/OPERATIONS.md lists them", { "text/plain": { schema: string() } }) },
    },
  },
  "/api/v1/replicas": {
    get: {
      operationId: "listReplicas",
      summary: "For admins: the servers that share this database",
      responses: {
        200: ok("By replica_id, with those that have gone silent lately", json({ $ref: "#/components/schemas/Replicas" })),
        ...refusals(401, 403, 429, 503),
      },
    },
  },
  "/sns": {
    post: {
      operationId: "hearSns",
      summary: "For Amazon SNS: a signed notification or confirmation. Only with the bus sns-https",
      security: [],
      requestBody: { required: true, content: { "text/plain": { schema: string({ description: "SNS's JSON" }) } } },
      responses: { 204: ok("Taken"), ...refusals(400, 403, 404, 409, 413, 503) },
    },
  },
  "/openapi.json": {
    get: {
      operationId: "describe",
      summary: "This description",
      security: [],
      responses: { 200: ok("OpenAPI 3.1", json({ type: "object" }), ofFile), 304: ok("Nothing new", undefined, ofFile) },
    },
  },
  "/api/v1/documents/{id}/ws": {
    parameters: [documentId],
    get: {
      operationId: "socket",
      summary: "The WebSocket for live editing, subprotocol weft.v1; its first message carries the token",
      security: [],
      responses: { 101: ok("Upgraded", undefined, upgraded), ...refusals(400, 404, 426, 429, 503) },
    },
  },
};
