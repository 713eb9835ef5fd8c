// As much of Terraform's language (HCL) as it takes to see that what is named is there: blocks, attributes, and
// the references in their values, also those within strings. No heredocs, which deploy/ does not use.
import assert from "node:assert/strict";

const token = /[ \t]+|(#|\/\/)[^\n]*|(?<line>\n)|(?<word>[A-Za-z_][\w-]*)|(?<number>\d+(\.\d+)?)|(?<quote>")|(?<mark>=>|==|!=|>=|<=|&&|\|\||\.\.\.|[-=+*/%!<>?:.,()[\]{}])/y;

/** Tokens {kind, text, line}; of a string also `parts`, the tokens of each ${…}. */
function tokens_of(source) {
  let at = 0;
  const line = () => source.slice(0, at).split("\n").length;

  function expression_tokens(ends) {
    const found = [];
    for (let depth = 0; at < source.length;) {
      if (ends && depth === 0 && source[at] === "}") return found;
      token.lastIndex = at;
      const match = token.exec(source);
      assert.ok(match, `line ${line()}: what is ${source.slice(at, at + 10)}`);
      const where = line();
      at = token.lastIndex;
      const { groups } = match;
      if (groups.quote) {
        found.push(string_token(where));
        continue;
      }
      const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
      if (kind === undefined) continue;
      if (groups.mark === "{") depth += 1;
      if (groups.mark === "}") depth -= 1;
      found.push({ kind, text: match[0], line: where });
    }
    assert.ok(!ends, "a ${ is not closed");
    return found;
  }

  function string_token(where) {
    const parts = [];
    let text = "";
    for (;;) {
      assert.ok(at < source.length && source[at] !== "\n", `line ${where}: a string is not closed`);
      if (source[at] === '"') break;
      if (source.startsWith("${", at) && source[at - 1] !== "$") {
        at += 2;
        parts.push(expression_tokens(true));
        at += 1;
        text += "${}";
      } else {
        const length = source[at] === "\\" ? 2 : 1;
        text += source.slice(at, at + length);
        at += length;
      }
    }
    at += 1;
    return { kind: "string", text, parts, line: where };
  }
  return expression_tokens(false);
}

/** A body: {attributes: Map name -> tokens, blocks: [{type, labels, line, body}]}. Throws where it is none. */
export function parse(source) {
  const tokens = tokens_of(source);
  let at = 0;
  const is = (text) => tokens[at]?.kind === "mark" && tokens[at].text === text;

  function value() {
    const found = [];
    const open = [];
    for (; at < tokens.length; ++at) {
      const { kind, text, line } = tokens[at];
      if (open.length === 0 && (kind === "line" || (kind === "mark" && text === "}"))) break;
      if (kind === "mark" && "([{".includes(text)) open.push({ "(": ")", "[": "]", "{": "}" }[text]);
      else if (kind === "mark" && ")]}".includes(text)) assert.equal(text, open.pop(), `line ${line}`);
      found.push(tokens[at]);
    }
    assert.deepEqual(open, [], "brackets are closed");
    assert.ok(found.length > 0, `line ${tokens[at]?.line}: a value is missing`);
    return found;
  }

  function body(is_whole) {
    const result = { attributes: new Map(), blocks: [] };
    for (;;) {
      while (tokens[at]?.kind === "line") at += 1;
      if (at === tokens.length || is("}")) {
        assert.equal(at === tokens.length, is_whole, `line ${tokens[at]?.line ?? "last"}: braces are balanced`);
        return result;
      }
      const { kind, text, line } = tokens[at++];
      assert.equal(kind, "word", `line ${line}: ${text}`);
      if (is("=")) {
        at += 1;
        assert.ok(!result.attributes.has(text), `line ${line}: ${text} twice`);
        result.attributes.set(text, value());
        continue;
      }
      const labels = [];
      while (tokens[at]?.kind === "string") labels.push(tokens[at++].text);
      assert.ok(is("{"), `line ${line}: ${text} is neither attribute nor block`);
      at += 1;
      result.blocks.push({ type: text, labels, line, body: body(false) });
      at += 1;
    }
  }
  return body(true);
}

/** All values of a body and of the blocks in it. */
function* values_in({ attributes, blocks }) {
  yield* attributes.values();
  for (const block of blocks) yield* values_in(block.body);
}

/** Every a.b.c of a body, as lists of words; indexes are left out. */
export function references_in(body) {
  const found = [];
  const look = (tokens) => {
    const bound = new Set();  // by for … in
    for (let at = 0; at < tokens.length; ++at) {
      const { kind, text, parts } = tokens[at];
      if (kind === "string") parts.forEach(look);
      if (kind !== "word") continue;
      if (text === "for") {
        for (at += 1; tokens[at].text !== "in"; ++at) bound.add(tokens[at].text);
        continue;
      }
      const words = [text];
      for (;;) {
        if (tokens[at + 1]?.text === "." && tokens[at + 2]?.kind === "word") {
          words.push(tokens[at += 2].text);
        } else if (words.length > 1 && tokens[at + 1]?.text === "[") {
          const end = tokens.findIndex((one, i) => i > at && one.text === "]");
          look(tokens.slice(at + 2, end));
          at = end;
        } else {
          break;
        }
      }
      if (words.length > 1 && !bound.has(text)) found.push(words);
    }
  };
  for (const tokens of values_in(body)) look(tokens);
  return found;
}

/** Sentences about what is named and not there, or there and not named. */
export function problems_of(source) {
  const root = parse(source);
  const problems = [];
  const declared = new Set();
  const declare = (name) => {
    if (declared.has(name)) problems.push(`${name} is there twice`);
    declared.add(name);
  };
  const labels = { resource: 2, data: 2, variable: 1, output: 1, provider: 1, locals: 0, terraform: 0 };
  for (const { type, labels: given, line, body } of root.blocks) {
    if (labels[type] !== given.length) problems.push(`line ${line}: ${type} ${given.join(" ")}`);
    if (type === "resource") declare(given.join("."));
    if (type === "data") declare(["data", ...given].join("."));
    if (type === "variable") declare(`var.${given[0]}`);
    if (type === "locals") for (const name of body.attributes.keys()) declare(`local.${name}`);
    if (type === "variable" || type === "output") {
      for (const name of ["description", type === "variable" ? "type" : "value"]) {
        if (!body.attributes.has(name)) problems.push(`${type} ${given[0]} has no ${name}`);
      }
    }
  }
  const used = new Set();
  for (const { type, labels: [name], body } of root.blocks) {
    for (const words of references_in(body)) {
      if (["each", "count"].includes(words[0])) {
        const needs = words[0] === "each" ? "for_each" : "count";
        if (!body.attributes.has(needs)) problems.push(`${words.join(".")} without ${needs}`);
        continue;
      }
      const target = words.slice(0, words[0] === "data" ? 3 : 2).join(".");
      if (!declared.has(target)) problems.push(`${target} is not declared`);
      // A variable's own validation is no use of it.
      if (type !== "variable" || target !== `var.${name}`) used.add(target);
    }
  }
  for (const target of declared) {
    if (/^(var|local|data)\./.test(target) && !used.has(target)) problems.push(`${target} is not used`);
  }
  return problems;
}
