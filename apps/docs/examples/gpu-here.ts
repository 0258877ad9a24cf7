import { attention } from "@qkv/attention";
import { gpu } from "@qkv/gpu";
import { print, show, slider } from "@qkv/page";
import { cast, js, randn, type Device, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const T = 2 ** slider("tokens, as a power of 2", { min: 4, max: 9, value: 6 });
const shape = [1, 4, T, 32]; // [B, H, T, D]
const inputs = [1, 2, 3].map((seed) => randn(shape, { seed }));
const attend = ([query, key, value]: Tensor[]) => {
  if (!query || !key || !value) throw new Error("three tensors");
  return attention(query, key, value);
};

const device = await gpu();
const { mode, why, renderer, software, selfTestError } = device.report();
print("mode:", mode, "because", why);
print("renderer:", renderer ?? "none");
if (software) print("This is a program of the CPU: no word about GPUs.");
print("self-test:", selfTestError.toExponential(1), "from the plain device");

// The same in float64, which is right to 15 digits.
const exact = attend(inputs.map((x) => cast(x, "float64"))).data;
const moved = inputs.map((x) => x.to(device));
const got = await device.scope(() => attend(moved)).read();
let error = 0;
exact.forEach((y, i) => {
  const away = Math.abs(y - (got[i] ?? NaN));
  if (!(away <= error)) error = away;
});
print("farthest from float64:", error.toExponential(1));
if (!(error < 1e-4)) throw new Error("wrong numbers");

async function ms(on: Device, x: Tensor[]) {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await on.scope(() => attend(x)).read();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
const times = [await ms(js(), inputs), await ms(device, moved)];
const [plain, here] = times;
if (plain === undefined || here === undefined) throw new Error("two times");
print(`${(plain / here).toFixed(1)} times as fast as plain JavaScript, now`);
show(
  bars(
    { data: times, shape: [2] },
    {
      labels: ["plain", device.name],
      title: `Attention over ${T} tokens`,
      unit: "ms",
    },
  ),
);
device.close();
