import { byCharacter, type Rewrite } from "./rewrite.js";

/** SentencePiece's cleaning for translation: control characters go, unusual spaces become spaces. */
export const nmt: Rewrite = /* @__PURE__ */ byCharacter("NMT", cleaned, { json: { type: "Nmt" } });

function cleaned(character: string): string {
  return dropped.test(character) ? "" : spaces.test(character) ? " " : character;
}

// eslint-disable-next-line no-control-regex -- control characters are what it is about
const dropped = /[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/;
// eslint-disable-next-line no-control-regex -- and so are some of these
const spaces = /[\u0009\u000A\u000C\u000D\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/;
