import { device } from "@qkv/device";
import { modelTiny } from "@qkv/model-tiny";
import { choice, print, show, slider, textField } from "@qkv/page";
import { slice, squeeze, type Tensor } from "@qkv/tensor";
import { load } from "@qkv/transformer";
import { tokenArcs } from "@qkv/viz";

const text = textField("your sentence", {
  value: "The king asked the queen if she was",
});
const layer = slider("layer", { min: 0, max: 3, value: 3 });
const head = slider("head", { min: 0, max: 3, value: 3 });

const on = choice("device", ["fastest", "webgpu", "wasm", "js"]);

const best = await device(on === "fastest" ? {} : { prefer: [on, "js"] });
print(`device: ${best.choice.name}, because ${best.choice.why}`);
for (const { name, outcome, reason } of best.choice.attempts)
  if (outcome === "refused") print(`${name}: ${reason}`);
const model = await load(await modelTiny(), { device: best });
const ids = model.tokenizer!.encode(text || " ").slice(-48);
const tensors: Record<string, Tensor> = {};
model.apply(model.params, ids, { trace: { names: ["weights"], tensors } });

const all = tensors[`layers.${layer}.attention.weights`]!; // [1, H, T, T]
const weights = squeeze(slice(all, 1, head, head + 1)); // [T, T]
const data = await weights.read();
const labels = ids.map((id) => model.tokenizer!.decode([id]));
const shape = [ids.length, ids.length]; // a text of one token too
show(tokenArcs({ data, shape }, { labels, direction: "down" }));
