// "/docs": the HTTP API for people, drawn from /openapi.json. Nothing in here knows a route.
import { h, logo } from "./dom.js";
import { themeButton } from "./theme_button.js";

interface Schema {
  readonly $ref?: string;
  readonly type?: string | string[];
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
interface Content {
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, Content> };
  readonly responses: Record<string, { readonly description: string; readonly content?: Record<string, Content> }>;
}
interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly summary: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Record<string, Record<string, Operation> & { readonly parameters?: readonly Parameter[] }>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

const methods = ["get", "post", "put", "patch", "delete"];

export async function openDocs(root: HTMLElement): Promise<void> {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`The description of the API could not be loaded (${response.status}).`);
  const api = (await response.json()) as OpenApi;
  document.title = `HTTP API · ${api.info.title}`;
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    methods.filter((method) => method in item).map((method) => ({
      path,
      method,
      operation: item[method]!,
      parameters: [...(item.parameters ?? []), ...(item[method]!.parameters ?? [])],
    })),
  );
  const rooms = api.tags.map(({ name }) => ({ name, routes: all.filter((route) => route.operation.tags.includes(name)) }));
  root.replaceChildren(
    h("header", { class: "site-head" }, h("a", { class: "brand", href: "/" }, logo(), "Weft"), themeButton()),
    h(
      "main",
      { class: "docs-page" },
      h("h1", {}, "HTTP API"),
      h("p", { class: "lead" }, `Version ${api.info.version}. Everything that a browser can do, `, h("code", {}, "curl"), " can do. ",
        h("a", { href: "/openapi.json" }, "openapi.json"), " says the same to programs."),
      h("nav", { class: "docs-rooms", "aria-label": "Parts" },
        ...rooms.map(({ name }) => h("a", { href: `#${name.toLowerCase()}` }, name))),
      ...rooms.map(({ name, routes }) =>
        h("section", { id: name.toLowerCase(), "aria-label": name }, h("h2", {}, name), ...routes.map(drawRoute)),
      ),
      h("section", { id: "schemas", "aria-label": "Schemas" }, h("h2", {}, "Schemas"),
        ...Object.entries(api.components.schemas).map(([name, schema]) =>
          h("article", { id: `schema-${name}`, class: "docs-schema" }, h("h3", {}, name), drawFields(schema)))),
    ),
  );
  if (location.hash !== "") document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function drawRoute(route: { path: string; method: string; operation: Operation; parameters: Parameter[] }): HTMLElement {
  const { path, method, operation, parameters } = route;
  return h(
    "details",
    { id: operation.operationId, class: "docs-route" },
    h("summary", {}, h("span", { class: `method ${method}` }, method.toUpperCase()), h("code", {}, path),
      h("span", { class: "what" }, operation.summary)),
    operation.description !== undefined && h("p", {}, operation.description),
    parameters.length > 0 && table(["parameter", "in", "", ""], parameters.map((parameter) => [
      h("code", {}, parameter.name),
      parameter.in + (parameter.required ? ", required" : ""),
      typeOf(parameter.schema),
      parameter.description ?? "",
    ])),
    operation.requestBody !== undefined && h("h4", {}, "Body"),
    operation.requestBody !== undefined && drawContent(operation.requestBody.content),
    h("h4", {}, "Answers"),
    table(["status", "", ""], Object.entries(operation.responses).map(([status, answer]) => [
      h("code", {}, status),
      answer.description,
      h("span", {}, ...Object.entries(answer.content ?? {}).flatMap(([type, { schema }]) => [
        h("span", { class: "media" }, type), " ", typeOf(schema), " ",
      ])),
    ])),
  );
}

function drawContent(content: Record<string, Content>): HTMLElement {
  return h("div", {}, ...Object.entries(content).map(([type, { schema }]) =>
    h("div", {}, h("p", { class: "media" }, type), drawFields(schema))));
}

function drawFields(schema: Schema): HTMLElement {
  if (schema.properties === undefined) return h("p", {}, typeOf(schema), schema.description ? ` ${schema.description}` : "");
  const required = new Set(schema.required ?? []);
  return table(["field", "", ""], Object.entries(schema.properties).map(([name, field]) => [
    h("code", {}, name),
    h("span", {}, typeOf(field), required.has(name) ? "" : ", optional"),
    field.description ?? "",
  ]));
}

/** "string (uuid)", "Document[]", "integer 1–200": a type in a few words, with links to what has a name. */
function typeOf(schema: Schema): Node {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1)!;
    return h("a", { href: `#schema-${name}` }, name);
  }
  if (schema.oneOf !== undefined) {
    return h("span", {}, ...schema.oneOf.flatMap((one, i) => (i === 0 ? [typeOf(one)] : [" or ", typeOf(one)])));
  }
  if (schema.items !== undefined) return h("span", {}, typeOf(schema.items), "[]");
  if (schema.enum !== undefined) return h("span", {}, schema.enum.join(" | "));
  const type = [schema.type ?? "any"].flat().join(" or ");
  const range = schema.maximum === undefined ? "" : ` ${schema.minimum ?? 0}–${schema.maximum}`;
  const length = schema.maxLength === undefined ? "" : `, at most ${schema.maxLength}`;
  const usual = schema.default === undefined ? "" : `, ${String(schema.default)} if left out`;
  return h("span", {}, type + (schema.format === undefined ? "" : ` (${schema.format})`) + range + length + usual);
}

function table(head: string[], rows: (Node | string)[][]): HTMLElement {
  return h(
    "div",
    { class: "docs-table" },
    h("table", {},
      h("thead", {}, h("tr", {}, ...head.map((cell) => h("th", {}, cell)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))))),
    ),
  );
}
