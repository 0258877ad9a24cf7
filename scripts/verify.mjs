// The first tier of checks, which `npm test` runs; `npm test -- --all` adds the second tier, which CI runs. Its tests then
// include `*.slow.test.ts`, and all cases of each property (scripts/tier.mjs).
import { existsSync } from "node:fs";
import { ownData, referenceData } from "../conformance/reference-data.mjs";
import { chromiumPath, noChromium } from "./chromium.mjs";
import { runSteps } from "./steps.mjs";

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== "--all");
if (unknown !== undefined) {
  console.error(`verify: unknown argument ${unknown}. There is one: --all, which adds the second tier.`);
  process.exit(1);
}
const all = args.includes("--all");

const turbo = ["turbo", "run", "--log-prefix=none"];
// Steps of an inner list run at once. Turbo keeps the results of its tasks by a hash of all files that they may read.
const firstTier = [
  [
    { name: "build", seconds: 60, command: [...turbo, "build", "--filter=./packages/*"] },
    ...[
      ["code", 40],
      ["words", 5],
      ["format", 50],
    ].map(([what, seconds]) => ({
      ...{ name: `lint: ${what}`, seconds, command: [...turbo, `//#lint:${what}`] },
    })),
    { name: "types", seconds: 15, command: ["tsc", "-b"] },
  ],
  { name: "API reports", seconds: 15, command: ["node", "scripts/api.mjs", "--check"], counts: true },
  { name: "tests", seconds: all ? 1200 : 350, command: ["vitest", "run"], counts: true },
];

// Operations with kernels in mode webasm. It compiles a kernel for each size, which makes generation slow.
const kernelFamilies = [
  ...["attention", "flex-attention", "matmul", "gemm", "softmax", "layer-normalization"],
  ...["rms-normalization", "rotary-embedding", "sdpa", "modules", "functions"],
];
const webgpuFamilies = [
  ...kernelFamilies,
  ...["x-transformers", "stories260K", "generation", "use-lite", "optimizers", "linear-attention", "gelu"],
  ...["causal-conv", "einsum", "log-softmax", "swiglu-swish", "tensor-scatter", "linear", "tiny-bert-random"],
  "blt",
];
const hasVulkan =
  process.platform !== "linux" ||
  ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].some((folder) => existsSync(folder));
const noVulkan =
  "WebGPU in Node is not tested: there is no Vulkan driver here (Debian: mesa-vulkan-drivers).";
/** Runs on the project's own data, and on the larger set if QKV_DATA is set. */
const conformance = (device, families = []) =>
  [...new Set([ownData, referenceData])].map((data) => ({
    name: `conformance on ${device}${data === ownData ? "" : `, ${data.folder}`}`,
    command: [
      ...["node", "scripts/conformance.mjs", "--device", device],
      ...(data === ownData ? [] : ["--data", data.folder]),
      ...families.flatMap((family) => ["--only", family]),
    ],
    counts: true,
  }));
const inChromium = (name, seconds, ...command) => ({
  ...{ name, seconds, command: ["node", ...command], counts: true },
  skip: chromiumPath ? undefined : noChromium,
});
const secondTier = [
  [
    // Mesa's software renderer takes up to a second to compile a shader: families share shaders.
    ...conformance("webgpu,limits=plain", webgpuFamilies).map((step) => ({
      ...step,
      seconds: 400,
      skip: hasVulkan ? undefined : noVulkan,
    })),
    { name: "site", seconds: 300, command: [...turbo, "build", "--filter=docs"] },
    { name: "packages", seconds: 50, command: ["node", "scripts/package-quality.mjs"], counts: true },
    inChromium("first screen of the README", 25, "scripts/first-screen.mjs"),
    inChromium("models in workers, in pages and tabs", 50, "scripts/worker/pages.mjs", "--megabytes", "40"),
    // Each build, number of threads and read pattern once.
    ...["js", "wasm,threads=1,plain,sequential", "wasm,threads=2,interleaved"].flatMap((device) =>
      conformance(device),
    ),
    ...conformance("gpu:webasm", kernelFamilies),
  ],
  inChromium("live examples", 740, "apps/docs/scripts/run-examples.mjs"),
  inChromium("API pages", 60, "apps/docs/scripts/check-api.mjs"),
];

if (!chromiumPath) console.log(noChromium);
process.env.QKV_TIER = all ? "2" : "1";
process.exitCode = (await runSteps(all ? [...firstTier, ...secondTier] : firstTier)) ? 0 : 1;
