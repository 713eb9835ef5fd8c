// The REST API (docs/API.md), as far as the page uses it.
import { accessToken } from "./token.js";

export interface DocumentInfo {
  readonly id: string;
  readonly title: string;
  /** When it was last edited. */
  readonly updated: Date;
  /** Characters typed and deleted since it was created. */
  readonly edits: number;
}

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function listDocuments(
  cursor = "",
): Promise<{ documents: DocumentInfo[]; nextCursor: string }> {
  const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const answer = await call("GET", `/api/v1/documents?limit=50${query}`);
  return {
    documents: (answer["documents"] as Fields[]).map(toInfo),
    nextCursor: String(answer["next_cursor"] ?? ""),
  };
}

export async function createDocument(title: string): Promise<DocumentInfo> {
  // The key makes a repeated request harmless: the first answer comes again.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return toInfo(await call("POST", "/api/v1/documents", { title }, { "Idempotency-Key": key }));
}

export async function getDocument(id: string): Promise<DocumentInfo> {
  return toInfo(await call("GET", `/api/v1/documents/${id}`));
}

export async function deleteDocument(id: string): Promise<void> {
  await call("DELETE", `/api/v1/documents/${id}`);
}

/** The address of a document's WebSocket, on the server that this page came from. */
export function socketUrl(id: string): string {
  const url = new URL(`/api/v1/documents/${id}/ws`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

type Fields = Record<string, unknown>;

function toInfo(fields: Fields): DocumentInfo {
  return {
    id: String(fields["document_id"]),
    title: String(fields["title"]),
    updated: new Date(String(fields["updated_at"])),
    edits: Number(fields["sum_total"] ?? 0),
  };
}

async function call(
  method: string,
  path: string,
  body?: Fields,
  headers: Record<string, string> = {},
): Promise<Fields> {
  const token = accessToken();
  if (token !== "") headers = { ...headers, Authorization: `Bearer ${token}` };
  const request: RequestInit = { method, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new ApiError(0, "unreachable", "The server does not answer.");
  }
  const text = await response.text();
  let answer: Fields = {};
  try {
    answer = text === "" ? {} : (JSON.parse(text) as Fields);
  } catch {
    // Not ours: a proxy's page, perhaps. The status has to do.
  }
  if (response.ok) return answer;
  const message = String(answer["detail"] ?? answer["title"] ?? `The server answered ${response.status}.`);
  throw new ApiError(response.status, String(answer["code"] ?? ""), message);
}
