// Memory of `qkv export`: besides the model itself, at most 1.2 times its largest tensor, in every format.
//
// Writes a model of 1 GB in small pieces, then exports it in a child process, which reports its peak resident set size
// (VmHWM of /proc) at its end. The memory of the command without a model, and that of the model, are subtracted.
import { writeSafetensorsHeader } from "../../packages/core/dist/index.js";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [layers, C, F, V, heads] = [13, 1024, 4096, 32000, 16];
const most = 1.2;
const command = fileURLToPath(new URL("../../packages/cli/dist/qkv.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "qkv-export-memory-"));

if (process.platform !== "linux") {
  console.log("peaks are read from /proc, which this system does not have\n0 passed, 0 failed");
  process.exit(0);
}

/** Writes a Llama of random weights, and returns its size in bytes. */
function randomModel(path) {
  const matrix = (name, ...shape) => ({ name: `model.${name}.weight`, shape, dtype: "F32" });
  const entries = [matrix("embed_tokens", V, C), matrix("norm", C)];
  for (let i = 0; i < layers; i++) {
    for (const part of ["q_proj", "k_proj", "v_proj", "o_proj"])
      entries.push(matrix(`layers.${i}.self_attn.${part}`, C, C));
    for (const part of ["gate_proj", "up_proj"]) entries.push(matrix(`layers.${i}.mlp.${part}`, F, C));
    entries.push(matrix(`layers.${i}.mlp.down_proj`, C, F));
    for (const norm of ["input_layernorm", "post_attention_layernorm"])
      entries.push(matrix(`layers.${i}.${norm}`, C));
  }
  const config = {
    ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], vocab_size: V, hidden_size: C },
    ...{ intermediate_size: F, num_hidden_layers: layers, num_attention_heads: heads },
    ...{ num_key_value_heads: heads, max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
    ...{ tie_word_embeddings: true, hidden_act: "silu" },
  };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  const file = openSync(join(path, "model.safetensors"), "w");
  writeSync(file, writeSafetensorsHeader(entries, { format: "pt" }));
  let seed = 1;
  const block = new Float32Array(2 ** 20);
  let total = 0;
  let largest = 0;
  for (const { shape } of entries) {
    const count = shape.reduce((a, b) => a * b, 1);
    for (let at = 0; at < count; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, count - at));
      for (let i = 0; i < part.length; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        part[i] = seed / 2 ** 36;
      }
      writeSync(file, new Uint8Array(part.buffer, 0, part.byteLength));
    }
    total += 4 * count;
    largest = Math.max(largest, 4 * count);
  }
  closeSync(file);
  return { total, largest };
}

/** Peak resident set size of the command in bytes. */
function peakOf(...args) {
  const status = join(folder, "status");
  const hook = join(folder, "hook.mjs");
  writeFileSync(
    hook,
    `import { readFileSync, writeFileSync } from "node:fs";
     process.on("exit", () => writeFileSync(${JSON.stringify(status)}, readFileSync("/proc/self/status")));`,
  );
  const { status: code, stderr } = spawnSync(
    process.execPath,
    ["--import", pathToFileURL(hook).href, command, "export", ...args],
    { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] },
  );
  if (code !== 0) throw new Error(stderr);
  return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, "utf8"))[1]);
}

let [passed, failed] = [0, 0];
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
try {
  const { total, largest } = randomModel(folder);
  console.log(`a model of ${megabytes(total)} MB, its largest tensor ${megabytes(largest)} MB`);
  for (const options of [
    ["--to", "hf"],
    ["--to", "hf", "--dtype", "bfloat16"],
    ["--to", "onnx"],
    ["--to", "gguf"],
    ["--to", "gguf", "--dtype", "q8_0"],
  ]) {
    const [small, large] = [join(folder, "small"), join(folder, "large")];
    const empty = peakOf("@qkv/model-tiny", small, ...options);
    const peak = peakOf(folder, large, ...options);
    const extra = peak - empty - total;
    const holds = extra <= most * largest;
    if (holds) passed += 1;
    else failed += 1;
    console.log(
      `${holds ? "ok" : "failed"}: ${options.join(" ")}: peak ${megabytes(peak)} MB, ${megabytes(empty)} of it without ` +
        `a model; ${megabytes(extra)} MB beside the model, ${(extra / largest).toFixed(2)} of its largest tensor`,
    );
    for (const path of [small, large]) rmSync(path, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
