import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.js";

test("property: each pop returns the smallest item, for any order of pushes and pops", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), (steps) => {
      const heap = new Heap<number>((a, b) => a < b);
      const sorted: number[] = [];
      for (const step of steps) {
        if (step === null) {
          expect(heap.pop()).toBe(sorted.shift());
        } else {
          heap.push(step);
          sorted.push(step);
          sorted.sort((a, b) => a - b);
        }
      }
      for (const item of sorted) expect(heap.pop()).toBe(item);
      expect(heap.pop()).toBe(undefined);
    }),
  );
});
