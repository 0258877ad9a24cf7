import { modelTiny } from "@qkv/model-tiny";
import { choice, print, show } from "@qkv/page";
import { slice, tensor, type Tensor } from "@qkv/tensor";
import { candidates, load } from "@qkv/transformer";
import { bars, vectors } from "@qkv/viz";

const text = "Once upon a time there was a little";
const layer = choice("layer", [0, 1, 2, 3], { value: 2 });
const head = choice("head", [0, 1, 2, 3]);

const model = await load(await modelTiny());
const ids = model.tokenizer!.encode(text);
const { embedDim: C, numHeads: H } = model.config;
const D = C / H;

// A head writes through its D columns of the output matrix. Zeros there switch
// it off.
const own = model.params.layers[layer]!;
const { weight } = own.attention.output; // [C, H · D]
const off = Array.from(weight.data, (w, i) =>
  Math.floor((i % C) / D) === head ? 0 : w,
);
const layers = model.params.layers.map((one, i) =>
  i === layer
    ? {
        ...one,
        attention: {
          ...one.attention,
          output: { weight: tensor(off, { shape: [C, C] }) },
        },
      }
    : one,
);

const read = (params: typeof model.params) => {
  const tensors: Record<string, Tensor> = {};
  const logits = model.apply(params, ids, {
    last: 1,
    trace: { names: ["attentionOutput"], tensors },
  });
  return {
    logits: logits.data,
    attended: tensors[`layers.${layer}.attentionOutput`]!,
  };
};
const [on, without] = [read(model.params), read({ ...model.params, layers })];

// The layer is a sum of its heads, so what a head writes is what is missing
// without it.
const T = ids.length;
const last = (x: Tensor) => slice(x, 1, T - 1, T).data;
const writes = Array.from(
  last(on.attended),
  (y, c) => y - last(without.attended)[c]!,
);
show(
  vectors(
    { data: writes, shape: [C] },
    {
      title: "What this head adds to the last token",
      width: 320,
      rowHeight: 70,
    },
  ),
);

const before = candidates(on.logits, { temperature: 1 }).slice(0, 5);
const after = candidates(without.logits, { temperature: 1 });
const labels = before.map(({ id }) => model.tokenizer!.decode([id]));
const chances = before.map(({ probability }) => probability);
const left = before.map(
  ({ id }) => after.find((one) => one.id === id)?.probability ?? 0,
);
show(
  bars(
    { data: chances, shape: [5] },
    { labels, max: 1, title: `next word after “${text}”` },
  ),
);
show(
  bars(
    { data: left, shape: [5] },
    { labels, max: 1, title: "the same with this head off" },
  ),
);
print(
  "This head owns",
  D,
  "of the",
  C,
  "columns of W_O.",
  "Largest change of a probability:",
  Math.max(...chances.map((c, i) => Math.abs(c - left[i]!))).toFixed(3),
);
if (writes.every((y) => y === 0)) throw new Error("the head wrote nothing");
