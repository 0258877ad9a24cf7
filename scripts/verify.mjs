// The first tier of checks, which `npm test` runs; `npm test -- --all` adds the second tier, which CI runs.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium } from "./chromium.mjs";
import { runSteps } from "./steps.mjs";

const firstTier = [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "lint", command: ["eslint", "."] },
  { name: "format", command: ["prettier", "--check", "--log-level", "warn", "."] },
  { name: "tests", command: ["vitest", "run"], counts: true },
];

const root = fileURLToPath(new URL("../", import.meta.url));
const data = resolve(root, process.env.QKV_DATA ?? "../shared/data");
// What mode webasm has kernels for: a compile for each size makes generation slow there.
const kernelFamilies = [
  ...["attention", "flex-attention", "matmul", "gemm", "softmax", "layer-normalization"],
  ...["rms-normalization", "rotary-embedding", "sdpa", "modules", "functions"],
];
const onlyOn = (families) => families.flatMap((family) => ["--only", family]);
const secondTier = [
  { name: "packages", command: ["node", "scripts/package-quality.mjs"], counts: true },
  ...["js", "wasm,threads=1,plain", "wasm,threads=2"].map((device) => ({
    name: `conformance on ${device}`,
    command: ["node", "scripts/conformance.mjs", "--data", data, "--device", device],
    counts: true,
    skip: existsSync(data) ? undefined : `There is no folder ${data}; QKV_DATA names another.`,
  })),
  {
    name: "conformance on gpu:webasm",
    command: [
      "node",
      "scripts/conformance.mjs",
      "--data",
      data,
      "--device",
      "gpu:webasm",
      ...onlyOn(kernelFamilies),
    ],
    counts: true,
    skip: existsSync(data) ? undefined : `There is no folder ${data}; QKV_DATA names another.`,
  },
  { name: "site", command: ["turbo", "run", "build", "--filter=docs"] },
  {
    name: "live examples",
    command: ["node", "apps/docs/scripts/run-examples.mjs"],
    counts: true,
    skip: chromiumPath ? undefined : noChromium,
  },
];

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== "--all");
if (unknown !== undefined) {
  console.error(`verify: unknown argument ${unknown}. There is one: --all, which adds the second tier.`);
  process.exit(1);
}
if (!chromiumPath) console.log(noChromium);
process.exitCode = (await runSteps(args.includes("--all") ? [...firstTier, ...secondTier] : firstTier))
  ? 0
  : 1;
