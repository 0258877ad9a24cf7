import fc from "fast-check";
import { expect, test } from "vitest";
import { spacePatching } from "./space-patching.js";
import { byteEntropies, type ByteEntropy } from "./byte-entropy.js";
import { stridedPatching } from "./strided-patching.js";
import { globalThreshold } from "./global-threshold.js";
import { monotonicConstraint } from "./monotonic-constraint.js";
import { patchStarts } from "./patch-starts.js";
import { patchStream } from "./patch-stream.js";
import type { Patcher } from "./patcher.js";

/** An entropy that depends on the last bytes, or on all of them, and on nothing else. */
function entropyNats(context: number | undefined): ByteEntropy {
  const entropy = (before: Uint8Array) => {
    const seen = context === undefined ? before : before.subarray(Math.max(0, before.length - context));
    return seen.reduce((hash, byte) => (hash * 31 + byte) % 997, 7) / 200;
  };
  return context === undefined ? entropy : Object.assign(entropy, { context });
}

const patcher: fc.Arbitrary<Patcher> = fc.oneof(
  fc.double({ min: 0, max: 5, noNaN: true }).map(globalThreshold),
  fc.double({ min: 0, max: 5, noNaN: true }).map(monotonicConstraint),
  fc.constant(spacePatching()),
  fc.integer({ min: 1, max: 9 }).map(stridedPatching),
);
const bytes = fc.uint8Array({ maxLength: 600, size: "max" });
const context = fc.option(fc.nat(5), { nil: undefined });

test("property: streaming gives the patches of the whole text, for any split into chunks", () => {
  fc.assert(
    fc.property(
      bytes,
      fc.array(fc.nat(600), { maxLength: 8 }),
      patcher,
      context,
      (bytes, cuts, patcher, context) => {
        const entropy = entropyNats(context);
        const starts = patchStarts(bytes, patcher, entropy);
        const whole = starts.map((start, i) => bytes.slice(start, starts[i + 1]));
        const stream = patchStream(patcher, entropy);
        // Twice, since a stream is ready for a new text at its end.
        for (let round = 0; round < 2; round++) {
          const patches: Uint8Array[] = [];
          let at = 0;
          for (const end of [
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ]) {
            patches.push(...stream.push(bytes.subarray(at, end)));
            // Asking what comes next changes nothing.
            if (end < bytes.length) expect(stream.startsNext).toBe(starts.includes(end));
            at = end;
          }
          patches.push(...stream.end());
          expect(patches).toEqual(whole);
        }
      },
    ),
  );
});

test("property: appended text does not change complete patches", () => {
  fc.assert(
    fc.property(bytes, bytes, patcher, context, (first, second, patcher, context) => {
      const entropy = entropyNats(context);
      const both = patchStarts(Uint8Array.of(...first, ...second), patcher, entropy);
      expect(both.filter((start) => start < first.length)).toEqual(patchStarts(first, patcher, entropy));
    }),
  );
});

test("property: given entropies give the patches of the function that computed them", () => {
  fc.assert(
    fc.property(bytes, patcher, context, (bytes, patcher, context) => {
      const entropy = entropyNats(context);
      expect(patchStarts(bytes, patcher, byteEntropies(bytes, entropy))).toEqual(
        patchStarts(bytes, patcher, entropy),
      );
    }),
  );
});

test("golden: threshold and rise, by hand", () => {
  const entropies = [0.1, 2, 1.5, 0.5, 1.4, 1.6, 3];
  expect(patchStarts("abcdefg", globalThreshold(1.5), entropies)).toEqual([0, 1, 5, 6]);
  expect(patchStarts("abcdefg", monotonicConstraint(0.5), entropies)).toEqual([0, 1, 4, 6]);
  expect(patchStarts("abcdefg", monotonicConstraint(0), entropies)).toEqual([0, 1, 4, 5, 6]);
});

test.each([
  ["to be, or", ["to ", "be,", " or"]],
  ["  a  b", ["  a ", " b"]],
  ["x=1;\ny", ["x=", "1;", "\ny"]],
  ["été", ["\u00c3\u00a9t\u00c3", "\u00a9"]],
])("golden: spaces in %j, by hand from BLT's rule", (text, patches) => {
  const letters = String.fromCharCode(...new TextEncoder().encode(text));
  const starts = patchStarts(text, spacePatching());
  expect(starts.map((start, i) => letters.slice(start, starts[i + 1]))).toEqual(patches);
});

test("an empty text has no patches", () => {
  expect(patchStarts("", stridedPatching(3))).toEqual([]);
  expect(patchStream(stridedPatching(3)).end()).toEqual([]);
});

test("an entropy-based patcher without entropies, and a value that is not a patcher, are refused", () => {
  const fix = /\nFix: give a model of bytes, such as `englishBytes\(\)`/;
  expect(() => patchStarts("a", globalThreshold(1))).toThrow(fix);
  expect(() => patchStream(monotonicConstraint(1))).toThrow(
    "patchStream: `entropy` is undefined, expected a function of the bytes before, which monotonicConstraint(1) reads.",
  );
  for (const wrong of [NaN, -1, Infinity, undefined as never]) {
    expect(() => patchStarts("a", globalThreshold(1), () => wrong)).toThrow(
      /patchStarts: `entropy` is .*, in nats/,
    );
    expect(() => byteEntropies("a", () => wrong)).toThrow(/byteEntropies: `entropy` is /);
  }
  expect(() => patchStarts("ab", globalThreshold(1), [1])).toThrow("patchStarts: `entropy` is undefined");
});

test("impossible thresholds and sizes are refused", () => {
  expect(() => globalThreshold(-1)).toThrow(
    "globalThreshold: `threshold` is -1, expected a number of nats, 0 or more.\nFix: use about 1.5",
  );
  expect(() => monotonicConstraint(NaN)).toThrow(
    "monotonicConstraint: `rise` is NaN, expected a number of nats",
  );
  expect(() => stridedPatching(0)).toThrow(
    "stridedPatching: `size` is 0, expected an integer number of bytes, 1 or more.\nFix: use 4",
  );
});
