import { additive } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { mean, randn, take, tensor, type Tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const layer = additive({ queryDim: 4, keyDim: 6, hiddenDim: 8 }); // sizes may differ
const params = layer.init(1);
const source = randn([1, 5, 6], { seed: 2 }); // [B, S, Ck], keys and values
const asking = randn([1, 3, 4], { seed: 3 }); // [B, T, Cq]

const tensors: Record<string, Tensor> = {};
const trace = { names: ["weights"] as const, tensors };
const output = layer.apply(params, asking, source, source, { trace });
if (tensors["weights"]) show(attentionMap(tensors["weights"]));

// Keys are projected once for all queries.
const keys = layer.projectKeys(params, source);
if (
  layer.attend(params, asking, keys, source).data.join() !== output.data.join()
)
  throw new Error("projecting once changed the result");

// With v = 0, all scores are equal, so the output is the mean.
const none = { ...params, score: { weight: zeros([1, 8]) } };
const average = mean(source, { axis: 1 }).data;
const attended = layer.apply(none, asking, source, source).data.slice(0, 6);
print("with equal scores:", attended);
if (attended.some((y, i) => !(Math.abs(y - (average[i] ?? NaN)) < 1e-6)))
  throw new Error("equal scores did not give the mean");

// The order of the source does not change the output.
const other = take(source, 1, tensor([4, 2, 0, 1, 3], { dtype: "int32" }));
const again = layer.apply(params, asking, other, other).data;
if (again.some((y, i) => !(Math.abs(y - (output.data[i] ?? NaN)) < 1e-5)))
  throw new Error("the order changed the result");
