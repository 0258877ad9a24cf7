import {
  and,
  attention,
  causal,
  chunked,
  documents,
  keepFirst,
  or,
  prefix,
  slidingWindow,
} from "@qkv/attention";
import { pairsRead, tilePlan } from "@qkv/attention-contract";
import { check, choice, print, show } from "@qkv/page";
import { cast, randn, slice, type Device, type Tensor } from "@qkv/tensor";
import { planTiles } from "@qkv/viz";
import { webgpu } from "@qkv/webgpu";
import { shadersOf } from "@qkv/webgpu/shaders";

const S = choice("keys", [256, 512, 1024], { value: 512 });
const T = choice("queries", ["all", "1, decoding"]) === "all" ? S : 1;
const H = choice("heads", [1, 4, 8], { value: 4 });
const Hkv = Math.min(H, choice("key-value heads", [1, 4, 8], { value: 4 }));
const D = choice("head size", [32, 64, 128], { value: 64 });
const masks = {
  causal: causal(),
  "window of 100": slidingWindow(100),
  "window of 100 and the first 4": and(
    causal(),
    or(keepFirst(4), slidingWindow(100)),
  ),
  "chunks of 128": chunked(128),
  "prefix of 150": prefix(150),
  "three documents": and(
    causal(),
    documents(Array.from({ length: S }, (_, s) => Math.floor((3 * s) / S))),
  ),
};
const names = Object.keys(masks) as (keyof typeof masks)[];
const mask = masks[choice("mask", names)];

// The plan: each tile of 64 queries and 64 keys is skipped, partial or whole.
const keyPositions = [Int32Array.from({ length: S }, (_, s) => s)];
const plan = tilePlan(
  mask.bind({ queryLength: T, keyLength: S }),
  { batches: 1, heads: H, queries: T, firstQuery: S - T, keyPositions },
  mask.perBatch,
  mask.perHead,
);
const count = (kind: number) => plan.classes.filter((c) => c === kind).length;
print(`tiles: ${count(0)} skipped, ${count(1)} partial, ${count(2)} whole`);
show(planTiles(plan, { title: "Tiles of 64 queries and 64 keys" }));

// The shaders of the call, as text. This needs no GPU.
const shapes = [
  [1, H, T, D],
  [1, Hkv, S, D],
  [1, Hkv, S, D],
];
const inputs = (options: { device?: Device } = {}) =>
  shapes.map((shape, i) => randn(shape, { seed: i + 1, ...options }));
const attend = ([query, key, value]: Tensor[]) =>
  attention(query!, key!, value!, { mask });
const runs = await shadersOf((device) => attend(inputs({ device })));
print(
  `${runs.length === 1 ? "1 dispatch" : `${runs.length} dispatches`} in one submission`,
);
const kib = (bytes: number) => {
  const fractions = { maximumFractionDigits: 2 };
  return `${(bytes / 1024).toLocaleString("en-US", fractions)} KiB`;
};
for (const { op, groups, reads, writes } of runs)
  print(
    `${op}: ${groups.join(" × ")} workgroups of 64 threads; binds ${reads.map(kib).join(", ")} to read, ${writes.map(kib).join(", ")} to write`,
  );
// A workgroup reads the keys and values of its visible tiles: 32 queries share
// them. In decoding, all queries of a key-value head do.
const shared = T === 1 ? H / Hkv : 32;
const bytes = (pairs: number) => (pairs / shared) * 2 * D * 4;
const visible = bytes(pairsRead(plan, 1, H, T, S));
const all = bytes(H * T * S);
print(`keys and values: ${kib(visible)} read, ${kib(all)} without the mask`);
check("skipped tiles are not read", visible < all || count(0) === 0);

// The same call on your adapter.
try {
  const device = await webgpu();
  const { adapter, software } = device.report();
  print("adapter:", adapter);
  if (software) print("Software renderer: these times do not reflect a GPU.");
  const moved = inputs().map((x) => x.to(device));
  const call = () => attend(moved);
  const got = await device.scope(call).read();
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    for (let run = 1; run < 5; run++) device.scope(() => void call());
    await device.scope(call).read();
    best = Math.min(best, (performance.now() - start) / 5);
  }
  print(`${Number(best.toPrecision(2))} ms for a call, measured just now`);

  // The last query of each head in float64, on the CPU.
  const [queries, ...rest] = inputs().map((x) => cast(x, "float64"));
  const exact = attend([slice(queries!, 2, T - 1, T), ...rest]).data;
  let error = 0;
  exact.forEach((y, i) => {
    const at = (Math.floor(i / D) * T + T - 1) * D + (i % D);
    const away = Math.abs(y - (got[at] ?? NaN));
    if (!(away <= error)) error = away;
  });
  print("largest error of the last queries:", error.toExponential(1));
  check("the result agrees with float64", error < 1e-4);
  device.close();
} catch (error) {
  print(`Not run on a GPU: ${String(error).split("\n")[0]}`);
}

// A line of output has 20,000 characters at most.
for (const { op, code } of runs)
  for (const part of `// ${op}\n${code}`.match(/[^]{1,19000}(\n|$)/g) ?? [])
    print(part);
