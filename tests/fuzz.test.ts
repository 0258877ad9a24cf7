// Damaged and hostile files through every reader, 2,000 each; a million each in `npm run nightly fuzz`.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { mutate } from "../scripts/fuzz/mutate.mjs";
import { targets } from "../scripts/fuzz/targets.mjs";

const script = fileURLToPath(new URL("../scripts/fuzz/files.mjs", import.meta.url));

// Without its limit of a second for each input: a busy machine is slow, not wrong.
test.each(Object.keys(targets))("%s: each is read, or refused with an error of ours", async (target) => {
  const args = [script, "2000", "1", target];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, QKV_FUZZ_UNTIMED: "1" },
  });
  expect(stdout).toMatch(
    new RegExp(`^${target}: 2000 inputs, [1-9]\\d* of them read, 0 wrong\n1 passed, 0 failed\n$`),
  );
});

test("a changed file is the same for the same seed, and another for another", () => {
  const file = new TextEncoder().encode('{"a": 1, "b": [true, "c"]}');
  const made = Array.from({ length: 200 }, (_, seed) => mutate([file], seed).join());
  expect(Array.from({ length: 200 }, (_, seed) => mutate([file], seed).join())).toEqual(made);
  expect(new Set(made).size).toBeGreaterThan(150);
});
