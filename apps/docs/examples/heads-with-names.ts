import { firstToken, multiHead, previousToken } from "@qkv/attention";
import { ablate } from "@qkv/lens";
import { check, print, show } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { train } from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";

// Each position must output three letters: one back, two back, and the first.
// Three heads of 8 numbers.
const H = 3;
const of = { offsets: [1, 2], first: true, contextLength: 16, seed: 1 };
const batchAt = lookupBatches(of);
const layer = multiHead({ embedDim: 24, numHeads: H });
const params = layer.init(2);
const loss = (p: typeof params, { rows, targets }: LookupBatch) =>
  mean(square(sub(layer.apply(p, rows), targets)));

// During training, measure on new letters how much weight each head puts on the
// previous and on the first position.
const { rows, targets } = batchAt(1000);
const shares: Record<string, number[][]> = { previous: [], first: [] };
let weights = rows;
const optimizer = adam({ learningRate: 0.02 });
const run = train({ params, loss, optimizer, batchAt, steps: 161 });
for await (const { step } of run) {
  if (step % 8 !== 1) continue;
  const tensors: Record<string, Tensor> = {};
  layer.apply(params, rows, { trace: { names: ["weights"], tensors } });
  weights = tensors["weights"]!;
  shares["previous"]!.push([...previousToken(weights).data]);
  shares["first"]!.push([...firstToken(weights).data]);
}
const heads = Array.from({ length: H }, (_, h) => h);
const labels = heads.map((h) => `head ${h}`);
for (const [name, list] of Object.entries(shares)) {
  const data = heads.flatMap((h) => list.map((share) => share[h]!));
  const title = `weight on the ${name} position, every 8 steps`;
  show(lines({ data, shape: [H, list.length] }, { title, labels }));
}

// A head gets a name if it puts nearly all of its weight on that position.
const names = heads.map(
  (h) =>
    Object.keys(shares).find((name) => shares[name]!.at(-1)![h]! > 0.9) ??
    "no name",
);
const title = names.join(" · ");
show(attentionMap(slice(weights, 0, 0, 1), { max: 1, cellSize: 11, title }));

// Remove one head at a time and measure the error of each answer.
const errorsOf = (interventions: ReturnType<typeof ablate> | undefined) => {
  const trace = {
    names: [],
    tensors: {},
    path: "layers.0.attention",
    ...(interventions && { interventions }),
  };
  const miss = square(sub(layer.apply(params, rows, { trace }), targets));
  return [0, 8, 16].map((at) => mean(slice(miss, 2, at, at + 8)).data[0]!);
};
print(
  "error with all heads:",
  errorsOf(undefined)
    .map((x) => x.toFixed(3))
    .join(" "),
);
const lost = heads.map((head) => {
  const data = errorsOf(ablate([{ layer: 0, head }]));
  const title = `error without head ${head} (${names[head]})`;
  show(
    bars(
      { data, shape: [3] },
      { labels: ["one back", "two back", "first"], title },
    ),
  );
  return data.flatMap((x, n) => (x > 0.5 ? [n] : []));
});

// Each head carries one answer: without the head, only that answer is lost.
if (errorsOf(undefined).some((x) => x > 0.1)) throw new Error("not learned");
check(
  "each head carries one answer",
  lost.map(String).sort().join(" ") === "0 1 2",
);
check(
  "each named head carries the answer of its name",
  lost.every(
    ([answer = -1], h) =>
      names[h] === (["previous", "no name", "first"][answer] ?? "no name"),
  ),
);
