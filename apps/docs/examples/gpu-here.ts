import { attention } from "@qkv/attention";
import { device } from "@qkv/device";
import { choice, print, show } from "@qkv/page";
import { cast, js, randn, type Device, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const on = choice("device", ["fastest", "webgpu", "wasm", "js"]);
const T = choice("tokens", [16, 32, 64, 128, 256, 512], { value: 64 });

// A device of your choice may be software, and may take its time to compile.
const chosen = { prefer: [on, "js"], software: true, timeoutMs: 60_000 };
const best = await device(on === "fastest" ? {} : chosen);
const { name, why, adapter, attempts } = best.choice;
print(`device: ${name}, because ${why}`);
for (const one of attempts)
  if (one.outcome !== "chosen")
    print(`${one.name}: ${one.outcome}, because ${one.reason}`);
print("adapter of WebGPU:", adapter ?? "none");

// The same in float64, which is accurate to 15 digits.
const shape = [1, 4, T, 32]; // [B, H, T, D]
const inputs = [1, 2, 3].map((seed) => randn(shape, { seed }));
const attend = ([query, key, value]: Tensor[]) =>
  attention(query!, key!, value!);
const exact = attend(inputs.map((x) => cast(x, "float64"))).data;
const moved = inputs.map((x) => x.to(best));
const got = await best.scope(() => attend(moved)).read();
let error = 0;
exact.forEach((y, i) => {
  const away = Math.abs(y - (got[i] ?? NaN));
  if (!(away <= error)) error = away;
});
print("largest error against float64:", error);
if (!(error < 1e-4)) throw new Error("wrong numbers");

async function ms(on: Device, x: Tensor[]) {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    let [took, runs] = [0, 0];
    for (; took < 20; runs++) {
      await on.scope(() => attend(x)).read();
      took = performance.now() - start; // a browser's clock is coarse
    }
    best = Math.min(best, took / runs);
  }
  return Number(best.toPrecision(2));
}
const plain = await ms(js(), inputs);
const here = name === "js" ? plain : await ms(best, moved);
print(
  `${(plain / here).toFixed(1)} times the speed of plain JavaScript, measured just now`,
);
const times = name === "js" ? [plain] : [plain, here];
show(
  bars(
    { data: times, shape: [times.length] },
    {
      labels: ["plain JavaScript", name].slice(0, times.length),
      title: `Attention over ${T} tokens`,
      unit: "ms",
    },
  ),
);
