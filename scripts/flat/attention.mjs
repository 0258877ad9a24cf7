// Checks that the peak memory of attention, besides inputs, output and gradients, stays below 50 MiB. Storing all scores
// would take 768 MiB at T = 4096.
//   node scripts/flat/attention.mjs [--length 4096] [--heads 12]
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { attention, causal } from "../../packages/attention/dist/index.js";
import { randn, vjp } from "../../packages/tensor/dist/index.js";

const { values } = parseArgs({
  options: { length: { type: "string", default: "4096" }, heads: { type: "string", default: "12" } },
});
const [T, H, D] = [Number(values.length), Number(values.heads), 64];
const mebibyte = 2 ** 20;
const limit = 50;
const inputMebibytes = (H * T * D * 4) / mebibyte;

const attend = ([query, key, value]) => attention(query, key, value, { mask: causal() });
// The first calls compile the loops and let the heap settle.
const small = [1, 2, 3].map((seed) => randn([1, H, 128, D], { seed }));
vjp(attend, small).pullback(small[0]);

const inputs = [1, 2, 3].map((seed) => randn([1, H, T, D], { seed }));
const dy = randn([1, H, T, D], { seed: 4 });
const peak = () => process.resourceUsage().maxRSS / 1024;
const before = Math.max(peak(), process.memoryUsage().rss / mebibyte);
const start = performance.now();
const { pullback } = vjp(attend, inputs);
const forward = performance.now();
pullback(dy);
const end = performance.now();
// Results allocated in between: the output, its lse (log-sum-exp), and three gradients.
const resultMebibytes = 4 * inputMebibytes + inputMebibytes / D;
const extra = Math.max(0, peak() - before - resultMebibytes);
const fits = extra < limit;
console.log(
  `${fits ? "small" : "large"}: forward and backward at T = ${T}, ${H} heads: ${extra.toFixed(1)} MiB beyond inputs, output and gradients, limit ${limit} ` +
    `(${((forward - start) / 1000).toFixed(1)} s and ${((end - forward) / 1000).toFixed(1)} s)`,
);
console.log(fits ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exitCode = fits ? 0 : 1;
