// Damaged and hostile files through every reader: node scripts/fuzz/files.mjs [INPUTS] [SEED] [TARGET]
//
// Each target runs in a process of its own with a heap of 256 MiB. fast-check generates every fourth input; the others are
// mutated real files. An input passes if it is read, or refused with a QkvError; if it took at most a second, and at most 64
// MiB (or ten times its size) of memory at its peak; and if no prototype changed. Among the first inputs, those that reach
// new code are added to the corpus, and mutated further. Failing inputs are written to the folder for temporary files.
// TARGET may be a reader of `faulty.mjs`, which must fail. Needs built packages.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { fileURLToPath } from "node:url";
import { GCProfiler, getHeapStatistics } from "node:v8";
import { faulty } from "./faulty.mjs";
import { generatedFiles } from "./made.mjs";
import { mutate } from "./mutate.mjs";
import { watchReached } from "./reached.mjs";
import { targets } from "./targets.mjs";

/** Larger files are mutated less often: they take longer, and a mutation seldom hits a byte that matters. */
const [mostBytes, rarely] = [20_000, 2000];
/** Number of inputs between two checks of coverage and memory. */
const batch = 100;
/** One input of this many is generated; the others are mutated files. */
const madeEvery = 4;
/** Time without output after which a process counts as hung. */
const silentSeconds = Number(process.env.QKV_FUZZ_SILENT_SECONDS ?? 600);
/** Allowed peak memory of one read, beyond what was allocated before. */
const mostMemory = (input) => Math.max(64 * 2 ** 20, 10 * input.length);
/** Number of inputs with coverage. It makes them three times as slow, and soon finds little new. */
const watched = (inputs) => Math.max(2000, inputs / 40);

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

/** Reads the messages of a target's process. If it ends or hangs early, reports the input at which it did. */
function inChild(name) {
  const args = ["--max-old-space-size=256", "--expose-gc", self, inputs, seed, name, "child"];
  const process_ = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let last = { tried: 0, read: 0, kept: 0, wrong: [] };
  let complaint = "";
  process_.stderr.setEncoding("utf8").on("data", (text) => (complaint = (complaint + text).slice(-2000)));
  return new Promise((resolve) => {
    let silent = 0;
    // Time is counted in ticks, so that time in which the whole machine slept does not count.
    const timer = setInterval(() => {
      silent += 1;
      if (silent > silentSeconds) process_.kill("SIGKILL");
    }, 1000);
    process_.on("message", (message) => {
      last = message;
      silent = 0;
    });
    process_.on("close", (code) => {
      clearInterval(timer);
      const ended = `ended with ${code} after input ${last.tried}: ${complaint.trim().split("\n").at(-1)}`;
      resolve(last.done ? last : { ...last, wrong: [...last.wrong, ended] });
    });
  });
}

/** Processor time of this thread, which is independent of the machine's load. */
function busyMs() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Peak memory of `work` in bytes, beyond what was allocated before. */
async function peakOf(work) {
  const taken = ({ usedHeapSize, externalMemory }) => usedHeapSize + externalMemory;
  const now = () => {
    const { used_heap_size: usedHeapSize, external_memory: externalMemory } = getHeapStatistics();
    return taken({ usedHeapSize, externalMemory });
  };
  // Memory peaks just before a garbage collection, or at the end.
  const profiler = new GCProfiler();
  const before = now();
  profiler.start();
  await work();
  const { statistics } = profiler.stop();
  const highs = statistics.map(({ beforeGC }) => taken(beforeGC.heapStatistics));
  return Math.max(now(), ...highs) - before;
}

async function runTarget(name) {
  const {
    files,
    real = [],
    read: readOne,
    refuses,
    mend = (bytes) => bytes,
  } = await { ...targets, ...faulty }[name]();
  const { isQkvError } = await import("../../packages/core/dist/index.js");
  const prototypes = () =>
    [Object, Array, Function, String, Map].map(({ prototype }) => Reflect.ownKeys(prototype).length).join();
  const before = prototypes();
  // Most inputs end in an error, and capturing its stack would take as long as reading.
  Error.stackTraceLimit = 2;
  const state = { tried: 0, read: 0, kept: 0, weighed: 0, wrong: [] };
  // Real files must be readable: otherwise mutating them tests nothing.
  await Promise.all([...files, ...real].map((bytes) => readOne(bytes)));
  const small = [...files, ...real.filter(({ length }) => length <= mostBytes)];
  const large = real.filter(({ length }) => length > mostBytes);
  let reached = watchReached((url) => /packages\/[\w-]+\/dist\/|@huggingface\/jinja/.test(url));
  /** Reads one input, and returns the problem, if any. */
  const tryOne = async (bytes) => {
    const start = busyMs();
    let wrong;
    try {
      await readOne(bytes);
      state.read += 1;
    } catch (error) {
      if (!isQkvError(error) && !refuses?.(error))
        wrong = error?.stack?.split("\n").slice(0, 3).join(" ") ?? String(error);
    }
    const ms = busyMs() - start;
    if (ms > 1000 && !process.env.QKV_FUZZ_UNTIMED) wrong = `took ${ms.toFixed(0)} ms`;
    if (prototypes() !== before) wrong = "a prototype changed";
    return wrong;
  };
  /** Reads one input alone, and returns its peak memory if that exceeds the limit. */
  const weigh = async (bytes) => {
    globalThis.gc();
    const peak = await peakOf(() => tryOne(bytes));
    return peak > mostMemory(bytes) ? `took ${(peak / 2 ** 20).toFixed(0)} MiB` : undefined;
  };
  for (const bytes of files) await tryOne(bytes);
  reached.keep(reached.take());
  state.read = 0;
  const kept = [...small];
  while (state.tried < Number(inputs)) {
    const many = Math.min(batch, Number(inputs) - state.tried);
    const first = Number(seed) * 1_000_003 + state.tried;
    const made = generatedFiles(name in faulty ? "any bytes" : name, Math.ceil(many / madeEvery), first);
    const tried = Array.from({ length: many }, (_, i) => {
      const inputSeed = first + i;
      if (large.length > 0 && inputSeed % rarely === 0) return mend(mutate(large, inputSeed));
      if (i % madeEvery === 0) return mend(made[i / madeEvery]);
      // Most inputs of the corpus are already broken: every other mutation starts from a valid file.
      return mend(mutate(inputSeed % 2 === 0 ? small : kept, inputSeed));
    });
    const report = (i, wrong) => {
      const file = join(tmpdir(), `qkv-fuzz-${name.replace(/\W/g, "-")}-${state.tried + i}`);
      writeFileSync(file, tried[i]);
      state.wrong.push(`input ${state.tried + i} (${tried[i].length} bytes, ${file}): ${wrong}`);
    };
    const peak = await peakOf(async () => {
      for (const [i, bytes] of tried.entries()) {
        const wrong = await tryOne(bytes);
        if (wrong) report(i, wrong);
      }
    });
    const { read } = state;
    // Many inputs together may exceed the limit. Each is read again alone to see whether one of them does.
    if (tried.some((bytes) => peak > mostMemory(bytes))) {
      state.weighed += 1;
      for (const [i, bytes] of tried.entries()) {
        const wrong = await weigh(bytes);
        if (wrong) report(i, wrong);
      }
    }
    state.tried += many;
    // The inputs with new coverage are searched one by one only if the batch reached new code.
    if (reached && reached.isNew(reached.take())) {
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
    }
    state.read = read;
    if (state.tried >= watched(Number(inputs))) {
      reached?.stop();
      reached = undefined;
    }
    process.send(state);
  }
  process.send({ ...state, done: true });
  process.disconnect();
}
