// A process that calls every function of one package with wrong arguments, and answers with a line for each call: what
// was given and what was thrown. A process of its own, since a call may end it.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { publicPackages } from "../packages.mjs";
import { rightCalls } from "./right-calls.mjs";
import { wrongCalls } from "./wrong-calls.mjs";

const pack = publicPackages().find(({ name }) => name === process.argv[2]);
const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// Nothing here may ask a network, and nothing waits for an answer.
globalThis.fetch = () => Promise.reject(new TypeError("fetch failed: there is no network here"));
// Nor a GPU, which one machine has and another has not.
Object.defineProperty(globalThis.navigator, "gpu", {
  value: { requestAdapter: () => Promise.resolve(null) },
});
// What a call leaves behind may fail later, when nobody waits for it.
process.on("unhandledRejection", () => undefined);

const bytesUsed = () => {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

/** The result, waited for: a promise, or the first item of what is iterated. */
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
  // The names of other packages under one name: each is called where it is made.
  if (pack.name === "qkv" && path !== "./command") continue;
  const entry = pack.name + path.slice(1);
  const exported = await import(pathToFileURL(join(pack.folder, to.import.default)).href);
  const right = await rightCalls(entry, exported);
  for (const [fn, f] of Object.entries(exported)) {
    // What a class makes is made by functions; what begins with a capital letter and is none is a component.
    if (typeof f !== "function" || isClass(f)) continue;
    for (const [given, args] of wrongCalls(f, right[fn])) {
      write({ entry, fn, given, begins: true });
      write({ entry, fn, given, ...(await outcomeOf(f, args)) });
    }
  }
}
write({ done: true });
process.stdout.write("", () => process.exit(0));
