import { expect, test } from "vitest";
import { tilesPerChunk } from "./attention.js";

test("chunks of a decoding call are as long as possible with at least 16 of them", () => {
  // 16,384 keys are 256 tiles.
  expect(tilesPerChunk(256, 12)).toBe(64);
  expect(tilesPerChunk(256, 4)).toBe(64);
  expect(tilesPerChunk(256, 2)).toBe(32);
  expect(tilesPerChunk(256, 1)).toBe(16);
  expect(tilesPerChunk(64, 12)).toBe(32);
  expect(tilesPerChunk(1, 1)).toBe(16);
  for (const numKvHeads of [1, 2, 4, 12, 64])
    for (let columns = 256; columns <= 4096; columns *= 2) {
      const chunks = numKvHeads * Math.ceil(columns / tilesPerChunk(columns, numKvHeads));
      expect(chunks).toBeGreaterThanOrEqual(16);
    }
});
