// Damaged and hostile files through every reader: node scripts/fuzz/files.mjs [INPUTS] [SEED] [TARGET]
//
// Each target runs in a process of its own with a heap of 256 MiB. An input passes if it is read, or refused with one
// of our errors; if it took no more than a second and no memory over 64 MiB (or ten times its size); and if no
// prototype changed. Of the first tenth, inputs that reach code that none before reached are kept, and changed further as
// the real files are. What does not pass is left in the folder for temporary files. Needs the packages built.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutate } from "./mutate.mjs";
import { watchReached } from "./reached.mjs";
import { targets } from "./targets.mjs";

/** Larger files are changed rarely: they take longer, and a change seldom hits something. */
const [mostBytes, rarely] = [20_000, 500];
/** Inputs from one look at what was reached to the next. */
const batch = 100;
/** How many of all inputs are watched: watching makes them three times as slow, and soon finds little. */
const watched = (inputs) => Math.max(2000, inputs / 10);

const [inputs = "1000000", seed = "1", only, child] = process.argv.slice(2);
const self = fileURLToPath(import.meta.url);

if (child) await runTarget(only);
else {
  const counts = { passed: 0, failed: 0 };
  for (const name of only ? [only] : Object.keys(targets)) {
    const { tried, read, kept, wrong } = await inChild(name);
    counts[wrong.length === 0 ? "passed" : "failed"] += 1;
    console.log(
      `${name}: ${tried} inputs, ${read} of them read, ${kept} reached something new, ${wrong.length} wrong`,
    );
    for (const line of wrong.slice(0, 5)) console.log(`  ${line}`);
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

/** What a target's process tells; where it ends or stands still before it is done, the input at which it did. */
function inChild(name) {
  const process_ = spawn(process.execPath, ["--max-old-space-size=256", self, inputs, seed, name, "child"], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let last = { tried: 0, read: 0, kept: 0, wrong: [] };
  let complaint = "";
  process_.stderr.setEncoding("utf8").on("data", (text) => (complaint = (complaint + text).slice(-2000)));
  return new Promise((resolve) => {
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => process_.kill("SIGKILL"), 120_000);
    };
    wait();
    process_.on("message", (message) => {
      last = message;
      wait();
    });
    process_.on("close", (code) => {
      clearTimeout(timer);
      const ended = `ended with ${code} after input ${last.tried}: ${complaint.trim().split("\n").at(-1)}`;
      resolve(last.done ? last : { ...last, wrong: [...last.wrong, ended] });
    });
  });
}

async function runTarget(name) {
  const { files, real = [], read, refuses, mend = (bytes) => bytes } = await targets[name]();
  const { isQkvError } = await import("../../packages/core/dist/index.js");
  const prototypes = () =>
    [Object, Array, Function, String, Map].map(({ prototype }) => Reflect.ownKeys(prototype).length).join();
  const before = prototypes();
  const state = { tried: 0, read: 0, kept: 0, wrong: [] };
  // Real files are read, or there is nothing to damage.
  await Promise.all([...files, ...real].map((bytes) => read(bytes)));
  const small = [...files, ...real.filter(({ length }) => length <= mostBytes)];
  const large = real.filter(({ length }) => length > mostBytes);
  let reached = watchReached((url) => /packages\/[\w-]+\/dist\/|@huggingface\/jinja/.test(url));
  /** Reads one, and says what is wrong with how that went. */
  const tryOne = async (bytes) => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    const start = performance.now();
    let wrong;
    try {
      await read(bytes);
      state.read += 1;
    } catch (error) {
      if (!isQkvError(error) && !refuses?.(error))
        wrong = error?.stack?.split("\n").slice(0, 3).join(" ") ?? String(error);
    }
    const ms = performance.now() - start;
    const after = process.memoryUsage();
    const grown = Math.max(0, after.arrayBuffers - arrayBuffers) + Math.max(0, after.heapUsed - heapUsed);
    if (ms > 1000 && !process.env.QKV_FUZZ_UNTIMED) wrong = `took ${ms.toFixed(0)} ms`;
    if (grown > Math.max(64 * 2 ** 20, 10 * bytes.length))
      wrong = `allocated ${(grown / 2 ** 20).toFixed(0)} MiB`;
    if (prototypes() !== before) wrong = "a prototype changed";
    return wrong;
  };
  for (const bytes of files) await tryOne(bytes);
  reached.keep(reached.take());
  state.read = 0;
  const kept = [...small];
  while (state.tried < Number(inputs)) {
    const many = Math.min(batch, Number(inputs) - state.tried);
    const tried = Array.from({ length: many }, (_, i) => {
      const own = Number(seed) * 1_000_003 + state.tried + i;
      if (large.length > 0 && own % rarely === 0) return mend(mutate(large, own));
      // What is kept is mostly broken already: every other input begins with a whole file.
      return mend(mutate(own % 2 === 0 ? small : kept, own));
    });
    for (const bytes of tried) {
      let wrong = await tryOne(bytes);
      // A machine that stood still for a moment is none of the input's doing.
      if (wrong?.startsWith("took")) wrong = await tryOne(bytes);
      if (wrong) {
        const file = join(tmpdir(), `qkv-fuzz-${name.replace(/\W/g, "-")}-${state.tried}`);
        writeFileSync(file, bytes);
        state.wrong.push(`input ${state.tried} (${bytes.length} bytes, ${file}): ${wrong}`);
      }
      state.tried += 1;
    }
    // Which of them it was is looked for only when there was something new.
    if (reached && reached.isNew(reached.take())) {
      const { read: count } = state;
      for (const bytes of tried) {
        await tryOne(bytes);
        const ran = reached.take();
        if (!reached.isNew(ran)) continue;
        reached.keep(ran);
        if (bytes.length <= mostBytes) {
          kept.push(bytes);
          state.kept += 1;
        }
      }
      state.read = count;
    }
    if (state.tried >= watched(Number(inputs))) {
      reached?.stop();
      reached = undefined;
    }
    process.send(state);
  }
  process.send({ ...state, done: true });
  process.disconnect();
}
