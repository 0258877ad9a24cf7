import {
  firstToken,
  groupedQuery,
  previousToken,
  type AttentionParams,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { ablateHeads } from "@qkv/transformer/inspection";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";

// Each place wants three letters: one place back, two places back, and the first of all. Three heads of 8 numbers.
const [H, T] = [3, 16];
const of = { back: [1, 2], first: true, contextLength: T, seed: 1 };
const batchAt = lookupBatches(of);
const layer = groupedQuery({ embedDim: 24, numHeads: H, numKvHeads: H });
const loss = (params: AttentionParams, { rows, answers }: LookupBatch) =>
  mean(square(sub(layer.apply(params, rows), answers)));
const [params, optimizer] = [layer.init(2), adam({ learningRate: 0.02 })];
const [step, state] = [trainStep({ loss, optimizer }), optimizer.init(params)];

// Where each head looks on new letters, asked while it learns.
const { rows, answers } = batchAt(1000);
const weightsNow = () => {
  const tensors: Record<string, Tensor> = {};
  layer.apply(params, rows, { trace: { names: ["weights"], tensors } });
  return tensors["weights"] ?? rows;
};
const shares: number[][] = [];
for (let i = 0; i <= 160; i++) {
  if (i % 8 === 0) {
    const now = weightsNow();
    shares.push([...previousToken(now).data, ...firstToken(now).data]);
  }
  step(params, state, [batchAt(i)]);
}
const heads = Array.from({ length: H }, (_, h) => h);
const labels = heads.map((h) => `head ${h}`);
["the place before", "the first place"].forEach((name, pattern) => {
  const data = heads.flatMap((h) =>
    shares.map((share) => share[pattern * H + h] ?? NaN),
  );
  const x = { data: shares.map((_, i) => 8 * i), shape: [shares.length] };
  const title = `weight on ${name}`;
  show(
    lines(
      { data, shape: [H, shares.length] },
      { title, labels, x, xLabel: "step" },
    ),
  );
});

// A head gets a name if nearly all of its weight goes where the name says.
const [before = [], first = []] = [
  shares.at(-1)?.slice(0, H),
  shares.at(-1)?.slice(H),
];
const names = heads.map((h) =>
  (before[h] ?? 0) > 0.9
    ? "previous"
    : (first[h] ?? 0) > 0.9
      ? "first"
      : "no name",
);
show(
  attentionMap(slice(weightsNow(), 0, 0, 1), {
    max: 1,
    cellSize: 11,
    title: names.join(" · "),
  }),
);

// Take one away, and see which answer suffers.
const answersOf = ["one back", "two back", "first"];
const errors = [undefined, ...heads].map((head) => {
  const change = head === undefined ? {} : ablateHeads([{ layer: 0, head }]);
  const trace = { names: [], tensors: {}, path: "layers.0.attention", change };
  const miss = square(sub(layer.apply(params, rows, { trace }), answers));
  return [0, 1, 2].map((n) =>
    Number(mean(slice(miss, 2, 8 * n, 8 * n + 8)).toNested()),
  );
});
const [whole = [], ...without] = errors;
without.forEach((error, h) =>
  show(
    bars(
      { data: error, shape: [3] },
      { labels: answersOf, title: `error without head ${h}, ${names[h]}` },
    ),
  ),
);
print("error with all heads", whole.map((x) => x.toFixed(3)).join(" "));

// Each head carries one answer: without it that one is lost, and the others stay.
const lost = without.map((error) =>
  error.flatMap((x, n) => (x > 0.5 ? [n] : [])),
);
if (whole.some((x) => x > 0.1)) throw new Error("not learned");
if (lost.map(String).sort().join(" ") !== "0 1 2")
  throw new Error(`lost: ${lost.join(" / ")}`);
lost.forEach(([answer], h) => {
  const named = ["previous", "no name", "first"][answer ?? 1];
  if (names[h] !== named) throw new Error(`head ${h} is named ${names[h]}`);
});
