// The choice of tests of `npm run test:changed`.
import { expect, test } from "vitest";
import { nearestTests } from "../scripts/nearest-tests.mjs";

const masks = "packages/attention/src/masks";
const tests = [
  `${masks}/and.test.ts`,
  `${masks}/causal.test.ts`,
  `${masks}/every-mask.test.ts`,
  `${masks}/long.slow.test.ts`,
  "packages/attention/src/attention.test.ts",
  "packages/tensor/src/ops/softmax.test.ts",
  "packages/tensor/src/tensor.browser.test.ts",
  "conformance/src/caches.test.ts",
];

test("of a changed mask, its own test runs first, then those of all masks; slow ones and other folders are left", () => {
  expect(nearestTests([`${masks}/causal.ts`], tests)).toEqual({
    near: [`${masks}/causal.test.ts`, `${masks}/and.test.ts`, `${masks}/every-mask.test.ts`],
    far: [`${masks}/long.slow.test.ts`, "packages/attention/src/attention.test.ts"],
    untested: [],
  });
});

test("a folder without tests has those of the next folder above, within its package", () => {
  const { near, untested } = nearestTests(
    ["packages/attention/src/biases/deep/alibi.ts", "packages/tensor/src/random/randn.ts"],
    tests,
  );
  expect(near).toEqual(["packages/attention/src/attention.test.ts"]);
  expect(untested).toEqual(["packages/tensor/src/random/randn.ts"]);
});

test("a changed test runs, unless it is slow or needs a browser", () => {
  const changed = [
    "conformance/src/caches.test.ts",
    "packages/tensor/src/tensor.browser.test.ts",
    `${masks}/long.slow.test.ts`,
  ];
  expect(nearestTests(changed, tests).near).toEqual(["conformance/src/caches.test.ts"]);
});
