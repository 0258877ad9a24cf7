import { expect, test } from "vitest";
import { byteNgramModel } from "../patching/byte-ngram-model.js";
import { trainByteNgrams } from "./train-byte-ngrams.js";

test("a string is trained as its UTF-8, and equal texts give equal files", () => {
  const text = "ein Käse, ein Käse".repeat(20);
  expect(trainByteNgrams(text)).toEqual(trainByteNgrams(new TextEncoder().encode(text)));
});

test("by default the context is 5 bytes, and the file has at most 200,000 bytes", () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 300_000 }, () => (state = (state * 48271) % 2147483647) >> 8);
  expect(byteNgramModel(trainByteNgrams("abc")).context).toBe(5);
  const file = trainByteNgrams(noise, { order: 2 });
  expect(file.length).toBeLessThanOrEqual(200_000);
  expect(file.length).toBeGreaterThan(50_000);
});

test("impossible orders and sizes are refused", () => {
  expect(() => trainByteNgrams("a", { order: 16 })).toThrow(
    "trainByteNgrams: `order` is 16, expected an integer number of bytes from 0 to 15.\nFix: use 5",
  );
  expect(() => trainByteNgrams("a", { maxBytes: 3 })).toThrow(
    "trainByteNgrams: `maxBytes` is 3, expected 8 or more",
  );
});
