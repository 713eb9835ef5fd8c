// One run of the benchmark of the WebAssembly module: a planned history in every form, each timed,
// each judged by the text with which the history ends.
import { checked, edit } from "./wasm_plan.mjs";

/** {problem, local, taken, remote, each, load, save, bytes}: milliseconds, and the saved state's size. */
export function play(core, endContent, plan) {
  const { authors, steps } = plan;
  const run = { problem: "" };
  const expect = (who, text) => {
    if (text !== endContent) run.problem ||= `${who} holds another text`;
  };

  // One author's operations are one stream; of several each is able to stand alone.
  const moved = new Uint8Array(4096 + 2 * steps.reduce((sum, step) => sum + step.stream.length, 0));
  let used = 0;
  run.local = local(core, plan, (doc) => (used += doc.moveOps(moved, used)));
  const taken = [];
  run.taken = local(core, plan, (doc) => taken.push(doc.takeOps()));
  const { bytes, ends } = joined(taken);

  const remote = core.newDocument();
  const stream = authors === 1 ? moved.subarray(0, used) : bytes;
  run.remote = timed(() => checked(remote.integrate(stream)));
  expect("the reader of the stream", remote.text());

  const reader = core.newDocument();
  run.each = timed(() => {
    let from = 0;
    for (const end of ends) {
      checked(reader.integrate(bytes, from, end));
      from = end;
    }
  });
  expect("the reader of single edits", reader.text());

  let saved;
  run.save = timed(() => (saved = remote.save()));
  run.bytes = saved.length;
  let loaded;
  let text;
  run.load = timed(() => {
    loaded = core.loadDocument(saved);
    text = loaded.text();
  });
  expect("the loaded document", text);
  if (loaded.stateHash() !== reader.stateHash()) run.problem ||= "the states differ";
  for (const doc of [remote, reader, loaded]) doc.free();
  return run;
}

/**
 * Every edit by position, and `capture(doc)` takes its bytes before the next one. Hearing of the
 * others is not timed; where there are none, the clock is read only twice.
 */
function local(core, { authors, steps, at, erased, inserted }, capture) {
  const docs = Array.from({ length: authors }, (_, i) => {
    const doc = core.newDocument();
    doc.setSite(i + 1);
    return doc;
  });
  const make = (doc, from, to) => {
    for (let i = from; i < to; ++i) {
      edit(doc, at[i], erased[i], inserted[i]);
      capture(doc);
    }
  };
  let ms = 0;
  if (authors === 1) {
    ms = timed(() => make(docs[0], 0, at.length));
  } else {
    for (const { author, missing, from, to } of steps) {
      for (const need of missing) checked(docs[author].integrate(steps[need].stream));
      ms += timed(() => make(docs[author], from, to));
    }
  }
  for (const doc of docs) doc.free();
  return ms;
}

function joined(parts) {
  const bytes = Buffer.concat(parts);
  const ends = new Uint32Array(parts.length);
  parts.reduce((end, part, i) => (ends[i] = end + part.length), 0);
  return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), ends };
}

function timed(work) {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}
