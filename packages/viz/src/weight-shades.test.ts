import fc from "fast-check";
import { expect, test } from "vitest";
import { weightShades } from "./weight-shades.js";

test("property: every weight of at least 1/16 is in exactly one path, whose opacity is within 1/16 of it", () => {
  const weight = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(weight, { minLength: 6, maxLength: 6 }), (data) => {
      const found = new Map<string, number>();
      for (const { opacity, path } of weightShades({ data, shape: [2, 3] }, { size: 6 })) {
        for (const [, x, y] of path.matchAll(/M([\d.]+) ([\d.]+)h2v3h-2z/g)) {
          expect(found.has(`${x} ${y}`)).toBe(false);
          found.set(`${x} ${y}`, opacity);
        }
      }
      data.forEach((one, i) => {
        const shade = found.get(`${(i % 3) * 2} ${Math.floor(i / 3) * 3}`) ?? 0;
        expect(Math.abs(shade - one)).toBeLessThanOrEqual(1 / 16);
      });
    }),
  );
});
