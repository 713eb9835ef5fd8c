// The routes of the original that Weft grew from: single elements.
import {
  aboutDocument, array, body, boolean, documentId, etag, idempotencyKey, integer, json, location, object, ok, ref, refusals, string,
  uuid, version,
} from "./parts.mjs";

const vector = { properties: { ssn: integer(), sum: integer(), sid: integer(), seq: integer() }, required: ["ssn", "sum", "sid", "seq"] };
const vectorOrNull = { type: ["object", "null"], ...vector };
const element = {
  value: { type: ["string", "null"], description: "One character; null when it is deleted" },
  s4vector: { type: "object", ...vector },
  tombstone: boolean,
  left: vectorOrNull,
  right: vectorOrNull,
};
const value = string({ minLength: 1 });
const known = { type: "object", ...vector };
/** A whole element may be sent, as the original had it; what the route does not need is passed over. */
const given = (needed) => {
  const all = { value: { type: ["string", "null"] }, s4vector: vectorOrNull, tombstone: boolean, left: vectorOrNull, right: vectorOrNull };
  const optional = Object.entries(all).filter(([name]) => !(name in needed) && !(`${name}?` in needed)).map(([name, schema]) => [`${name}?`, schema]);
  return object({ ...needed, ...Object.fromEntries(optional) }, { additionalProperties: false });
};

export const schemas = {
  Element: object(element),
  ChangedElement: object({ ...element, document_id: uuid, version }),
  ElementToInsert: given({ value, "s4vector?": { type: "null", description: "The server gives it" } }),
  ElementToUpdate: given({ value, s4vector: known }),
  ElementToDelete: given({ s4vector: known }),
  OriginalDocument: object({
    document_id: uuid, title: string(), version, text: string(), elements: array(ref("Element")),
  }),
};

const change = (operationId, schema, summary) => ({
  parameters: [documentId],
  post: {
    operationId,
    summary,
    requestBody: body(ref(schema)),
    responses: {
      200: ok("The element as it is now", json(ref("ChangedElement")), etag), ...aboutDocument, ...refusals(409, 413, 415),
    },
  },
});

export const paths = {
  "/create_document": {
    post: {
      operationId: "originalCreate",
      summary: "Create a document; the body may be missing",
      parameters: [idempotencyKey],
      requestBody: { required: false, content: json(object({ title: string({ minLength: 1, maxLength: 256 }), "content?": string() }, { additionalProperties: false })) },
      responses: {
        200: ok("The key was known", json(ref("Document")), { ...etag, ...location }),
        201: ok("Created", json(ref("Document")), { ...etag, ...location }),
        ...refusals(400, 401, 403, 404, 409, 413, 429, 500, 503),
      },
    },
  },
  "/document/{id}": {
    parameters: [documentId],
    get: {
      operationId: "originalDocument",
      summary: "A document with its elements, deleted ones included",
      responses: { 200: ok("The document", json(ref("OriginalDocument")), etag), ...aboutDocument, ...refusals(413) },
    },
  },
  "/document/{id}/insert": change("originalInsert", "ElementToInsert", "Insert after 'left', or before 'right', or at the beginning"),
  "/document/{id}/update": change("originalUpdate", "ElementToUpdate", "Give an element another character"),
  "/document/{id}/delete": change("originalDelete", "ElementToDelete", "Delete an element"),
};
