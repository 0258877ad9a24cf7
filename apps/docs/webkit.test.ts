import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { openServer, staticFiles } from "../../scripts/server.mjs";
import { steps as nightly } from "../../scripts/nightly/site.mjs";
import { unfinishedExamples } from "./scripts/live-examples.mjs";
import { collectErrors } from "./scripts/webkit.mjs";

test("npm run nightly site visits WebKit; without a driver it says what is missing, and counts it as skipped", () => {
  const { command } = nightly.find(({ name }) => name === "WebKit")!;
  const [program, ...args] = command;
  expect(program).toBe("node");
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { ...process.env, WEBKIT_DRIVER_PATH: "/no/driver" },
    encoding: "utf8",
  });
  expect(stdout).toContain("there is no /no/driver");
  expect(stdout).toContain("apt-get install --no-install-recommends webkit2gtk-driver xvfb");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 0 failed, 1 skipped");
  expect(status).toBe(0);
});

test("pages are served with the first script before their own, other files unchanged", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qkv-first-script-"));
  writeFileSync(
    join(folder, "index.html"),
    '<html><head lang="en"><script src="own.js"></script></head></html>',
  );
  writeFileSync(join(folder, "own.js"), "const head = '<head>';");
  const server = await openServer(staticFiles(folder, { firstScript: "first('$&')" }));
  const text = async (path: string) => (await fetch(server.origin + path)).text();
  expect(await text("/")).toBe(
    '<html><head lang="en"><script>first(\'$&\')</script><script src="own.js"></script></head></html>',
  );
  expect(await text("/own.js")).toBe("const head = '<head>';");
  await server.close();
  rmSync(folder, { recursive: true });
});

test("the first script collects errors of four kinds", () => {
  const listeners: Record<string, (event: object) => void> = {};
  const printed: unknown[] = [];
  const page: Record<string, unknown> = {
    console: { error: (...args: unknown[]) => printed.push(...args) },
    addEventListener: (type: string, listener: (event: object) => void) => (listeners[type] = listener),
  };
  runInContext(collectErrors, createContext(page));
  listeners.error!({ message: "x is not defined", target: {} });
  listeners.error!({ target: { src: "gone.js" } });
  listeners.unhandledrejection!({ reason: new Error("refused") });
  runInContext('console.error("a", 1)', page as never);
  expect(page.collectedErrors).toEqual([
    "x is not defined",
    "cannot load gone.js",
    "unhandled: Error: refused",
    "a 1",
  ]);
  expect(printed).toEqual(["a", 1]);
});

test("live examples that did not end well are named, and a page without any is a problem", async () => {
  const found = (ended: string) => unfinishedExamples({ run: async () => ended }, 1);
  expect(await found("one done,two error,three undefined")).toEqual(["two error", "three undefined"]);
  expect(await found("one done")).toEqual([]);
  expect(await found("")).toEqual(["it has no live example"]);
});
