// Test files of a worker share its globals. Each must leave them as they were, or it fails by name.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
// Inside of node_modules, so that the files find vitest.
const folder = mkdtempSync(join(root, "node_modules/.restored-globals-"));
afterAll(() => rmSync(folder, { recursive: true }));

const setup = JSON.stringify(join(root, "scripts/restored-globals.ts"));
const files = {
  "vitest.config.mjs": `export default { test: { isolate: false, exclude: [], setupFiles: [${setup}], maxWorkers: 1 } };`,
  "a-stubs.test.ts": `
    import { test, vi } from "vitest";
    test("stubs", () => { vi.stubGlobal("fetch", 1); vi.stubEnv("QKV_LEFT", "1"); vi.useFakeTimers(); vi.spyOn(Math, "max"); });`,
  "b-clean.test.ts": `
    import { expect, test } from "vitest";
    test("stubs of the file before are gone", () => {
      expect([typeof fetch, process.env.QKV_LEFT, Math.max(1, 2), "clock" in setTimeout]).toEqual(["function", undefined, 2, false]);
    });`,
  "c-leaves.test.ts": `
    import { test } from "vitest";
    test("leaves", () => { process.env.QKV_LEFT = "1"; console.warn = () => {}; globalThis.fetch = 1; });`,
};

test("stubs end with their file, and a file that leaves a global changed fails, with what it left", () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, "run", "--root", folder], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const failed = [...(stdout + stderr).matchAll(/^ FAIL +(\S+)/gm)].map(([, file]) => file);
  expect([...new Set(failed)]).toEqual(["c-leaves.test.ts"]);
  expect(stderr).toMatch(
    /c-leaves\.test\.ts leaves globalThis\.fetch, console\.warn, process\.env\.QKV_LEFT changed, .*\nFix: restore it in `afterEach`/,
  );
});
