// Who may do what.
import {
  aboutDocument, array, body, boolean, documentId, integer, json, nameInPath, object, ok, ref, refusals, string, time, uuid,
} from "./parts.mjs";

const role = string({ enum: ["viewer", "commenter", "editor", "owner"] });
const kind = string({ enum: ["person", "program", "guest"] });
const user = string({ minLength: 1, maxLength: 128 });
const given = {
  token_id: string(), kind, user: string(), name: string(), role, created_at: time, expires_at: time, revoked: boolean,
};

const wanted = {
  "name?": string({ maxLength: 64 }),
  "expires_in?": integer({ minimum: 1, maximum: 31_622_400, default: 3600, description: "Seconds" }),
};

export const schemas = {
  Caller: object({
    user: string(), name: string(), kind, admin: boolean,
    open: { ...boolean, description: "There is no access control here" },
    "document_id?": uuid, "role?": role,
    "by?": string({ description: "Whose power it hands on: it counts for no more than this user may do there now" }),
    "expires_at?": time,
  }),
  Member: object({ user: string(), role, added_at: time }),
  Members: object({ members: array(ref("Member")) }),
  GivenToken: object(given),
  NewToken: object({ ...given, token: string({ description: "Shown this once" }) }),
  TokenForUser: object({
    role, user, "kind?": string({ enum: ["person", "program"], default: "person" }), ...wanted,
  }, { additionalProperties: false }),
  TokenForGuest: object({ role, kind: string({ const: "guest" }), ...wanted }, { additionalProperties: false }),
  Tokens: object({ tokens: array(ref("GivenToken")) }),
};

export const paths = {
  "/api/v1/me": {
    get: {
      operationId: "whoAmI",
      summary: "What the caller's token says",
      responses: { 200: ok("The caller", json(ref("Caller"))), ...refusals(401, 429, 503) },
    },
  },
  "/api/v1/tokens/revoke": {
    post: {
      operationId: "revokeAnywhere",
      summary: "Make a token void that was minted elsewhere",
      requestBody: body(object({
        token_id: string({ minLength: 1, maxLength: 64 }),
        "expires_at?": { ...time, description: "Not before the token's own end; left out: 366 days from now" },
      }, { additionalProperties: false })),
      responses: { 204: ok("Void, within two seconds on every server"), ...refusals(400, 401, 403, 413, 415, 429, 503) },
    },
  },
  "/api/v1/documents/{id}/members": {
    parameters: [documentId],
    get: {
      operationId: "listMembers",
      summary: "Who may do what with it",
      responses: { 200: ok("By user", json(ref("Members"))), ...aboutDocument },
    },
  },
  "/api/v1/documents/{id}/members/{name}": {
    parameters: [documentId, nameInPath("The user")],
    put: {
      operationId: "setMember",
      summary: "Add a member, or change its role",
      requestBody: body(object({ role }, { additionalProperties: false })),
      responses: { 200: ok("The member", json(ref("Member"))), ...aboutDocument, ...refusals(409, 413, 415) },
    },
    delete: {
      operationId: "removeMember",
      summary: "Remove a member; its sessions end within two seconds",
      responses: { 204: ok("Removed"), ...aboutDocument, ...refusals(409) },
    },
  },
  "/api/v1/documents/{id}/tokens": {
    parameters: [documentId],
    get: {
      operationId: "listTokens",
      summary: "The tokens and links that were given out for it",
      responses: { 200: ok("Newest first, never the tokens themselves", json(ref("Tokens"))), ...aboutDocument },
    },
    post: {
      operationId: "mintToken",
      summary: "Mint a token for this document: for a user, a program, or whoever holds a link",
      requestBody: body({ oneOf: [ref("TokenForUser"), ref("TokenForGuest")] }),
      responses: { 201: ok("The token", json(ref("NewToken"))), ...aboutDocument, ...refusals(409, 413, 415) },
    },
  },
  "/api/v1/documents/{id}/tokens/{name}": {
    parameters: [documentId, nameInPath("The token's id")],
    delete: {
      operationId: "revokeToken",
      summary: "Revoke a token; its sessions end within two seconds",
      responses: { 204: ok("Void"), ...aboutDocument },
    },
  },
};
