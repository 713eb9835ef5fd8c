// Editing over HTTP: whole texts, patches by position, line and what stands there, with conditions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertProblem, Server } from "../../support-js/server.mjs";

const json = { "Content-Type": "application/json" };

async function opened(t, content) {
  const server = await Server.start(t);
  const id = await server.create("edited", content);
  const path = `/api/v1/documents/${id}/text`;
  const send = (method) => (body, headers = {}, query = "") =>
    server.fetch(path + query, {
      method,
      headers: { ...json, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { server, id, path, put: send("PUT"), patch: send("PATCH"), text: () => server.text(id) };
}

test("a whole text is replaced by what differs", async (t) => {
  const { server, id, put, text } = await opened(t, "one\ntwo\nthree\n");
  const response = await put({ text: "one\n2\r\nthree\n" });
  assert.equal(response.status, 200, await response.clone().text());
  assert.deepEqual(await response.json(), {
    document_id: id, version: 3, before_version: 1, edits: [{ at: 4, delete: 3, insert: "2" }],
  });
  assert.equal(response.headers.get("etag"), '"3"');
  assert.equal(await text(), "one\n2\nthree\n");

  // As plain text, and nothing to do.
  const plain = { "Content-Type": "text/plain; charset=UTF-8" };
  const same = await (await put("one\n2\nthree\n", plain)).json();
  assert.deepEqual([same.version, same.before_version, same.edits], [3, 3, []]);
  assert.equal((await put("", plain)).status, 200);
  assert.equal(await text(), "");
  assert.equal((await put("ü😀\u{feff}\r", plain)).status, 200);
  assert.equal(await text(), "ü😀\u{feff}\n");

  await assertProblem(await put("x", { "Content-Type": "text/plain; charset=latin1" }), 415, "text_or_json_required");
  await assertProblem(await put("x", { "Content-Type": "text/html" }), 415, "text_or_json_required");
  await assertProblem(await put("a\0b", plain), 400, "bad_text");
  await assertProblem(await put('{"text":"\\ud800"}'), 400, "bad_text");
  await assertProblem(await put({}), 400, "missing_field");
  await assertProblem(await put({ text: 1 }), 400, "bad_field");
  await assertProblem(await put({ text: "", title: "" }), 400, "unknown_field");
  await assertProblem(await put({ text: "" }, {}, "?dry=true"), 400, "unknown_parameter");
  await assertProblem(await put({ text: "" }, {}, "?dry_run=1"), 400, "bad_dry_run");
  const nobody = "/api/v1/documents/00000000-0000-4000-8000-000000000000/text";
  await assertProblem(await server.fetch(nobody, { method: "PUT", headers: json, body: '{"text":""}' }),
    404, "document_not_found");
});

test("If-Match holds an edit to the version that was seen", async (t) => {
  const { put, patch, text } = await opened(t, "text");
  for (const send of [() => put({ text: "other" }, { "If-Match": '"2"' }),
    () => patch({ edits: [{ at: 0, insert: "x" }] }, { "If-Match": 'W/"1", "0", "x"' })]) {
    const refused = await send();
    assert.equal(refused.headers.get("etag"), '"1"');
    assert.equal((await assertProblem(refused, 412, "version_mismatch")).version, 1);
  }
  await assertProblem(await put({ text: "other" }, { "If-Match": "1" }), 400, "bad_if_match");
  assert.equal(await text(), "text");
  assert.equal((await put({ text: "second" }, { "If-Match": '"1"' })).status, 200);
  assert.equal((await put({ text: "third" }, { "If-Match": "*" })).status, 200);
  const { version } = await (await patch({ edits: [] })).json();
  assert.equal((await put({ text: "fourth" }, { "If-Match": `"1", "${version}"` })).status, 200);
  assert.equal(await text(), "fourth");

  // Of many who have seen the same version, one wins.
  const seen = (await (await patch({ edits: [] })).json()).version;
  const answers = await Promise.all([...Array(20).keys()].map((i) => put({ text: `by ${i}` }, { "If-Match": `"${seen}"` })));
  const winners = [...answers.keys()].filter((i) => answers[i].status === 200);
  assert.equal(winners.length, 1);
  assert.ok(answers.every(({ status }) => status === 200 || status === 412));
  assert.equal(await text(), `by ${winners[0]}`);
});

test("patches by position, by line and by what stands there", async (t) => {
  const { id, patch, text } = await opened(t, "ü😀 one\ntwo\ntwo\n");
  const first = await patch({ edits: [
    { find: "two", replace: "2", all: true, expect: 2 },
    { at: 2, delete: 4, insert: "!" },
    { line: 4, lines: 0, text: "three\r\n" },
    { from: { line: 1, column: 0 }, to: { line: 1, column: 1 }, insert: "u" },
  ] });
  assert.equal(first.status, 200, await first.clone().text());
  const answer = await first.json();
  assert.equal(await text(), "u😀!\n2\n2\nthree\n");
  assert.deepEqual(answer.edits, [
    { at: 0, delete: 1, insert: "u" }, { at: 2, delete: 4, insert: "!" }, { at: 7, delete: 3, insert: "2" },
    { at: 11, delete: 3, insert: "2" }, { at: 15, delete: 0, insert: "three\n" },
  ]);
  assert.equal(answer.before_version, 1);
  assert.equal(answer.document_id, id);
  assert.equal((await patch({ edits: [{ at: 3, delete: 1, insert: "?", unit: "utf16" }] })).status, 200);
  assert.equal((await patch({ edits: [{ line: 2, text: "" }] })).status, 200);
  assert.equal(await text(), "u😀?\n2\nthree\n");

  const before = await text();
  for (const [edits, code, which] of [
    [[{ at: 0 }, { at: 99 }], "bad_position", 1],
    [[{ at: 2, unit: "utf16", insert: "x" }], "bad_position", 0],
    [[{ at: 0, delete: 3 }, { at: 1, insert: "x" }], "edits_overlap", 1],
    [[{ line: 5, text: "" }], "bad_position", 0],
    [[{ from: { line: 1, column: 4 }, to: { line: 1, column: 4 } }], "bad_position", 0],
    [[{ find: "two", replace: "" }], "text_not_found", 0],
    [[{ find: "e", replace: "", expect: 1 }], "text_not_found", 0],
  ]) {
    assert.equal((await assertProblem(await patch({ edits }), 422, code)).edit, which, code);
  }
  for (const [body, code] of [
    [{}, "missing_field"], [{ edits: {} }, "bad_field"], [{ edits: [1] }, "bad_field"], [{ edits: [{}] }, "missing_field"],
    [{ edits: [{ at: -1 }] }, "bad_field"], [{ edits: [{ at: 1.5 }] }, "bad_field"], [{ edits: [{ at: 0, text: "" }] }, "unknown_field"],
    [{ edits: [{ at: 0, unit: "bytes" }] }, "bad_field"], [{ edits: [{ line: 0, text: "" }] }, "bad_field"],
    [{ edits: [{ line: 1 }] }, "missing_field"], [{ edits: [{ find: "", replace: "" }] }, "bad_field"],
    [{ edits: [{ find: "x" }] }, "missing_field"], [{ edits: [{ from: { line: 1, column: 0 } }] }, "missing_field"],
    [{ edits: [{ from: 1, to: 2 }] }, "bad_field"], [{ edits: [], version: "1" }, "bad_field"],
    [{ edits: [], versions: 1 }, "unknown_field"], ['{"edits":[{"at":0,"insert":"\\udc00"}]}', "bad_text"], ["[]", "bad_json"],
    [{ edits: Array(10_001).fill({ at: 0 }) }, "too_many_edits"],
    [`{"edits":${"[".repeat(100)}${"]".repeat(100)}}`, "bad_json"],
  ]) {
    await assertProblem(await patch(body), 400, code);
  }
  await assertProblem(await patch("{}", { "Content-Type": "text/plain" }), 415, "json_required");
  assert.equal(await text(), before);
});

test("a dry run says what would be and changes nothing", async (t) => {
  const { server, id, put, patch, text } = await opened(t, "text");
  const edit = { edits: [{ find: "ex", replace: "x" }] };
  const dry = await (await patch(edit, {}, "?dry_run=true")).json();
  assert.deepEqual(dry, { document_id: id, version: 1, before_version: 1, edits: [{ at: 1, delete: 2, insert: "x" }], dry_run: true });
  assert.equal((await put({ text: "other" }, {}, "?dry_run=true")).status, 200);
  await assertProblem(await patch({ edits: [{ at: 9 }] }, {}, "?dry_run=true"), 422, "bad_position");
  await assertProblem(await put({ text: "other" }, { "If-Match": '"2"' }, "?dry_run=true"), 412, "version_mismatch");
  assert.equal(await text(), "text");
  assert.equal((await (await server.fetch(`/api/v1/documents/${id}`)).json()).version, 1);
  assert.equal((await patch(edit, {}, "?dry_run=false")).status, 200);
  assert.equal(await text(), "txt");
});

test("positions of an old version are carried over to now", async (t) => {
  const { put, patch, text } = await opened(t, "alpha\nbeta\ngamma\n");
  assert.equal((await put({ text: "zero\nalpha\nBETA\ngamma\n" })).status, 200);
  const carried = await patch({ version: 1, edits: [{ line: 3, text: "GAMMA\n" }, { at: 0, delete: 1, insert: "A" }] });
  assert.equal(carried.status, 200, await carried.clone().text());
  assert.equal(await text(), "zero\nAlpha\nBETA\nGAMMA\n");
  // What is gone already is not erased again; what is inserted stays where it was meant.
  assert.equal((await patch({ version: 1, edits: [{ find: "beta", replace: "b" }] })).status, 200);
  assert.match(await text(), /^zero\nAlpha\n(bBETA|BETAb)\nGAMMA\n$/);
  await assertProblem(await patch({ version: 1, edits: [{ at: 99 }] }), 422, "bad_position");
  await assertProblem(await patch({ version: 99, edits: [] }), 400, "index_out_of_range");
  await assertProblem(await patch({ version: 1, edits: [] }, { "If-Match": '"1"' }), 412, "version_mismatch");
});
