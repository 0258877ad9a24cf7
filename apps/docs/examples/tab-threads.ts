import { attention, causal } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";
import { perSecond } from "@qkv/wasm/limits";

const shape = [1, 12, 512, 64]; // [B, H, T, D]
const mask = causal();

async function attend(threads: 1 | "auto") {
  const device = await wasm({ threads });
  const [query, key, value] = [1, 2, 3].map((seed) =>
    randn(shape, { seed }).to(device),
  );
  if (!query || !key || !value) throw new Error("three tensors were asked for");
  const compute = () => attention(query, key, value, { mask });
  const output = device.scope(compute).data;
  const run = () => device.scope(() => void compute());
  const ms = Number((1000 / perSecond({ work: 1, run })).toPrecision(2));
  const report = device.report();
  await device.close();
  return { output, ms, report };
}

const alone = await attend(1);
const together = await attend("auto");

// Each tile adds its numbers in the same order, whichever thread computes it.
if (alone.output.some((y, i) => !Object.is(y, together.output[i])))
  throw new Error("threads change the result");

const { threads, whySingleThreaded } = together.report;
print("threads:", threads, whySingleThreaded ?? "");
print(
  "the same result to the last bit,",
  (alone.ms / together.ms).toFixed(1),
  "times as fast",
);
show(
  bars(
    { data: [alone.ms, together.ms], shape: [2] },
    {
      labels: [
        "1 thread",
        `${threads} ${threads === 1 ? "thread" : "threads"} (auto)`,
      ],
      title: "Attention over 512 tokens",
      unit: "ms",
    },
  ),
);
