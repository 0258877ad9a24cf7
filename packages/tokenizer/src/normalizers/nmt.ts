import { characterNormalizer, type Normalizer } from "./normalizer.js";

/** SentencePiece's NMT cleaning: drops control characters, writes unusual spaces as spaces. */
export const nmt: Normalizer = /* @__PURE__ */ characterNormalizer("NMT", cleaned, { json: { type: "Nmt" } });

function cleaned(character: string): string {
  return dropped.test(character) ? "" : spaces.test(character) ? " " : character;
}

// eslint-disable-next-line no-control-regex -- control characters are what it is about
const dropped = /[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/;
// eslint-disable-next-line no-control-regex -- and so are some of these
const spaces = /[\u0009\u000A\u000C\u000D\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/;
