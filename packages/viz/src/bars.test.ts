import fc from "fast-check";
import { expect, test } from "vitest";
import { bars } from "./bars.js";

const drawn = (svg: string) =>
  [...svg.matchAll(/<rect x="([^"]*)" y="[^"]*" width="([^"]*)"[^>]*><title>(.*?)<\/title>/g)].map(
    (match) => ({
      x: Number(match[1]),
      width: Number(match[2]),
      text: match[3],
    }),
  );
const zeroLine = (svg: string) => Number(/<line x1="([^"]*)"/.exec(svg)?.[1]);

test("property: the length of a bar is in proportion to its number, on the side of its sign", () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (data) => {
      const svg = bars({ data, shape: [data.length] });
      const largest = Math.max(...data.map(Math.abs)) || 1;
      expect(drawn(svg).length).toBe(data.length);
      drawn(svg).forEach(({ x, width }, i) => {
        expect(width).toBeCloseTo((Math.abs(data[i]!) / largest) * 240, 1);
        expect(data[i]! < 0 ? x + width : x).toBeCloseTo(zeroLine(svg), 1);
      });
    }),
  );
});

test("the bar of a number above `max` is cut off, and its label has the number", () => {
  const [bar] = drawn(bars({ data: [30], shape: [1] }, { max: 10, unit: "ms", labels: ["MHA"] }));
  expect(bar).toMatchObject({ width: 240, text: "MHA: 30 ms" });
});

test("the longest bar has the given length", () => {
  expect(drawn(bars({ data: [1, -2], shape: [2] }, { length: 60 })).map(({ width }) => width)).toEqual([
    30, 60,
  ]);
});

test("golden: bytes of a cache, reviewed as a picture", async () => {
  const svg = bars(
    { data: [64, 16, 8], shape: [3] },
    { labels: ["MHA, 8 heads", "GQA, 2 heads", "MQA, 1 head"], unit: "MB", title: "Bytes of the cache" },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/bars.svg");
});

test.each([
  [{ data: [1], shape: [1, 1] }, {}, "bars: `values` has shape [1, 1], expected [N]"],
  [{ data: [Infinity], shape: [1] }, {}, "`values.data[0]` is Infinity, expected a finite number"],
  [{ data: [1], shape: [1] }, { labels: ["a", "b"] }, '`labels` is "2 labels", expected 1'],
  [{ data: [1], shape: [1] }, { max: -1 }, "`max` is -1, expected a number above 0"],
])("%j with %j is refused", (values, options, message) => {
  expect(() => bars(values, options)).toThrow(message);
});
