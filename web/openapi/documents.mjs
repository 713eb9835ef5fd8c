// Documents and their texts.
import {
  aboutDocument, array, body, cursor, documentId, etag, idempotencyKey, ifNoneMatch, integer, json, limit, location, nullable, object, ok,
  plainText, query, ref, refusals, string, time, uuid, version, versionOrTime,
} from "./parts.mjs";

export const schemas = {
  Document: object({
    document_id: uuid,
    title: string(),
    version,
    sum_total: integer({ description: "Characters inserted and deleted so far" }),
    created_at: time,
    updated_at: time,
    url: string({ description: "The path of its page" }),
  }),
  DocumentList: object({ documents: array(ref("Document")), next_cursor: nullable(string()) }),
  Text: object({
    document_id: uuid,
    title: string(),
    version,
    "sum_total?": integer(),
    "created_at?": time,
    "updated_at?": time,
    "url?": string(),
    "sessions?": integer({ description: "Open connections; of the newest version" }),
    "newest_version?": integer({ description: "Of an earlier version: which is the newest" }),
    text: string(),
  }),
};

const title = string({ minLength: 1, maxLength: 256, description: "One line, at most 256 bytes" });
export const paths = {
  "/api/v1/documents": {
    get: {
      operationId: "listDocuments",
      summary: "List documents, newest first",
      parameters: [
        query("title", string(), "Only those whose title has this, A to Z in either case"),
        query("deleted", { type: "boolean", default: false }, "Those that can be undeleted, instead of the others"),
        limit(200, 50), cursor,
      ],
      responses: { 200: ok("One page", json(ref("DocumentList"))), ...refusals(400, 401, 403, 429, 500, 503) },
    },
    post: {
      operationId: "createDocument",
      summary: "Create a document",
      parameters: [idempotencyKey],
      requestBody: body(object({ title, "content?": string() }, { additionalProperties: false })),
      responses: {
        200: ok("The key was known: the first request's document", json(ref("Document")), { ...etag, ...location }),
        201: ok("Created", json(ref("Document")), { ...etag, ...location }),
        ...refusals(400, 401, 403, 404, 409, 413, 415, 429, 500, 503),
      },
    },
  },
  "/api/v1/documents/{id}": {
    parameters: [documentId],
    get: {
      operationId: "getDocument",
      summary: "One document, without its text",
      responses: { 200: ok("The document", json(ref("Document")), etag), ...aboutDocument },
    },
    patch: {
      operationId: "renameDocument",
      summary: "Give it another title",
      requestBody: body(object({ title }, { additionalProperties: false })),
      responses: { 200: ok("The document", json(ref("Document")), etag), ...aboutDocument, ...refusals(413, 415) },
    },
    delete: {
      operationId: "deleteDocument",
      summary: "Delete a document, or remove it for good",
      parameters: [query("hard", { type: "boolean", default: false }, "Remove it with its whole history")],
      responses: { 204: ok("Gone"), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/undelete": {
    parameters: [documentId],
    post: {
      operationId: "undeleteDocument",
      summary: "Take a deletion back",
      responses: { 200: ok("The document", json(ref("Document")), etag), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/text": {
    parameters: [documentId],
    get: {
      operationId: "getText",
      summary: "Its durable text, now or at an earlier version",
      parameters: [query("at", versionOrTime, "Which version; without: the newest"), ifNoneMatch],
      responses: {
        200: ok("The text", { ...json(ref("Text")), ...plainText }, etag),
        304: ok("Nothing new", undefined, etag),
        ...aboutDocument,
        ...refusals(406),
      },
    },
  },
};
