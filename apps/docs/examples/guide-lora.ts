import { print, show } from "@qkv/page";
import { sizeOf, tensorsOf } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder } from "@qkv/transformer";
import {
  lora,
  saveAdapter,
  type AdapterParams,
} from "@qkv/transformer/adapters";
import { memoryFolder } from "@qkv/transformer/export";
import {
  nextTokenBatches,
  tokenLoss,
  trainStep,
} from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

// A base that has learned what animals say.
const words = "the cat dog cow meows barks moos sleeps sings .".split(" ");
const idsOf = (text: string) =>
  text.split(" ").map((word) => words.indexOf(word));
const textOf = (says: readonly string[]) =>
  idsOf(
    Array.from({ length: 60 }, (_, n) => says[(n * 7 + (n >> 2)) % 3]).join(
      " ",
    ),
  );
const config = {
  vocabSize: words.length,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 12,
  normEps: 1e-5,
  stopIds: [],
};
const model = decoder(config);
const params = model.init(1);
const batches = (says: readonly string[]) =>
  nextTokenBatches(textOf(says), { batchSize: 8, contextLength: 12, seed: 1 });
const learn = trainStep({
  loss: tokenLoss(model),
  optimizer: adamW({ learningRate: 0.01 }),
});
const state = adamW().init(params);
const first = batches(["the cat meows .", "the dog barks .", "the cow moos ."]);
for (let i = 0; i < 60; i++) learn(params, state, [first(i)]);

// Two adapters of this base, each a few percent of its size.
const base = { config, params };
const tuned = lora(base, { r: 2, lora_alpha: 8, target_modules: "all-linear" });
const optimizer = adamW({ learningRate: 0.02 });
const losses: number[][] = [];
function adapt(says: readonly string[]): AdapterParams {
  const adapter = tuned.init(2);
  const step = trainStep({ loss: tokenLoss(tuned), optimizer });
  const [own, batchAt] = [optimizer.init(adapter), batches(says)];
  losses.push(
    Array.from({ length: 60 }, (_, i) =>
      Number(step(adapter, own, [batchAt(i)]).toNested()),
    ),
  );
  return adapter;
}
const night = adapt([
  "the cat sleeps .",
  "the dog sleeps .",
  "the cow sleeps .",
]);
const opera = adapt(["the cat sings .", "the dog sings .", "the cow sings ."]);

// A call names the adapter that it goes through; the base stays as it was.
const prompt = idsOf("the cat");
const next = (logits: { data: ArrayLike<number> }) => {
  const last = Array.from(logits.data).slice(-words.length);
  return words[last.indexOf(Math.max(...last))];
};
const predicted = [
  next(model.apply(params, prompt)),
  next(tuned.apply(night, prompt)),
  next(tuned.apply(opera, prompt)),
];
print("the cat", predicted);
const count = (tree: unknown) =>
  tensorsOf(tree).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
print(`${count(night)} of ${count(params)} numbers are trained`);
show(
  lines(
    { data: losses.flat(), shape: [2, 60] },
    { title: "loss of both adapters", xLabel: "steps" },
  ),
);

const folder = memoryFolder();
await saveAdapter(tuned, night, { out: folder });
print(folder.files.map(({ name }) => name));

if (predicted.join() !== "meows,sleeps,sings")
  throw new Error("an adapter did not learn");
