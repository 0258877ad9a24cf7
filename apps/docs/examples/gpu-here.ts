import { attention } from "@qkv/attention";
import { gpu } from "@qkv/gpu";
import { choice, print, show } from "@qkv/page";
import { cast, js, randn, type Device, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const T = choice("tokens", [16, 32, 64, 128, 256, 512], { value: 64 });
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
if (software) print("Software renderer: these times do not reflect a GPU.");
print("self-test: largest error", selfTestError);

// The same in float64, which is accurate to 15 digits.
const exact = attend(inputs.map((x) => cast(x, "float64"))).data;
const moved = inputs.map((x) => x.to(device));
const got = await device.scope(() => attend(moved)).read();
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
const times = [await ms(js(), inputs), await ms(device, moved)];
const [plain, here] = times;
if (plain === undefined || here === undefined) throw new Error("two times");
print(
  `${(plain / here).toFixed(1)} times the speed of plain JavaScript, measured just now`,
);
show(
  bars(
    { data: times, shape: [2] },
    {
      labels: [
        "plain JavaScript",
        mode === "webgl2" ? "WebGL2" : "WebAssembly",
      ],
      title: `Attention over ${T} tokens`,
      unit: "ms",
    },
  ),
);
device.close();
