// Looking back, and going back.
import {
  aboutDocument, array, authors, body, cursor, documentId, etag, integer, json, limit, nameInPath, nullable, object, ok, query,
  ref, refusals, string, time, version, versionOrTime,
} from "./parts.mjs";

const count = (description) => integer({ description });

export const schemas = {
  Author: object({
    "user?": string({ description: "As tokens name them; absent where nobody was known" }),
    name: string({ description: "As people see it; may be empty" }),
    kind: string({ enum: ["person", "program", "guest", "anonymous", "server"] }),
  }),
  Blame: object({
    version,
    ranges: array(object({
      at: count("Characters before it"),
      length: count("Characters"),
      sid: count("The author's site"),
      version,
      time,
    })),
    authors,
  }),
  Change: object({
    at: count("Characters before it, in the text after the changes before it"),
    erased: count("Characters"),
    inserted: string(),
  }),
  Patches: object({
    from: version,
    to: version,
    rows: array(object({ version, time, sid: integer(), changes: array(ref("Change")) })),
    authors,
    next_from: nullable(integer()),
  }),
  NamedVersion: object({ name: string(), version, created_at: time }),
  Versions: object({
    sessions: array(object({
      first_version: version,
      last_version: version,
      started_at: time,
      ended_at: time,
      sids: array(integer()),
      inserted: count("Characters"),
      deleted: count("Characters"),
      updated: count("Characters"),
    })),
    named: array(ref("NamedVersion")),
    authors,
    next_cursor: nullable(string()),
  }),
};

const which = { oneOf: [integer(), versionOrTime] };

export const paths = {
  "/api/v1/documents/{id}/blame": {
    parameters: [documentId],
    get: {
      operationId: "blame",
      summary: "Who wrote which part, and when",
      parameters: [query("at", versionOrTime, "Which version; without: the newest")],
      responses: { 200: ok("Ranges in the order of the text", json(ref("Blame"))), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/diff": {
    parameters: [documentId],
    get: {
      operationId: "diff",
      summary: "The difference of two versions, as `diff -u` has it",
      parameters: [
        query("from", versionOrTime, "The older version", true),
        query("to", versionOrTime, "The newer one; without: the newest"),
      ],
      responses: {
        200: ok("Empty when both are equal", { "text/x-diff": { schema: string() } }), ...aboutDocument,
      },
    },
  },
  "/api/v1/documents/{id}/patches": {
    parameters: [documentId],
    get: {
      operationId: "patches",
      summary: "What each row of the log did to the text",
      parameters: [
        query("from", versionOrTime, "After this version; without: from the beginning"),
        query("to", versionOrTime, "Up to this one; without: the newest"),
      ],
      responses: { 200: ok("At most 2,000 rows", json(ref("Patches"))), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/versions": {
    parameters: [documentId],
    get: {
      operationId: "listVersions",
      summary: "Sessions of work, newest first, and versions with names",
      parameters: [limit(200, 20), cursor],
      responses: { 200: ok("One page", json(ref("Versions"))), ...aboutDocument },
    },
    post: {
      operationId: "nameVersion",
      summary: "Give a version a name",
      requestBody: body(object({ name: string({ minLength: 1, maxLength: 100 }), "version?": which },
        { additionalProperties: false })),
      responses: {
        201: ok("Named", json(ref("NamedVersion"))), ...aboutDocument, ...refusals(409, 413, 415),
      },
    },
  },
  "/api/v1/documents/{id}/versions/{name}": {
    parameters: [documentId, nameInPath("The version's name")],
    delete: {
      operationId: "removeVersion",
      summary: "Take a version's name away",
      responses: { 204: ok("The version stays, the name is gone"), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/restore": {
    parameters: [documentId],
    post: {
      operationId: "restore",
      summary: "Make the text what it was, as a new edit",
      requestBody: body(object({ version: which }, { additionalProperties: false })),
      responses: {
        200: ok("The document as it is now", json(ref("Document")), etag), ...aboutDocument, ...refusals(409, 413, 415),
      },
    },
  },
};

