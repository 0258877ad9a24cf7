import fc from "fast-check";
import { expect, test } from "vitest";
import { lines } from "./lines.js";

const points = (svg: string) =>
  [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"[^>]*><title>(.*?)<\/title>/g)].map((match) => ({
    x: Number(match[1]),
    y: Number(match[2]),
    text: match[3],
  }));

const rows = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 })).chain(([K, N]) =>
  fc.record({
    shape: fc.constant([K, N]),
    data: fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: K * N, maxLength: K * N }),
  }),
);

test("property: each number has a point inside the picture, and larger numbers are higher", () => {
  fc.assert(
    fc.property(rows, (values) => {
      const svg = lines(values);
      const [width = 0, height = 0] = [...svg.matchAll(/(?:width|height)="(\d+)"/g)].map((m) => Number(m[1]));
      const drawn = points(svg);
      expect(drawn.length).toBe(values.data.length);
      drawn.forEach((point, i) => {
        expect(point.x >= 0 && point.x <= width && point.y >= 0 && point.y <= height).toBe(true);
        drawn.forEach((other, j) => {
          if (values.data[i]! > values.data[j]!) expect(point.y).toBeLessThanOrEqual(other.y);
        });
      });
    }),
  );
});

test("points are at the coordinates `x`", () => {
  const svg = lines({ data: [1, 1, 1], shape: [3] }, { x: { data: [0, 1, 4], shape: [3] } });
  const [a, b, c] = points(svg).map(({ x }) => x);
  expect((c! - a!) / (b! - a!)).toBeCloseTo(4, 3);
});

test("labels of lines that end at the bottom stay apart and inside the picture", () => {
  const labels = ["a", "b", "c", "d", "e"];
  const svg = lines({ data: [9, 0, 0, 0, 0, 0, 0, 0, 0, 0], shape: [5, 2] }, { labels });
  const height = Number(/height="(\d+)"/.exec(svg)![1]);
  const at = labels.map((label) => Number(new RegExp(`y="([^"]*)"[^>]*>${label}</text>`).exec(svg)![1]));
  at.toSorted((a, b) => a - b).forEach((y, i, all) => expect(i === 0 || y - all[i - 1]! >= 14).toBe(true));
  expect(Math.max(...at)).toBeLessThan(height);
});

test("dots of dense lines receive the pointer, and do not hide the dashes", () => {
  const dots = (N: number) => /<g [^>]*><circle/.exec(lines({ data: new Array(N).fill(1), shape: [N] }))![0];
  expect(dots(100)).toContain('fill-opacity="0"');
  expect(dots(10)).not.toContain("fill-opacity");
});

test("golden: two losses, reviewed as a picture", async () => {
  const svg = lines(
    { data: [3.5, 2.4, 1.9, 1.7, 3.5, 3.45, 3.42, 3.41], shape: [2, 4] },
    {
      labels: ["two heads", "one head"],
      title: "One head cannot do two things",
      xLabel: "step",
      yLabel: "loss",
    },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/lines.svg");
});

test.each([
  [{ data: [1], shape: [1, 1, 1] }, {}, "lines: `values` has shape [1, 1, 1], expected [N] or [K, N]"],
  [{ data: [1, 2], shape: [2] }, { x: { data: [1], shape: [1] } }, "lines: `x` has shape [1], expected [2]"],
  [{ data: [1, NaN], shape: [2] }, {}, "`values.data[1]` is NaN"],
  [{ data: [1, 2], shape: [2, 1] }, { labels: ["a"] }, '`labels` is "1 labels", expected 2'],
  [{ data: [1, 2], shape: [2] }, { meanings: [] }, '`meanings` is "0 labels", expected 1'],
])("%j with %j is refused", (values, options, message) => {
  expect(() => lines(values, options)).toThrow(message);
});
