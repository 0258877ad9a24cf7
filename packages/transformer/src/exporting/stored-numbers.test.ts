import { toHalfBits } from "@qkv/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { storedBytes } from "./stored-numbers.js";

test.each(["float16", "bfloat16"] as const)(
  "property: storedBytes in %s equals toHalfBits of each element, for any float32 bits",
  (type) => {
    const edges = [
      0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffffffff,
    ];
    const bits = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(0, 0x80000000, 0x00008000, 0x00018000, 0x3f808000, 0x3f818000, ...edges),
    );
    fc.assert(
      fc.property(fc.array(bits, { minLength: 1 }), (list) => {
        const numbers = new Float32Array(Uint32Array.from(list).buffer);
        const stored = storedBytes(numbers, type);
        const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
        numbers.forEach((x, i) => expect(view.getUint16(2 * i, true)).toBe(toHalfBits(x, type)));
      }),
    );
  },
);
