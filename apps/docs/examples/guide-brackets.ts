import { ablate, runWithTrace, type AblationTarget } from "@qkv/lens";
import { loadTransformerLens } from "@qkv/lens/transformer-lens";
import { bracketModel } from "@qkv/model-tiny/algorithms";
import { check, print, show, textField } from "@qkv/page";
import { argmax, slice, softmax } from "@qkv/tensor";
import {
  bracketBatches,
  bracketIds,
  encodeBrackets,
} from "@qkv/transformer/tasks";
import { attentionMap, bars } from "@qkv/viz";

// Two layers of two heads and 32 neurons, in the names of TransformerLens.
const model = await loadTransformerLens(await bracketModel());
const example = "(()))(()";
const typed = textField("up to 24 brackets", { value: example });
const text = typed.replace(/[^()]/g, "").slice(0, 24) || example;
if (text !== typed) print("Brackets that are read:", text);

// The number of brackets that are open after each: below 0, one was closed too early.
const heightsOf = (ids: readonly number[]) => {
  let height = 0;
  return ids.map((id) => {
    if (id === bracketIds.open) height += 1;
    if (id === bracketIds.close) height -= 1;
    return height;
  });
};
const ids = encodeBrackets(text);
const end = ids.length - 1;
const heights = heightsOf(ids);
const { logits, tensors } = runWithTrace(model, ids, { names: ["weights"] });
const looks = slice(
  slice(tensors["layers.1.attention.weights"]!, 1, 0, 1),
  2,
  end,
);
const symbols = ["start", "(", ")", "end"];
show(
  bars(
    { data: looks.data, shape: [ids.length] },
    {
      labels: ids.map((id, t) => `${symbols[id]} ${heights[t]}`),
      max: 1,
      title:
        "layer 1, head 0: where “end” looks; numbers are brackets open so far",
    },
  ),
);
const balanced = softmax(slice(logits, 1, end)).data[1]!;
print(`probability that all are balanced: ${balanced.toFixed(3)}`);

// Held-out rows, by the mistake that they have.
const [count, T] = [300, 26];
const heldOut = bracketBatches({ seed: 2, batchSize: count })(0);
const rows = Array.from({ length: count }, (_, row) => {
  const all = [...heldOut.ids.data.slice(row * T, (row + 1) * T)];
  const last = all.indexOf(bracketIds.end);
  const heights = heightsOf(all.slice(0, last + 1));
  const final = heights[last]!;
  const lowest = Math.min(...heights);
  const kind =
    final > 0 ? "left open" : final < 0 ? "closed too often" : "wrong order";
  return { last, heights, kind: lowest < 0 || final > 0 ? kind : "balanced" };
});
const kinds = ["balanced", "left open", "closed too often", "wrong order"];

/** The share of right answers for each kind of row, without parts of the model. */
function accuracy(removed: readonly AblationTarget[]): number[] {
  const hooks = ablate(removed);
  const run = runWithTrace(model, heldOut.ids, { names: [], hooks });
  const best = argmax(run.logits, { axis: -1 }).data;
  return kinds.map((kind) => {
    const own = [...rows.keys()].filter((row) => rows[row]!.kind === kind);
    const right = own.filter(
      (row) =>
        best[row * T + rows[row]!.last] ===
        Number(rows[row]!.kind === "balanced"),
    );
    return right.length / own.length;
  });
}
const head = (layer: number, head: number) => ({ layer, head });
const removals: Record<string, readonly AblationTarget[]> = {
  nothing: [],
  "layer 0, head 0": [head(0, 0)],
  "layer 0, head 1": [head(0, 1)],
  "both of layer 0": [head(0, 0), head(0, 1)],
  "neurons of layer 0": [{ layer: 0, part: "feedForward" }],
  "layer 1, head 0": [head(1, 0)],
  "layer 1, head 1": [head(1, 1)],
  "all of layer 1": [{ layer: 1 }],
};
const table = Object.values(removals).map(accuracy);
show(
  attentionMap(
    { data: table.flat(), shape: [table.length, kinds.length] },
    {
      rowLabels: Object.keys(removals),
      columnLabels: kinds,
      max: 1,
      title: "share of right answers without a part, by the kind of row",
    },
  ),
);
const shareOf = (removed: string, kind: string) =>
  table[Object.keys(removals).indexOf(removed)]![kinds.indexOf(kind)]!;
const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
for (const kind of kinds)
  print(
    `${kind}: ${percent(shareOf("nothing", kind))} right, ${percent(shareOf("layer 1, head 0", kind))} without layer 1, head 0`,
  );

// The places that “end” reads in rows of each kind: are fewer than 0 brackets open there?
const trace = runWithTrace(model, heldOut.ids, { names: ["weights"] }).tensors;
const weights = slice(trace["layers.1.attention.weights"]!, 1, 0, 1).data;
const below = kinds.map((kind) => {
  const own = [...rows.entries()].filter(([, row]) => row.kind === kind);
  const sums = own.map(([row, { last, heights }]) =>
    heights.reduce(
      (sum, height, t) =>
        height < 0 && t < last
          ? sum + Number(weights[(row * T + last) * T + t])
          : sum,
      0,
    ),
  );
  return sums.reduce((a, b) => a + b, 0) / sums.length;
});
print(
  `weight on places below 0 in rows of the wrong order: ${below[3]!.toFixed(2)}`,
);

// The heads of layer 0 give each token about the same share, so they write a mean.
const unequal = [0, 1].map((head) => {
  const own = slice(
    trace["layers.0.attention.weights"]!,
    1,
    head,
    head + 1,
  ).data;
  const differences = [...rows.entries()].flatMap(([row, { last }]) =>
    Array.from({ length: last - 1 }, (_, t) =>
      Math.abs(Number(own[(row * T + last) * T + t + 1]) * (last + 1) - 1),
    ),
  );
  return differences.reduce((a, b) => a + b, 0) / differences.length;
});
print(
  `layer 0: shares of brackets differ from equal ones by ${percent(unequal[0]!)} and ${percent(unequal[1]!)}`,
);

check(
  "more than 99.5 % of each kind are right",
  Math.min(...table[0]!) >= 0.995,
);
check(
  "without the heads that count, no row passes as balanced",
  shareOf("both of layer 0", "balanced") < 0.05,
);
check(
  "without layer 1, head 0, brackets in the wrong order pass",
  shareOf("layer 1, head 0", "wrong order") < 0.7 &&
    shareOf("layer 1, head 0", "balanced") > 0.95,
);
check("“end” looks at what was closed too early", below[3]! > 0.6);
