import { llama2cTokenizer, type Tokenizer } from "@qkv/tokenizer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { textStream } from "./text-stream.js";

/** Tokens 3 to 258 are the 256 bytes. */
function byteTokenizer(): Tokenizer {
  const tokenBytes = Array.from(
    { length: 256 },
    (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const file: number[] = [6, 0, 0, 0];
  for (const token of ["<unk>", "<s>", "</s>", ...tokenBytes]) {
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  }
  return llama2cTokenizer(Uint8Array.from(file));
}

const tokenizer = byteTokenizer();
const byteIds = (text: string) => [...new TextEncoder().encode(text)].map((byte) => byte + 3);

/** The texts that a stream returns for each token, up to a stop text. */
function streamTexts(text: string, stops: readonly string[]) {
  const stream = textStream(tokenizer, [], stops);
  const pieces: string[] = [];
  for (const id of byteIds(text)) {
    const { text, stopped } = stream.push(id);
    pieces.push(text);
    if (stopped) return { pieces, stopped };
  }
  return { pieces: [...pieces, stream.end()], stopped: false };
}

test("property: texts of a stream concatenate to the text before the first stop text, for any token boundaries", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "€", "é"), maxLength: 12 });
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "€"), minLength: 1, maxLength: 3 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(letters, stops, (text, stops) => {
      // The stop text that is complete first; of several, the one that begins first.
      let end: number | undefined;
      for (let prefixLength = 1; prefixLength <= text.length && end === undefined; prefixLength++) {
        const at = stops.map((stop) => text.slice(0, prefixLength).indexOf(stop)).filter((at) => at >= 0);
        if (at.length > 0) end = Math.min(...at);
      }
      const { pieces, stopped } = streamTexts(text, stops);
      expect(stopped).toBe(end !== undefined);
      expect(pieces.join("")).toBe(text.slice(0, end));
    }),
  );
});

test("a possible start of a stop text is held back until it is complete or ruled out", () => {
  expect(streamTexts("xaab", ["aac"]).pieces).toEqual(["x", "", "", "aab", ""]);
  expect(streamTexts("xaac", ["aac"])).toEqual({ pieces: ["x", "", "", ""], stopped: true });
  expect(streamTexts("xaa", ["aac"]).pieces).toEqual(["x", "", "", "aa"]);
});

test("an incomplete character is held back; at the end it becomes U+FFFD", () => {
  const stream = textStream(tokenizer, [], []);
  const [a, b] = byteIds("€");
  expect(stream.push(byteIds("x")[0]!)).toEqual({ text: "x", settled: true, stopped: false });
  expect(stream.push(a!)).toMatchObject({ text: "", settled: false });
  expect(stream.push(b!)).toMatchObject({ text: "", settled: false });
  expect(stream.end()).toBe("\uFFFD");
});

test("a character that begins in the prompt is completed", () => {
  const [a, b, c] = byteIds("€");
  expect(textStream(tokenizer, [a!, b!], []).push(c!).text).toBe("€");
});
