import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { openServer, staticFiles } from "../../scripts/server.mjs";
import { steps as nightly } from "../../scripts/nightly/site.mjs";
import { collectErrors, noWebKit } from "./scripts/webkit.mjs";

test("npm run nightly site visits WebKit, or says why not", () => {
  const { command, skip } = nightly.find(({ name }) => name === "WebKit")!;
  expect(command).toEqual(["node", "apps/docs/scripts/walk-webkit.mjs"]);
  expect(skip).toBe(noWebKit);
  if (skip) expect(skip).toContain("apt-get install --no-install-recommends webkit2gtk-driver xvfb");
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
