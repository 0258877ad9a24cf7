// Damaged and hostile files through every reader: node scripts/fuzz/files.mjs [INPUTS] [SEED] [TARGET]
//
// Each target runs in a process of its own with a heap of 256 MiB. An input passes if it is read, or refused with one
// of our errors; if it took no more than a second and no buffers over 64 MiB (or ten times its size); and if no
// prototype changed. What does not pass is told with its seed, which makes it again. Needs the packages built.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { mutate } from "./mutate.mjs";
import { targets } from "./targets.mjs";

const [inputs = "1000000", seed = "1", only, child] = process.argv.slice(2);
const self = fileURLToPath(import.meta.url);

if (child) await runTarget(only);
else {
  const counts = { passed: 0, failed: 0 };
  for (const name of only ? [only] : Object.keys(targets)) {
    const { tried, read, wrong } = await inChild(name);
    counts[wrong.length === 0 ? "passed" : "failed"] += 1;
    console.log(`${name}: ${tried} inputs, ${read} of them read, ${wrong.length} wrong`);
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
  let last = { tried: 0, read: 0, wrong: [] };
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
  const { files, read, refuses } = await targets[name]();
  const { isQkvError } = await import("../../packages/core/dist/index.js");
  const prototypes = () =>
    [Object, Array, Function, String, Map].map(({ prototype }) => Reflect.ownKeys(prototype).length).join();
  const before = prototypes();
  const state = { tried: 0, read: 0, wrong: [] };
  const real = files.map((bytes) => read(bytes));
  await Promise.all(real); // Real files are read, or there is nothing to damage.
  for (; state.tried < Number(inputs); state.tried++) {
    const own = Number(seed) * 1_000_003 + state.tried;
    const bytes = mutate(files, own);
    const buffers = process.memoryUsage().arrayBuffers;
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
    const grown = process.memoryUsage().arrayBuffers - buffers;
    if (ms > 1000 && !process.env.QKV_FUZZ_UNTIMED) wrong = `took ${ms.toFixed(0)} ms`;
    if (grown > Math.max(64 * 2 ** 20, 10 * bytes.length))
      wrong = `allocated ${(grown / 2 ** 20).toFixed(0)} MiB`;
    if (prototypes() !== before) wrong = "a prototype changed";
    if (wrong) state.wrong.push(`input ${state.tried} (${bytes.length} bytes): ${wrong}`);
    if (state.tried % 500 === 0) process.send(state);
  }
  process.send({ ...state, done: true });
  process.disconnect();
}
