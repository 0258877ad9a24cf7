// Runs small ops and matrix products with large results for a long time, without disposing of anything. The last line
// says whether the second half used more memory than the first.
//   node scripts/flat/tensor.mjs [--ops 1000000] [--matmuls 1000] [--size 1024]
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { add, matmul, mul, randn, softmax, zeros } from "../../packages/tensor/dist/index.js";

const { values } = parseArgs({
  options: {
    ops: { type: "string", default: "1000000" },
    matmuls: { type: "string", default: "1000" },
    size: { type: "string", default: "1024" },
  },
});
const [ops, matmuls, size] = [values.ops, values.matmuls, values.size].map(Number);
const mebibyte = 2 ** 20;
let failed = 0;

/** Calls `step` `count` times. The peak resident size of the second half must stay near that of the first. */
function loop(name, count, step) {
  const peak = [0, 0];
  const start = performance.now();
  let lastProgress = start;
  for (let i = 0; i < count; i++) {
    step(i);
    if (i % Math.ceil(count / 200) === 0) {
      const half = i < count / 2 ? 0 : 1;
      peak[half] = Math.max(peak[half], process.memoryUsage().rss);
      if (performance.now() - lastProgress > 5000) {
        lastProgress = performance.now();
        console.error(
          `${name}: ${Math.round((100 * i) / count)} %, ${Math.round(peak[half] / mebibyte)} MiB`,
        );
      }
    }
  }
  const [first, second] = peak.map((bytes) => Math.round(bytes / mebibyte));
  const flat = second <= first * 1.1 + 32;
  if (!flat) failed += 1;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${flat ? "flat" : "growing"}: ${name}: highest ${first} MiB in the first half, ${second} MiB in the second (${seconds} s)`,
  );
}

const small = randn([4, 8], { seed: 1 });
let x = zeros([4, 8]);
loop(`${ops} small ops`, ops, (i) => {
  x = i % 3 === 0 ? softmax(x) : i % 3 === 1 ? add(x, small) : mul(x, small);
});

const [a, b] = [randn([size, size], { seed: 1 }), randn([size, size], { seed: 2 })];
let y = a;
loop(`${matmuls} products of ${size} x ${size}`, matmuls, () => {
  y = matmul(a, b);
});
console.error(`last numbers: ${x.data[0]} ${y.data[0]}`);
console.log(`${2 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
