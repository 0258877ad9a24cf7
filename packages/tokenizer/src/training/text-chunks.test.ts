import fc from "fast-check";
import { expect, test } from "vitest";
import { countWords } from "./count-words.js";
import { textChunks } from "./text-chunks.js";

const text = fc.string({ unit: fc.constantFrom(..." \n\t'sreéx1.,😀\u00a0\u0085"), maxLength: 60 });
const cuts = fc.array(fc.nat(200), { maxLength: 6 });

async function collect(stream: Iterable<Uint8Array | string>): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of textChunks(stream)) texts.push(chunk);
  return texts;
}

function cut<T extends string | Uint8Array>(whole: T, at: number[]): T[] {
  const places = [0, ...at.map((place) => Math.min(place, whole.length)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, i) => whole.slice(places[i], end) as T);
}

test("property: words of a stream equal those of the whole text, for any split into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(text, cuts, async (whole, at) => {
      for (const stream of [cut(whole, at), cut(new TextEncoder().encode(whole), at)]) {
        const texts = await collect(stream);
        expect(texts.join("")).toBe(whole);
        expect(countWords(texts)).toEqual(countWords(whole));
      }
    }),
    { numRuns: 300 },
  );
});

test("complete words are yielded at once, before the end of the stream", async () => {
  const texts = textChunks(["one two thr", "ee"]);
  expect((await texts.next()).value).toBe("one two");
  expect((await texts.next()).value).toBe(" three");
});

test("invalid UTF-8 becomes U+FFFD, also an incomplete last character", async () => {
  expect((await collect([Uint8Array.of(0x61, 0xff, 0xc3)])).join("")).toBe("a\ufffd\ufffd");
});

test("chunks that are neither bytes nor strings are refused", async () => {
  await expect(collect([[1, 2]] as never)).rejects.toThrow(
    "textChunks: `stream` is [1, 2], expected chunks of UTF-8 bytes (Uint8Array) or strings.",
  );
});
