import { check, print, show, slider } from "@qkv/page";
import {
  crossEntropy,
  mapTensors,
  mul,
  reshape,
  sub,
  tensor,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";
import {
  candidates,
  decoder,
  generate,
  type DecoderParams,
} from "@qkv/transformer";
import { bars, lines } from "@qkv/viz";

const text =
  "the cat sat on the mat . the dog sat on the rug . the cat saw the dog . the dog saw the mat .";
const words = text.split(" ");
const vocabulary = [...new Set(words)];
const ids = words.map((word) => vocabulary.indexOf(word));

const { config, init, apply } = decoder({
  vocabSize: vocabulary.length,
  embedDim: 16,
  hiddenDim: 32,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 2,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [],
});

// In each step, predict every word from the words before it, then move all
// weights a little toward a lower loss.
const steps = slider("training steps", {
  min: 0,
  max: 120,
  step: 10,
  value: 60,
});
const targets = tensor(ids.slice(1), { dtype: "int32" });
const loss = valueAndGrad((params: DecoderParams) => {
  const logits = apply(params, ids.slice(0, -1)); // [1, T, V]
  return crossEntropy(
    reshape(logits, [ids.length - 1, vocabulary.length]),
    targets,
  );
});
let params = init(1);
const losses: number[] = [];
for (let step = 0; step <= steps; step++) {
  const [value, gradient] = loss(params);
  losses.push(value.data[0]!);
  if (step === steps) break;
  const slopes: Tensor[] = [];
  mapTensors(gradient, (x) => (slopes.push(x), x));
  let n = 0;
  params = mapTensors(params, (x) => sub(x, mul(slopes[n++]!, 0.2)));
}
if (losses.length > 1)
  show(
    lines(
      { data: losses, shape: [1, losses.length] },
      { title: "loss, in nats per word" },
    ),
  );

// Predict the word after "the": logits become probabilities, and one word is
// chosen.
const logits = apply(params, ids.slice(0, 1), { last: 1 });
const chances = candidates(logits.data, { temperature: 1 }).slice(0, 6);
const data = chances.map(({ probability }) => probability);
show(
  bars(
    { data, shape: [data.length] },
    {
      labels: chances.map(({ id }) => vocabulary[id]!),
      title: "next word after “the”",
      max: 1,
    },
  ),
);

const generated = ["the"];
const model = { config, params, apply, tokenizer: undefined };
for await (const { id } of generate(model, ids.slice(0, 1), { maxTokens: 11 }))
  generated.push(vocabulary[id]!);
print(generated.join(" "));

// Random weights know nothing: the loss starts above that of a uniform
// prediction over all words. Training takes it well below.
const uniformLoss = Math.log(vocabulary.length);
if (steps >= 60)
  check(
    "the loss is less than half that of a uniform prediction",
    losses.at(-1)! < uniformLoss / 2,
  );
