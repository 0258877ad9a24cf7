import { chromiumPath, noChromium } from "../chromium.mjs";

export const about =
  "WebGPU on the adapter that Node finds: every conformance family with plain limits and the adapter's, subgroups on and off, weights, keys and values of 16 bits on and off, each pair of these in one run; gradients, 50 steps of training and caches of 16 bits; in Chromium on SwiftShader and in Deno (installs 700 MB) attention, products, norms and a model; 10,000 calls of attention and 1,000 tokens in flat memory without a new shader. STEP, as training or Deno, runs those alone.";
export const takes = "[STEP]";

const main = "conformance/dist/main.js";
const conformance = (name, runtime, device, families = []) => ({
  name,
  command: [...runtime, main, "--device", device, ...families.flatMap((family) => ["--only", family])],
  counts: true,
});
/** Pairwise testing of three settings with two values: four runs that contain each pair of values. */
const settings = [
  "webgpu,subgroups=on,float16=on,limits=plain",
  "webgpu,subgroups=off,float16=off,limits=plain",
  "webgpu,subgroups=on,float16=off",
  "webgpu,subgroups=off,float16=on",
];
const inOtherEngines = [
  "attention",
  "sdpa",
  "matmul",
  "layer-normalization",
  "rms-normalization",
  "stories260K",
];
const tests = (name, files) => ({
  name,
  command: [
    "vitest",
    "run",
    "--project",
    "node",
    ...files.map((file) => `conformance/src/${file}.slow.test.ts`),
  ],
  counts: true,
});

const build = { name: "build", command: ["turbo", "run", "build", "--filter=conformance..."] };
const all = [
  ...settings.map((device) => conformance(device, ["node"], device)),
  tests("training", ["webgpu-training", "webgpu-attention-gradients"]),
  tests("caches", ["webgpu-decode"]),
  {
    ...conformance("Chromium", ["node"], "webgpu,browser", inOtherEngines),
    skip: chromiumPath ? undefined : noChromium,
  },
  conformance("Deno", ["node", "install/deno.mjs", "run", "--allow-all"], "webgpu", inOtherEngines),
  { name: "flat", command: ["node", "--expose-gc", "scripts/flat/webgpu.mjs"], counts: true },
];

/** All steps, or the named ones. */
export function steps(names) {
  const unknown = names.find((name) => !all.some((step) => step.name === name));
  if (unknown !== undefined)
    throw new Error(
      `nightly webgpu: there is no step "${unknown}".\nFix: name one of ${all.map(({ name }) => name).join(", ")}.`,
    );
  return [build, ...all.filter(({ name }) => names.length === 0 || names.includes(name))];
}
