// Memory of `load` on wasm: the peak of the whole process is less than 1.2 times the bytes of the checkpoint's files.
//
// Writes a Qwen 3 of 1 GB in bfloat16 in shards, then loads it in a child process, which computes a token and reports its
// peak resident set size (VmHWM of /proc): unchanged, and quantized to 8 and 4 bits while it is read.
//   node scripts/flat/load.mjs [--megabytes 1000]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeRandomCheckpoint } from "./random-checkpoint.mjs";

const most = 1.2;
const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1000" },
    folder: { type: "string" },
    quantize: { type: "string" },
  },
});

const megabytes = (bytes) => (bytes / 1e6).toFixed(0);

/** Loads the model of a folder and prints the memory and time as JSON. Units: bytes, seconds. */
async function loadAlone(folder, kind) {
  const { load } = await import("../../packages/transformer/dist/index.js");
  const { wasm } = await import("../../packages/wasm/dist/index.js");
  const device = await wasm();
  const start = performance.now();
  const model = await load(folder, { device, ...(kind && { quantize: kind }) });
  const seconds = (performance.now() - start) / 1000;
  const peak = () => 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  const loaded = peak();
  const { bytes, peakBytes, grownBytes } = device.memory();
  model.apply(model.params, [1]);
  const { dtype } = model.params.embedding.weight;
  console.log(JSON.stringify({ loaded, peak: peak(), bytes, peakBytes, grownBytes, seconds, dtype }));
  await device.close();
}

/** Memory and time of a process that loads the folder. */
function figuresOf(folder, kind) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), "--folder", folder, ...(kind ? ["--quantize", kind] : [])],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

if (values.folder !== undefined) {
  await loadAlone(values.folder, values.quantize);
} else if (process.platform !== "linux") {
  console.log("peaks are read from /proc, which this system does not have\n0 passed, 0 failed");
} else {
  const folder = mkdtempSync(join(tmpdir(), "qkv-load-memory-"));
  let [passed, failed] = [0, 0];
  try {
    const { bytes: size, shards } = writeRandomCheckpoint(folder, Number(values.megabytes) * 1e6);
    console.log(`a checkpoint of ${megabytes(size)} MB in bfloat16, in ${shards} files`);
    for (const kind of [undefined, "int8", "int4"]) {
      const { loaded, peak, bytes, grownBytes, seconds, dtype } = figuresOf(folder, kind);
      const holds = Math.max(loaded, peak, grownBytes) < most * size;
      if (holds) passed += 1;
      else failed += 1;
      console.log(
        `${holds ? "ok" : "failed"}: ${kind ?? dtype}: the process held ${megabytes(loaded)} MB at most, ` +
          `${(loaded / size).toFixed(2)} of the files, and ${megabytes(peak)} MB after a token; the device ${megabytes(bytes)} MB ` +
          `in a memory of ${megabytes(grownBytes)} MB (${seconds.toFixed(1)} s)`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
