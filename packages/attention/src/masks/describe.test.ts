import fc from "fast-check";
import { expect, test } from "vitest";
import { causal } from "./causal.js";
import { describe } from "./describe.js";
import { maskMod } from "./mask-mod.js";
import { padding } from "./padding.js";
import { slidingWindow } from "./sliding-window.js";
import { masks, positions } from "@qkv/test-support/random-masks";

const extent = fc
  .integer({ min: 1, max: positions })
  .map((queryLength) => ({ queryLength, keyLength: positions }));

test("property: the counts and the picture agree with the mask", () => {
  fc.assert(
    fc.property(
      masks,
      extent,
      fc.nat(1),
      fc.nat(1),
      (mask, { queryLength: T, keyLength: S }, batch, head) => {
        const { seen, pairs, sparsity, picture, text } = describe(mask, {
          queryLength: T,
          keyLength: S,
          batch,
          head,
        });
        const bound = mask.bind({ queryLength: T, keyLength: S });
        const shown = Array.from({ length: T * S }, (_, n) =>
          bound.sees(S - T + Math.floor(n / S), n % S, batch, head) ? 1 : 0,
        );
        expect([...picture.data]).toEqual(shown);
        expect(picture.shape).toEqual([T, S]);
        expect(text.replaceAll("\n", "")).toBe(shown.map((one) => (one ? "█" : "·")).join(""));
        expect(seen).toBe(shown.filter((one) => one === 1).length);
        expect([pairs, sparsity]).toEqual([T * S, 1 - seen / (T * S)]);
      },
    ),
  );
});

test("golden: large masks are drawn in 32 by 32 cells, and their tiles counted", () => {
  const { tiles, text, picture, sparsity } = describe(causal(), { queryLength: 64, keyLength: 128 });
  expect(tiles).toEqual({ none: 0, some: 1, all: 1 });
  expect(sparsity).toBe((63 * 64) / 2 / (64 * 128));
  expect(picture.shape).toEqual([32, 32]);
  const rows = text.split("\n");
  // The first two queries stand at 64 and 65: of the cell of keys 64 to 67 they see one and two of four.
  expect(rows[0]).toBe("█".repeat(16) + "▒" + "·".repeat(15));
  expect(picture.data[16]).toBe(3 / 8);
  expect(rows[31]).toBe("█".repeat(31) + "▒");
  expect(describe(slidingWindow(64), { queryLength: 256, keyLength: 256 }).tiles).toEqual({
    none: 9,
    some: 7,
    all: 0,
  });
});

test("`batch` and `head` select what is described", () => {
  const of = (batch: number, head: number) =>
    describe(
      maskMod((b, h) => b === 1 && h === 1),
      { queryLength: 1, keyLength: 1, batch, head },
    ).text;
  expect([of(0, 0), of(1, 0), of(0, 1), of(1, 1)]).toEqual(["·", "·", "·", "█"]);
  expect(describe(padding([2, 1]), { queryLength: 2, keyLength: 2, batch: 1 }).text).toBe("█·\n█·");
  expect(describe(causal(), { queryLength: 1, keyLength: 2, batch: 5, head: 7 }).text).toBe("██");
});

test("empty lengths give an empty picture", () => {
  const nothing = describe(causal(), { queryLength: 0, keyLength: 0 });
  expect([nothing.pairs, nothing.sparsity, nothing.text]).toEqual([0, 0, ""]);
});

test("values that are not masks, and invalid lengths, are refused", () => {
  expect(() => describe(causal as never, { queryLength: 1, keyLength: 1 })).toThrow(
    /describe: `mask` is the function causal, expected a mask/,
  );
  expect(() => describe(causal(), { queryLength: -1, keyLength: 1 })).toThrow(
    /describe: `queryLength` is -1, expected an integer number of positions, 0 or more.\nFix: give `\{ queryLength/,
  );
});
