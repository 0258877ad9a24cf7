import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { chromiumPath, noChromium } from "../scripts/chromium.mjs";

const script = fileURLToPath(new URL("../scripts/flat/tensor.mjs", import.meta.url));

test("memory does not grow in long loops (the short form of `npm run nightly flat`)", () => {
  const sizes = ["--ops", "60000", "--matmuls", "150", "--size", "192"];
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...sizes], { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/^2 passed, 0 failed$/m);
});

test("memory does not grow in decoding with caches (the short form)", () => {
  const script = fileURLToPath(new URL("../scripts/flat/caches.mjs", import.meta.url));
  const args = ["--expose-gc", script, "--steps", "3000"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/^4 passed, 0 failed$/m);
});

test("the memory of the wasm device does not grow over its calls (the short form)", () => {
  const script = fileURLToPath(new URL("../scripts/flat/wasm.mjs", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [script, "--calls", "7000"], { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/^2 passed, 0 failed$/m);
});

test("generation, training and forks, interleaved with faults, give the same results each time (the short form of soak)", () => {
  const script = fileURLToPath(new URL("../scripts/soak/run.mjs", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", script, "0"], { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/^4 faults survived of 4$/m);
  expect(stdout, stderr).toMatch(/^19 passed, 0 failed$/m);
});

test.runIf(chromiumPath)(
  "mounted and unmounted components of React and Vue leave no worker, model or listener (the short form of soak)",
  () => {
    const script = fileURLToPath(new URL("../scripts/soak/pages.mjs", import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [script, "0"], { encoding: "utf8" });
    expect(stdout, stderr).toMatch(/, 4 rounds, 24 components$/m);
    expect(stdout, stderr).toMatch(/^7 passed, 0 failed$/m);
  },
);
if (!chromiumPath) test("left out", ({ skip }) => skip(noChromium));
