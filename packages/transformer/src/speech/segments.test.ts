import fc from "fast-check";
import { expect, test } from "vitest";
import { windowSegments } from "./segments.js";

const firstTimestamp = 100;
const at = (seconds: number) => firstTimestamp + Math.round(seconds / 0.02);

test.each<[string, ids: number[], segments: [number, number, number[]][], advance: number]>([
  [
    "two segments",
    [at(0), 1, 2, at(2), at(3), 4, at(5)],
    [
      [0, 2, [1, 2]],
      [3, 5, [4]],
    ],
    30,
  ],
  [
    "a segment that has not ended is left to the next window",
    [at(0), 1, at(2), at(2.5), 4, 5],
    [[0, 2, [1]]],
    2,
  ],
  ["a last pair of timestamps without a text after it", [at(0), 1, at(2), at(4)], [[0, 2, [1]]], 2],
  ["one segment", [at(1), 7, 8, at(4)], [[1, 4, [7, 8]]], 30],
  ["one segment without an end timestamp", [at(1), 7, 8], [[1, 30, [7, 8]]], 30],
  ["a text without timestamps", [7, 8], [[0, 30, [7, 8]]], 30],
  ["silence", [at(0)], [], 30],
  ["no tokens", [], [], 30],
  ["a pair at 0 s", [at(0), at(0), 7], [], 30],
])("windowSegments splits %s", (_, ids, segments, advance) => {
  const window = windowSegments(ids, firstTimestamp, 30);
  expect(window.segments.map(({ start, end, ids }) => [start, end, ids])).toEqual(segments);
  expect(window.advance).toBeCloseTo(advance, 9);
});

test("property: a window advances at most to the end of its audio, and its segments have each text token once, in order", () => {
  const token = fc.oneof(
    fc.integer({ min: 0, max: 99 }),
    fc.integer({ min: firstTimestamp, max: firstTimestamp + 1500 }),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), fc.integer({ min: 1, max: 30 }), (ids, duration) => {
      const { segments, advance } = windowSegments(ids, firstTimestamp, duration);
      expect(advance).toBeGreaterThan(0);
      expect(advance).toBeLessThanOrEqual(duration);
      const textIds = ids.filter((id) => id < firstTimestamp);
      const segmentIds = segments.flatMap(({ ids }) => ids);
      expect(segmentIds).toEqual(textIds.slice(0, segmentIds.length));
    }),
  );
});
