import { print, show } from "@qkv/page";
import { matmul, randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";
import { arithmeticLoop, perSecond } from "@qkv/wasm/limits";

const n = 256; // a multiple of 4
const [a, b] = [1, 2].map(
  (seed) => randn([n, n], { seed }).data as Float32Array,
);
if (!a || !b) throw new Error("two matrices were asked for");

// 1. As in the textbook. The inner loop jumps down a column of b.
function naive(a: Float32Array, b: Float32Array, out: Float32Array) {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k]! * b[k * n + j]!;
      out[i * n + j] = sum;
    }
}

// 2. In blocks of 2 × 4: six numbers are read for eight products, not sixteen.
function blocked(a: Float32Array, b: Float32Array, out: Float32Array) {
  for (let i = 0; i < n; i += 2)
    for (let j = 0; j < n; j += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      for (let k = 0; k < n; k++) {
        const at = k * n + j;
        const x = a[i * n + k]!;
        const y = a[(i + 1) * n + k]!;
        const p = b[at]!;
        const q = b[at + 1]!;
        const r = b[at + 2]!;
        const u = b[at + 3]!;
        s0 += x * p;
        s1 += x * q;
        s2 += x * r;
        s3 += x * u;
        t0 += y * p;
        t1 += y * q;
        t2 += y * r;
        t3 += y * u;
      }
      out.set([s0, s1, s2, s3], i * n + j);
      out.set([t0, t1, t2, t3], (i + 1) * n + j);
    }
}

const work = 2 * n ** 3;
const right = new Float32Array(n * n);
naive(a, b, right);
const same = (got: ArrayLike<number>) =>
  right.forEach((y, i) => {
    if (!(Math.abs(y - (got[i] ?? NaN)) < 1e-3))
      throw new Error("a different product");
  });

const out = new Float32Array(n * n);
const steps = new Map<string, number>();
steps.set("naive", perSecond({ work, run: () => naive(a, b, out) }));
steps.set("blocked", perSecond({ work, run: () => blocked(a, b, out) }));
same(out);

// 3. Four numbers at once, in blocks of 4 × 8. 4. Multiply and add in one
// instruction, in blocks of 6 × 8.
for (const build of ["plain", "relaxed"] as const) {
  const fused = await arithmeticLoop("fused");
  if (build === "relaxed" && !fused) continue; // this engine has no such instruction
  const device = await wasm({ build });
  const [x, y] = [a, b].map((_, i) =>
    randn([n, n], { seed: i + 1 }).to(device),
  );
  if (!x || !y) throw new Error("two matrices were asked for");
  same(matmul(x, y).data);
  const run = () => device.scope(() => void matmul(x, y));
  steps.set(
    build === "plain" ? "SIMD" : "SIMD, fused",
    perSecond({ work, run }),
  );
  const loop = build === "plain" ? await arithmeticLoop("mulAdd") : fused;
  if (loop)
    steps.set(
      `limit of SIMD${build === "plain" ? "" : ", fused"}`,
      perSecond(loop),
    );
}

const first = steps.get("naive") ?? NaN;
for (const [name, rate] of steps)
  print(
    name,
    (rate / 1e9).toFixed(1),
    "GFLOP/s,",
    (rate / first).toFixed(1),
    "×",
  );
show(
  bars(
    {
      data: [...steps.values()].map((rate) => rate / 1e9),
      shape: [steps.size],
    },
    {
      labels: [...steps.keys()],
      title: `Product of two ${n} × ${n} matrices, on your device`,
      unit: "GFLOP/s",
    },
  ),
);
