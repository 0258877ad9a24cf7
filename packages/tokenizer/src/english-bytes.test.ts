import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { data } from "./english-bytes-data.js";
import { englishBytes } from "./english-bytes.js";
import { trainByteNgrams } from "./training/train-byte-ngrams.js";

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const after = (text: string) => new TextEncoder().encode(text);

test("the model equals the output of its command byte for byte, and is smaller than 300 kB", () => {
  const text = execFileSync(process.execPath, [beside("../everyday-english.mjs"), "1"], {
    maxBuffer: 2 ** 24,
  });
  expect(Buffer.from(trainByteNgrams(text, { order: 5 })).toString("base64")).toBe(data);
  expect(statSync(beside("english-bytes-data.ts")).size).toBeLessThan(300_000);
});

test("the entropy is low within a word and high after it, and English is more probable than random bytes", () => {
  const entropy = englishBytes();
  expect(entropy(after("the kitche"))).toBeLessThan(0.5);
  expect(entropy(after("the kitchen "))).toBeGreaterThan(2);
  const bits = (text: string) =>
    after(text).reduce(
      (sum, byte, at, all) => sum - Math.log2(entropy.predict(all.subarray(0, at))[byte]!),
      0,
    );
  expect(bits("the old man read a book")).toBeLessThan(bits("eht dlo nam daer a koob") / 3);
});
