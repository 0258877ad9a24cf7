// Memory that stays allocated after `load`, after `generate` and after everything is closed, on each device and in a
// thread of @qkv/worker. Each runs in a process of its own, with a random checkpoint.
//   node scripts/flat/stays.mjs [--megabytes 200] [--device wasm]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeRandomCheckpoint } from "./random-checkpoint.mjs";

/**
 * Bytes that may stay after everything is closed, as a fraction of the checkpoint: code, pools of the allocator, parts
 * of files.
 */
const mostLeft = 0.25;
/** Devices with this limit. Others keep memory for reuse: `js` in the garbage collector, GPUs in the driver. */
const limited = ["wasm", "worker"];

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "200" },
    device: { type: "string", multiple: true },
    folder: { type: "string" },
  },
});
const megabytes = (bytes) => (bytes === undefined ? "–" : (bytes / 1e6).toFixed(0));

/** Resident bytes of the process, and bytes of the device, after a garbage collection. */
async function held(device) {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await pause(50);
  }
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    process: 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]),
    device: (await device?.memory())?.bytes,
  };
}

const openers = {
  js: async () => (await import("../../packages/tensor/dist/index.js")).js(),
  wasm: async () => (await import("../../packages/wasm/dist/index.js")).wasm(),
  webgpu: async () => (await import("../../packages/webgpu/dist/index.js")).webgpu(),
};
const prompt = [3, 14, 15, 92, 65, 35];
const maxTokens = 16;

/** Loads and generates on the named device, and closes it. Nothing references the model afterwards. */
async function onDevice(name, folder) {
  const { generate, load } = await import("../../packages/transformer/dist/index.js");
  const device = await openers[name]();
  const model = await load(folder, { device });
  const loaded = await held(device);
  for await (const { id } of generate(model, prompt, { maxTokens })) if (id < 0) break;
  const generated = await held(device);
  await device.close?.();
  return { loaded, generated };
}

/** The same in a worker thread. */
async function inThread(folder) {
  const { generate, load } = await import("../../packages/worker/dist/index.js");
  const model = await load(folder);
  const loaded = await held(model);
  for await (const { id } of generate(model, prompt, { maxTokens })) if (id < 0) break;
  const generated = await held(model);
  await model.dispose();
  return { loaded, generated };
}

if (values.folder !== undefined) {
  const [name] = values.device;
  // Excludes code that is compiled once from the model's memory.
  await (await openers[name]?.())?.close?.();
  const before = await held();
  const open = await (name === "worker" ? inThread(values.folder) : onDevice(name, values.folder));
  console.log(JSON.stringify({ before, ...open, closed: await held() }));
  process.exit(0);
} else if (process.platform !== "linux") {
  console.log("memory is read from /proc, which this system does not have\n0 passed, 0 failed");
} else {
  const folder = mkdtempSync(join(tmpdir(), "qkv-stays-"));
  let [passed, failed] = [0, 0];
  try {
    const { bytes: size } = writeRandomCheckpoint(folder, Number(values.megabytes) * 1e6);
    console.log(
      `a checkpoint of ${megabytes(size)} MB in bfloat16. MB of the process above its start, and of the device:\n`,
    );
    console.log(
      "| device | after `load` | after `generate` | when closed | device after `load` | after `generate` |",
    );
    console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (const name of values.device ?? [...Object.keys(openers), "worker"]) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--expose-gc", fileURLToPath(import.meta.url), "--folder", folder, "--device", name],
        { encoding: "utf8" },
      );
      if (status !== 0) {
        const isAbsent = /DeviceError/.test(stderr);
        if (!isAbsent) failed += 1;
        console.log(`| ${name} | ${isAbsent ? "is not here" : "failed"} | | | | |`);
        if (!isAbsent) console.error(stderr);
        continue;
      }
      const { before, loaded, generated, closed } = JSON.parse(stdout);
      const above = ({ process }) => megabytes(process - before.process);
      if (!limited.includes(name) || closed.process - before.process < mostLeft * size) passed += 1;
      else failed += 1;
      const cells = [above(loaded), above(generated), above(closed)];
      console.log(
        `| ${[name, ...cells, megabytes(loaded.device), megabytes(generated.device)].join(" | ")} |`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
