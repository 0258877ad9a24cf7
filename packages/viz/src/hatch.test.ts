import fc from "fast-check";
import { expect, test } from "vitest";
import { hatch } from "./hatch.js";

test("property: every line is diagonal and stays in its square", () => {
  const place = fc.double({ min: 0, max: 500, noNaN: true });
  fc.assert(
    fc.property(place, place, fc.double({ min: 1, max: 60, noNaN: true }), (x, y, size) => {
      const numbers = [...hatch(x, y, size).matchAll(/[\d.]+/g)].map(Number);
      expect(numbers.length).toBeGreaterThanOrEqual(4);
      for (let i = 0; i < numbers.length; i += 4) {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbers.slice(i);
        expect(x2 - x1).toBeCloseTo(y1 - y2, 1);
        for (const at of [x1, x2]) expect(at >= x - 0.01 && at <= x + size + 0.01).toBe(true);
        for (const at of [y1, y2]) expect(at >= y - 0.01 && at <= y + size + 0.01).toBe(true);
      }
    }),
  );
});
