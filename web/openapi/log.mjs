// The log itself, for programs that keep a replica of their own.
import {
  aboutDocument, array, authors, body, boolean, documentId, etag, header, integer, json, limit, nullable, object, ok, query, ref,
  refusals, string, time, uuid, version,
} from "./parts.mjs";

const only = { additionalProperties: false };
const bytes = { "application/octet-stream": { schema: string({ format: "binary" }) } };
const client = uuid;
const number = (description) => ({ description, schema: integer() });

export const schemas = {
  Operation: object({
    kind: string({ enum: ["insert", "erase", "erase_back", "update", "purge"] }),
    ssn: integer(),
    sum: integer(),
    sid: integer(),
    seq: integer(),
    len: integer({ minimum: 1 }),
    ref: { type: ["object", "null"], properties: { sid: integer(), seq: integer() }, required: ["sid", "seq"] },
    "value?": string({ description: "The text, of inserts and updates" }),
  }),
  Operations: object({
    document_id: uuid,
    after: version,
    operations: array(object({ version, base: version, time, operation: ref("Operation") })),
    authors,
    next_after: nullable(integer()),
  }),
  Site: object({
    document_id: uuid,
    sid: integer({ minimum: 1 }),
    acked_seq: integer({ description: "Everything of the site up to here is durable" }),
    ssn: integer(),
    version,
  }),
  Pushed: object({
    document_id: uuid,
    sid: integer({ minimum: 1 }),
    acked_seq: integer(),
    version,
    rebased: { ...boolean, description: "It came late and stands in the log otherwise than it was sent" },
  }),
  SnapshotTaken: object({ document_id: uuid, version }),
  Snapshot: object({ document_id: uuid, version, elements: array(ref("Element")) }),
};

export const paths = {
  "/api/v1/documents/{id}/operations": {
    parameters: [documentId],
    get: {
      operationId: "listOperations",
      summary: "The rows of the log",
      parameters: [query("after", version, "After this version; without: from the beginning"), limit(2000, 500)],
      responses: {
        200: ok("A page", { ...json(ref("Operations")), ...bytes }, {
          "Weft-After": number("Of a stream: as asked"),
          "Weft-Count": number("Of a stream: how many rows"),
          "Weft-Next-After": number("Of a stream: where the next page begins; absent at the end"),
        }),
        ...aboutDocument,
        ...refusals(406),
      },
    },
    post: {
      operationId: "pushOperations",
      summary: "Push operations of a site of one's own",
      parameters: [
        header("Weft-Client", client, "Of a stream: who owns the site"),
        header("Weft-Base", version, "Of a stream: the version that the author had applied"),
      ],
      requestBody: body(object({ client, base: version, operations: array(ref("Operation"), { minItems: 1 }) }, only), bytes),
      responses: { 200: ok("Durable", json(ref("Pushed")), etag), ...aboutDocument, ...refusals(409, 413, 415) },
    },
  },
  "/api/v1/documents/{id}/sites": {
    parameters: [documentId],
    post: {
      operationId: "leaseSite",
      summary: "Get the site of a client: the same for the same client, always",
      requestBody: body(object({ client }, only)),
      responses: { 200: ok("Its site", json(ref("Site"))), ...aboutDocument, ...refusals(413, 415) },
    },
  },
  "/api/v1/documents/{id}/snapshots": {
    parameters: [documentId],
    post: {
      operationId: "takeSnapshot",
      summary: "Store a snapshot of the state now",
      responses: { 201: ok("Stored", json(ref("SnapshotTaken"))), ...aboutDocument, ...refusals(409) },
    },
  },
  "/api/v1/documents/{id}/snapshots/latest": {
    parameters: [documentId],
    get: {
      operationId: "latestSnapshot",
      summary: "The newest snapshot, as it is stored or as elements",
      responses: {
        200: ok("The snapshot", { ...bytes, ...json(ref("Snapshot")) }, etag), ...aboutDocument, ...refusals(406, 413),
      },
    },
  },
};
