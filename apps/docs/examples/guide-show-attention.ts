import { modelTiny } from "@qkv/model-tiny";
import { choice, show, textField } from "@qkv/page";
import { concat, slice, type Tensor } from "@qkv/tensor";
import { load } from "@qkv/transformer";
import { attentionMap, headGrid } from "@qkv/viz";

const text = textField("text", {
  value: "The dog was sad because it was lost",
});
const layer = choice("layer", [0, 1, 2, 3], { value: 1 });
const head = choice("head", [0, 1, 2, 3], { value: 2 });

// For your own model: load("a/folder"), or load([configFile, tokenizerFile,
// weightsFile]).
const model = await load(await modelTiny());
const ids = model.tokenizer!.encode(text || " ").slice(-40);
const tensors: Record<string, Tensor> = {};
model.apply(model.params, ids, { trace: { names: ["weights"], tensors } });

const all = Object.values(tensors); // [1, H, T, T] for each layer
const { numHeads, numKvHeads } = model.config;
show(
  headGrid(concat(all, 0), {
    groupSize: numHeads / numKvHeads,
    title: "Every head",
  }),
);

const labels = ids.map((id) => model.tokenizer!.decode([id]));
const one = slice(all[layer]!, 1, head, head + 1);
const weights = { data: one.data, shape: [ids.length, ids.length] };
show(attentionMap(weights, { rowLabels: labels, columnLabels: labels }));
if (all.length !== model.config.numLayers)
  throw new Error("a layer is missing");
