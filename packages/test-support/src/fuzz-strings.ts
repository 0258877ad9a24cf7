/**
 * Random strings that are hard to tokenize, the same for the same seed: characters of all planes of Unicode, and often
 * those that regular expressions and Unicode tables treat differently, such as U+0085 and U+FEFF, combining marks,
 * contractions and runs of spaces.
 */
export function* fuzzStrings(count: number, seed: number): Generator<string> {
  let state = seed | 0;
  const random = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0; // mulberry32
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const character = (below: number): string => {
    for (;;) {
      const code = random(below);
      if (code < 0xd800 || code > 0xdfff) return String.fromCodePoint(code);
    }
  };
  const kinds = [
    () => String.fromCharCode(32 + random(95)),
    () => character(0x250),
    () => " ",
    () => character(0x10000),
    () => character(0x110000),
    () => hardParts[random(hardParts.length)]!,
    () => String.fromCharCode(97 + random(26)),
  ];
  for (let i = 0; i < count; i++) {
    const length = 1 + random(24);
    // Half of the strings mix all kinds of characters; the others have one kind, as most texts do.
    const only = random(2) === 0 ? kinds[random(kinds.length)] : undefined;
    let text = "";
    while (text.length < length) text += (only ?? kinds[random(kinds.length)]!)();
    yield text;
  }
}

const hardParts =
  "\u0085|\uFEFF|\u00A0|\u200B|\u200D|\u2028|\u3000|\n|\r\n|\t|  |'s|'LL|'\u017F|\u0301|e\u0323\u0300|\uAC00|\u1112\u1161\u11AB|\u65E5\u672C|\u{1F600}|\u{1F3FD}|\u{1F1E9}\u{1F1EA}|the|ing|THE|1234567|<s>|[CLS]|<|endoftext|>|\u0130|\u03A3|\u00DF|\uFB01|\u0E01\u0E33|\u0915\u094D\u0937|\u2581|##|\u0000|\u{E0041}|\u00BD|\u2167|\u01C5".split(
    "|",
  );
