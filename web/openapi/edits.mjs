// Changing a text.
import {
  aboutDocument, array, boolean, etag, idempotencyKey, ifMatch, integer, json, object, ok, query, ref, refusals, string,
  uuid, version,
} from "./parts.mjs";

const only = { additionalProperties: false };
const place = object({ line: integer({ minimum: 1 }), column: integer() }, only);

export const schemas = {
  EditAt: object({
    at: integer({ description: "Characters before it" }),
    "delete?": integer({ description: "Characters, none by default" }),
    "insert?": string({ description: "Nothing by default" }),
    "unit?": string({ enum: ["scalar", "utf16"], description: "What a character is; scalar values by default" }),
  }, only),
  EditBetween: object({ from: place, to: place, "insert?": string() }, only),
  EditLines: object({
    line: integer({ minimum: 1 }),
    "lines?": integer({ description: "One by default; 0 inserts before the line" }),
    text: string({ description: "With its line feeds" }),
  }, only),
  EditFound: object({
    find: string({ minLength: 1, description: "Literally" }),
    replace: string(),
    "all?": boolean,
    "expect?": integer({ description: "How many there must be" }),
  }, only),
  Edited: object({
    document_id: uuid,
    version,
    before_version: version,
    edits: array(object({ at: integer(), delete: integer(), insert: string() }),
      { description: "What has changed, ascending, in positions of the text before it" }),
    "dry_run?": boolean,
  }),
};

const conditions = [
  query("dry_run", { type: "boolean", default: false }, "Only say what it would do"),
  ifMatch,
  idempotencyKey,
];
const edited = ok("Durable, or what it would be", json(ref("Edited")), {
  ...etag,
  "Idempotency-Replayed": { description: "true: it was done before, with the same key", schema: string() },
});
const refused = { ...aboutDocument, ...refusals(409, 412, 413, 415, 422) };
refused[412].headers = etag;

export const paths = {
  "/api/v1/documents/{id}/text": {
    put: {
      operationId: "replaceText",
      summary: "Make it this text, by the fewest changes",
      parameters: conditions,
      requestBody: {
        required: true,
        content: { ...json(object({ text: string() }, only)), "text/plain": { schema: string() } },
      },
      responses: { 200: edited, ...refused },
    },
    patch: {
      operationId: "patchText",
      summary: "Change parts of it: all of them, or none",
      parameters: conditions,
      requestBody: {
        required: true,
        content: json(object({
          edits: array({ anyOf: ["EditAt", "EditBetween", "EditLines", "EditFound"].map(ref) }, { maxItems: 10000 }),
          "version?": integer({ description: "Which the edits are meant for; they are carried over to the newest" }),
        }, only)),
      },
      responses: { 200: edited, ...refused },
    },
  },
};
