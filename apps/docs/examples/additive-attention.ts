import { additive } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { mean, randn, take, tensor, type Tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const layer = additive({ queryDim: 4, keyDim: 6, hiddenDim: 8 }); // widths may differ
const params = layer.init(1);
const source = randn([1, 5, 6], { seed: 2 }); // [B, S, Ck], keys and values
const asking = randn([1, 3, 4], { seed: 3 }); // [B, T, Cq]

const tensors: Record<string, Tensor> = {};
const trace = { names: ["weights"] as const, tensors };
const output = layer.apply(params, asking, source, source, { trace });
if (tensors["weights"]) show(attentionMap(tensors["weights"]));

// Keys are projected once, whoever asks.
const keys = layer.projectKeys(params, source);
if (
  layer.attend(params, asking, keys, source).data.join() !== output.data.join()
)
  throw new Error("not the same");

// v of zeros: no opinion, so everyone gets the mean.
const none = { ...params, score: { weight: zeros([1, 8]) } };
const average = mean(source, { axis: 1 }).data;
const attended = layer.apply(none, asking, source, source).data.slice(0, 6);
print("without an opinion", attended);
if (attended.some((y, i) => !(Math.abs(y - (average[i] ?? NaN)) < 1e-6)))
  throw new Error("not the mean");

// Read in another order, the same is handed over.
const other = take(source, 1, tensor([4, 2, 0, 1, 3], { dtype: "int32" }));
const again = layer.apply(params, asking, other, other).data;
if (again.some((y, i) => !(Math.abs(y - (output.data[i] ?? NaN)) < 1e-5)))
  throw new Error("order mattered");
