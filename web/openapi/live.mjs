// What happens now.
import {
  aboutDocument, array, authors, documentId, header, integer, json, object, ok, query, ref, refusals, string, uuid, version,
} from "./parts.mjs";

export const schemas = {
  Presence: object({
    document_id: uuid,
    version,
    peers: array(object({
      session: integer(),
      sid: integer({ description: "Its site" }),
      name: string({ description: "Empty until it has said who it is" }),
      colour: string({ pattern: "^#[0-9a-f]{6}$" }),
      selections: array(object({ anchor: integer(), head: integer() })),
      "user?": string({ description: "Where there are keys" }),
    })),
    authors,
  }),
};

export const paths = {
  "/api/v1/documents/{id}/presence": {
    parameters: [documentId],
    get: {
      operationId: "presence",
      summary: "Who is there, and where",
      responses: { 200: ok("The open sessions", json(ref("Presence"))), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/events": {
    parameters: [documentId],
    get: {
      operationId: "events",
      summary: "Server-sent events: open, edit, presence, deleted",
      parameters: [
        query("after", version, "Go on after this version; without: from now on"),
        header("Last-Event-ID", string(), "The same, as EventSource says it; goes before the parameter"),
      ],
      responses: {
        200: ok("Until one side goes", { "text/event-stream": { schema: string() } }), ...aboutDocument, ...refusals(406),
      },
    },
  },
};
