// The HTTP API as OpenAPI 3.1: served as /openapi.json, shown to people at /docs, and held against the
// server by the tests (tests/house/openapi.test.mjs; every answer that a test gets is checked too).
import * as access from "./access.mjs";
import * as documents from "./documents.mjs";
import * as edits from "./edits.mjs";
import * as history from "./history.mjs";
import * as live from "./live.mjs";
import * as log from "./log.mjs";
import * as original from "./original.mjs";
import * as system from "./system.mjs";

const rooms = {
  Documents: documents, Editing: edits, Live: live, History: history, Log: log, Access: access, Server: system,
  Original: original,
};

export function openapi(version) {
  const paths = {};
  for (const [tag, room] of Object.entries(rooms)) {
    for (const [path, item] of Object.entries(room.paths)) {
      for (const operation of Object.values(item)) if (operation.operationId) operation.tags = [tag];
      paths[path] = { ...paths[path], ...item };
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Weft",
      version,
      summary: "Many people and programs edit the same source files at once, and nothing acknowledged is lost.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, {}],
    tags: Object.keys(rooms).map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.assign({}, ...Object.values(rooms).map((room) => room.schemas)),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "docs/ACCESS.md" },
      },
    },
  };
}
