// Calls every function of one package with wrong arguments, and prints a line for each call with the arguments and the
// error. Runs in a process of its own, since a call may end it.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { publicPackages } from "../packages.mjs";
import { rightCalls } from "./right-calls.mjs";
import { wrongCalls } from "./wrong-calls.mjs";

const pack = publicPackages().find(({ name }) => name === process.argv[2]);
const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// No network requests: nothing waits for a response.
globalThis.fetch = () => Promise.reject(new TypeError("fetch failed: there is no network here"));
// No GPU: results must not depend on the machine.
Object.defineProperty(globalThis.navigator, "gpu", {
  value: { requestAdapter: () => Promise.resolve(null) },
});
// Ignores errors of work that continues after its call.
process.on("unhandledRejection", () => undefined);

const bytesUsed = () => {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

/** The awaited result: of a promise, or the first item of an iterator. */
async function settled(result) {
  const value = await result;
  if (typeof value?.next !== "function") return value;
  return value.next();
}

async function outcomeOf(f, args) {
  const [began, before] = [performance.now(), bytesUsed()];
  let late;
  const tooLate = new Promise((resolve) => (late = setTimeout(() => resolve({ late: true }), 2000)));
  const call = (async () => settled(f(...args)))().then(
    () => ({ returned: true }),
    (error) => ({ error }),
  );
  const { error, ...rest } = await Promise.race([call, tooLate]);
  clearTimeout(late);
  const facts = error && {
    name: error.name,
    message: String(error.message),
    typed: Boolean(error[Symbol.for("@qkv/error")]),
    fn: error.fn,
    argument: error.argument,
    expected: error.expected,
    fix: error.fix,
  };
  const [ms, mib] = [performance.now() - began, Math.max(0, bytesUsed() - before) / 2 ** 20];
  return { ...rest, ...(facts && { error: facts }), ms: Math.round(ms), mib: Math.round(mib) };
}

const isClass = (f) => /^class\b/.test(Function.prototype.toString.call(f));

for (const [path, to] of Object.entries(pack.json.exports ?? {})) {
  if (!to?.import?.default) continue;
  // Skips re-exports: names are called in the package that declares them.
  if (pack.name === "qkv" && path !== "./command") continue;
  const entry = pack.name + path.slice(1);
  const exported = await import(pathToFileURL(join(pack.folder, to.import.default)).href);
  const right = await rightCalls(entry, exported);
  for (const [fn, f] of Object.entries(exported)) {
    // Skips classes, whose instances come from functions, and components, which have capitalized names.
    if (typeof f !== "function" || isClass(f)) continue;
    for (const [given, args] of wrongCalls(f, right[fn])) {
      write({ entry, fn, given, begins: true });
      write({ entry, fn, given, ...(await outcomeOf(f, args)) });
    }
  }
}
write({ done: true });
process.stdout.write("", () => process.exit(0));
