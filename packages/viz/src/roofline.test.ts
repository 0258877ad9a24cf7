import fc from "fast-check";
import { expect, test } from "vitest";
import { roofline } from "./roofline.js";

const machine = { label: "A100", bytesPerSecond: 2039e9, flopsPerSecond: 312e12 };
const above = fc.double({ min: 1e-3, max: 1e15, noNaN: true });

test("property: dots and lines are inside the picture; x grows with FLOPs per byte, y with FLOP/s", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(above, above), { minLength: 1, maxLength: 5 }),
      fc.array(fc.record({ bytesPerSecond: above, flopsPerSecond: above }), { minLength: 1, maxLength: 3 }),
      (dots, roofs) => {
        const svg = roofline({ data: dots.flat(), shape: [dots.length, 2] }, roofs);
        const [width = 0, height = 0] = [...svg.matchAll(/(?:width|height)="(\d+)"/g)].map((m) =>
          Number(m[1]),
        );
        const circles = [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map(
          (m) => [Number(m[1]), Number(m[2])] as const,
        );
        const corners = [...svg.matchAll(/polyline points="([^"]*)"/g)].flatMap((m) =>
          m[1]!.split(" ").map((pair) => pair.split(",").map(Number) as [number, number]),
        );
        expect(circles.length).toBe(dots.length);
        expect(corners.length).toBe(3 * roofs.length);
        for (const [x, y] of [...circles, ...corners])
          expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
        circles.forEach(([x, y], i) =>
          circles.forEach(([otherX, otherY], j) => {
            if (dots[i]![0] > dots[j]![0]) expect(x).toBeGreaterThanOrEqual(otherX);
            if (dots[i]![1] > dots[j]![1]) expect(y).toBeLessThanOrEqual(otherY);
          }),
        );
      },
    ),
  );
});

test("a dot with the attainable FLOP/s is on the roof", () => {
  const at = 10; // left of the bend, which is at 153
  const svg = roofline({ data: [at, at * machine.bytesPerSecond, 153.02, 312e12], shape: [2, 2] }, [machine]);
  const [corner] = /polyline points="([^"]*)"/.exec(svg)!.slice(1);
  const [[x0, y0], [x1, y1]] = corner!.split(" ").map((pair) => pair.split(",").map(Number)) as [
    [number, number],
    [number, number],
  ];
  const [x, y] = /<circle cx="([^"]*)" cy="([^"]*)"/.exec(svg)!.slice(1).map(Number) as [number, number];
  expect(y).toBeCloseTo(y0 + ((x - x0) / (x1 - x0)) * (y1 - y0), 1);
});

test("golden: a token and a prompt, reviewed as a picture", async () => {
  const svg = roofline(
    { data: [1, 1.9e12, 1390, 3e14, 0.5, 2e9], shape: [3, 2] },
    [machine, { label: "this tab", bytesPerSecond: 10e9, flopsPerSecond: 50e9 }],
    {
      labels: ["a token", "a prompt", "a token here"],
      title: "What a machine can reach",
      meanings: ["key", "query", "value"],
    },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/roofline.svg");
});

test.each([
  [{ data: [1, 2], shape: [2] }, [machine], {}, "roofline: `points` has shape [2], expected [N, 2]"],
  [
    { data: [1, 0], shape: [1, 2] },
    [machine],
    {},
    "`points.data[0]` is 0, expected a finite number, above 0",
  ],
  [{ data: [1, 1], shape: [1, 2] }, [], {}, "`roofs` is [], expected one machine or more"],
  [
    { data: [1, 1], shape: [1, 2] },
    [{ ...machine, flopsPerSecond: -1 }],
    {},
    "`roofs[0].flopsPerSecond` is -1",
  ],
  [{ data: [1, 1], shape: [1, 2] }, [machine], { labels: [] }, '`labels` is "0 labels", expected 1'],
])("refused: %#", (points, roofs, options, message) => {
  expect(() => roofline(points, roofs, options)).toThrow(message);
});
