import fc from "fast-check";
import { expect, test } from "vitest";
import { vectors } from "./vectors.js";

test("property: the height of a bar is in proportion to its number, up or down by its sign", () => {
  const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), (data) => {
      const svg = vectors({ data, shape: [data.length] });
      const zero = Number(/y1="([\d.]+)"/.exec(svg)![1]);
      const max = Math.max(...data.map(Math.abs)) || 1;
      const bars = [...svg.matchAll(/<rect x="[^"]*" y="([\d.]+)" width="[^"]*" height="([\d.]+)"><title>/g)];
      expect(bars.length).toBe(data.length);
      bars.forEach(([, y, height], i) => {
        const expected = (Math.abs(data[i]!) / max) * 11;
        if (expected > 0.4) expect(Number(height)).toBeCloseTo(expected, 1);
        if (expected > 0.4) expect(Number(y)).toBeCloseTo(data[i]! < 0 ? zero : zero - expected, 1);
      });
    }),
  );
});

test("golden: three keys, reviewed as a picture", async () => {
  const svg = vectors(
    { data: [1, -2, 0.5, 0, -1, 1, 2, -0.5, 0.25, 0.75, -1.5, 1], shape: [3, 4] },
    { labels: ["the", "cat", "sat"], meaning: "key", title: "Three keys" },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/vectors.svg");
});

test.each([
  [{ data: [1], shape: [1, 1, 1] }, {}, "vectors: `values` has shape [1, 1, 1]"],
  [{ data: [NaN], shape: [1] }, {}, "`values.data[0]` is NaN, expected a finite number"],
  [{ data: [1], shape: [1] }, { labels: [] }, "`labels`"],
])("%j with %j is refused", (values, options, message) => {
  expect(() => vectors(values, options)).toThrow(message);
});
