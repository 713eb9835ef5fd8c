// What a document may hold: Unicode scalar values without U+0000, line ends LF. JavaScript strings can
// hold more (halves of surrogate pairs), so everything typed or pasted passes here first.

const acceptable = /^[^\0\r\ud800-\udfff]*$/;

/** CRLF and CR become LF; lone surrogates and U+0000 become U+FFFD. */
export function cleanText(text: string): string {
  if (acceptable.test(text)) return text;
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** True when offset `at` lies between the two halves of a surrogate pair. */
export function insidePair(codeUnit: (at: number) => number, at: number, length: number): boolean {
  if (at <= 0 || at >= length) return false;
  const low = codeUnit(at);
  if (low < 0xdc00 || low > 0xdfff) return false;
  const high = codeUnit(at - 1);
  return high >= 0xd800 && high <= 0xdbff;
}

/** Cuts text into parts of at most `most` code units, never through a surrogate pair. */
export function* partsOf(text: string, most: number): Generator<string> {
  let at = 0;
  while (at < text.length) {
    let end = Math.min(text.length, at + most);
    if (insidePair((i) => text.charCodeAt(i), end, text.length)) --end;
    yield text.slice(at, end);
    at = end;
  }
}

/** The smallest single replacement that turns one text into another; null when they are equal. */
export function difference(
  from: string,
  to: string,
): { at: number; erased: number; inserted: string } | null {
  if (from === to) return null;
  const most = Math.min(from.length, to.length);
  let head = 0;
  while (head < most && from.charCodeAt(head) === to.charCodeAt(head)) ++head;
  if (insidePair((i) => from.charCodeAt(i), head, from.length)) --head;
  else if (insidePair((i) => to.charCodeAt(i), head, to.length)) --head;
  let tail = 0;
  while (
    tail < most - head &&
    from.charCodeAt(from.length - 1 - tail) === to.charCodeAt(to.length - 1 - tail)
  ) {
    ++tail;
  }
  if (insidePair((i) => from.charCodeAt(i), from.length - tail, from.length)) --tail;
  else if (insidePair((i) => to.charCodeAt(i), to.length - tail, to.length)) --tail;
  return {
    at: head,
    erased: from.length - head - tail,
    inserted: to.slice(head, to.length - tail),
  };
}
