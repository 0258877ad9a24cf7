import { attention, causal } from "@qkv/attention";
import { gpu } from "@qkv/gpu";
import { print, show, slider } from "@qkv/page";
import { concat, randn, slice } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const heads = slider("heads", { min: 1, max: 32, value: 12 });
const device = await gpu();
// A texel holds four float32 numbers. Without a GPU, use the limit of most
// adapters.
const side = device.report().limits.maxTextureSize ?? 8192;
const largest = side * side * 16;
print(`largest texture: ${side} × ${side} texels, ${largest / 2 ** 30} GiB`);

// One score for each query, key and head.
const roundTo2 = (x: number) => Number(x.toPrecision(2));
const lengths = [1024, 2048, 4096, 8192, 16384, 32768];
const scores = lengths.map((T) => heads * T * T * 4);
const fits = lengths.filter((_, i) => (scores[i] ?? Infinity) <= largest);
print(
  `the scores fit a texture up to ${(fits.at(-1) ?? 0).toLocaleString("en-US")} tokens`,
);
show(
  bars(
    {
      data: scores.map((bytes) => roundTo2(bytes / 2 ** 30)),
      shape: [lengths.length],
    },
    {
      labels: lengths.map((T) => T.toLocaleString("en-US")),
      title: "Scores of one layer",
      unit: "GiB",
    },
  ),
);

// Process a few queries at a time: each chunk needs only its own rows of
// scores, which are freed before the next.
const [T, D, chunk] = [96, 16, 32];
const [query, key, value] = [1, 2, 3].map((seed) =>
  randn([1, 2, T, D], { seed }).to(device),
);
if (!query || !key || !value) throw new Error("three tensors");
const mask = causal(); // queries are the last of the keys that they are given
const whole = attention(query, key, value, { mask });
const chunks = concat(
  Array.from({ length: T / chunk }, (_, i) => {
    const end = (i + 1) * chunk;
    return device.scope(() =>
      attention(
        slice(query, 2, i * chunk, end),
        slice(key, 2, 0, end),
        slice(value, 2, 0, end),
        { mask },
      ),
    );
  }),
  2,
);
const [a, b] = [await whole.read(), await chunks.read()];
const apart = Math.max(...Array.from(a, (y, i) => Math.abs(y - (b[i] ?? NaN))));
print(
  `in ${T / chunk} chunks: ${(chunk * T).toLocaleString("en-US")} scores per head at a time, instead of ${(T * T).toLocaleString("en-US")}`,
);
print("largest difference:", apart);
if (!(apart < 1e-5)) throw new Error("the chunks differ from the whole");
device.close();
