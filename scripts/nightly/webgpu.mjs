import { chromiumPath, noChromium } from "../chromium.mjs";

export const about =
  "WebGPU on the adapter that Node finds: 10,000 calls of attention and 1,000 tokens in flat memory without a new shader, and every conformance family with plain limits and the adapter's, with subgroups on and off, and with weights of 16 bits on and off; in Chromium on SwiftShader and in Deno (installs 700 MB) attention, products, norms and a model.";

const main = "conformance/dist/main.js";
const conformance = (name, runtime, device, families = []) => ({
  name,
  command: [...runtime, main, "--device", device, ...families.flatMap((family) => ["--only", family])],
  counts: true,
});
/** Each way to choose one of each pair. */
const settings = ["", ",limits=plain"].flatMap((limits) =>
  ["", ",subgroups=off"].flatMap((subgroups) =>
    ["", ",float16=off"].map((float16) => `webgpu${subgroups}${float16}${limits}`),
  ),
);
const inOtherEngines = [
  "attention",
  "sdpa",
  "matmul",
  "layer-normalization",
  "rms-normalization",
  "stories260K",
];
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=conformance..."] },
  { name: "flat", command: ["node", "--expose-gc", "scripts/flat/webgpu.mjs"], counts: true },
  ...settings.map((device) => conformance(device, ["node"], device)),
  {
    ...conformance("Chromium", ["node"], "webgpu,browser", inOtherEngines),
    skip: chromiumPath ? undefined : noChromium,
  },
  conformance("Deno", ["node", "install/deno.mjs", "run", "--allow-all"], "webgpu", inOtherEngines),
];
