// The test files of a worker share its globals (`isolate: false`), so after each file this removes the file's stubs, spies and
// fake timers, and fails if anything else that was there before the file has changed.
import { afterAll, expect, vi } from "vitest";

const watched: Readonly<Record<string, object>> = { globalThis, console, Math, Date, JSON, performance };

/** Values by name, as `console.log`, `process.env.HOME` and `process.cwd()`. */
function globals(): Map<string, unknown> {
  const all = new Map<string, unknown>([["process.cwd()", process.cwd()]]);
  for (const [name, value] of Object.entries(process.env)) all.set(`process.env.${name}`, value);
  for (const [object, properties] of Object.entries(watched)) {
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(properties)))
      if (!name.startsWith("__vitest")) all.set(`${object}.${name}`, (get ?? value) as unknown);
  }
  return all;
}

const before = globals();

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  const after = globals();
  const changed = [...before].filter(([name, value]) => !Object.is(after.get(name), value));
  const added = [...after.keys()].filter((name) => name.startsWith("process.env.") && !before.has(name));
  const names = [...changed.map(([name]) => name), ...added];
  if (names.length > 0)
    throw new Error(
      `${expect.getState().testPath} leaves ${names.join(", ")} changed, which the next file of the worker sees.\n` +
        "Fix: restore it in `afterEach`, or change it by `vi.stubGlobal` or `vi.stubEnv`, which are undone after each file.",
    );
});
