import {
  ablate,
  copyingScore,
  logitParts,
  runWithTrace,
  type AblationTarget,
} from "@qkv/lens";
import { loadTransformerLens } from "@qkv/lens/transformer-lens";
import { sortingModel } from "@qkv/model-tiny/algorithms";
import { check, print, show, textField } from "@qkv/page";
import { argmax, slice } from "@qkv/tensor";
import { sortBatches } from "@qkv/transformer/tasks";
import { attentionMap } from "@qkv/viz";

// One layer of two heads and nothing else, in the names of TransformerLens.
const model = await loadTransformerLens(await sortingModel());
const example = "24 31 12 19 30 2 23 7";
const typed = textField("eight different numbers from 0 to 31", {
  value: example,
});
const numbersOf = (text: string) => [
  ...new Set((text.match(/\d+/g) ?? []).map(Number).filter((x) => x < 32)),
];
const given = numbersOf(typed);
const list = given.length === 8 ? given : numbersOf(example);
if (given.length !== 8)
  print("Give eight different numbers; until then:", example);

// The model writes one number after the other.
const separator = 32;
const ids = [...list, separator];
for (let n = 0; n < 8; n++)
  ids.push(
    argmax(model.apply(model.params, ids, { last: 1 }), { axis: -1 }).data[0]!,
  );
const sorted = ids.slice(9);
print("in order:", sorted.join(" "));

// The map of each head while it writes: rows are what was written last.
const read = ids.slice(0, 16);
const { tensors } = runWithTrace(model, read, { names: ["weights"] });
const labels = ["begin", ...sorted.slice(0, 7).map(String)];
for (const head of [0, 1]) {
  const own = slice(tensors["layers.0.attention.weights"]!, 1, head, head + 1);
  show(
    attentionMap(slice(slice(own, 2, 8), 3, 0, 8), {
      rowLabels: labels,
      columnLabels: list.map(String),
      max: 1,
      title: `head ${head}: after a number (rows), where does it look in the list?`,
    }),
  );
}

// The head that wrote each answer: direct parts of its logit.
const written = sorted.map((token, n) => {
  const { parts } = logitParts(model, read, { position: 8 + n, token });
  return [0, 1].map(
    (head) =>
      parts.find(({ name }) => name === `layers.0.heads.${head}`)!.value,
  );
});
const most = Math.max(...written.flat().map(Math.abs));
show(
  attentionMap(
    {
      data: [0, 1].flatMap((head) => written.map((part) => part[head]!)),
      shape: [2, 8],
    },
    {
      rowLabels: ["head 0", "head 1"],
      columnLabels: sorted.map(String),
      min: -most,
      max: most,
      title: "what each head adds to the logit of the answer",
    },
  ),
);

// Held-out lists: right answers by their size, with and without a head.
const [count, T] = [500, 16];
const heldOut = sortBatches({ seed: 2, batchSize: count })(0);
const targets = [...heldOut.targets.data];
const ranges = ["0 to 7", "8 to 15", "16 to 23", "24 to 31"];
function accuracy(removed: readonly AblationTarget[]): number[] {
  const hooks = ablate(removed);
  const run = runWithTrace(model, heldOut.ids, { names: [], hooks });
  const best = argmax(run.logits, { axis: -1 }).data;
  return ranges.map((_, range) => {
    const own = targets.flatMap((x, n) =>
      x >= 0 && x >> 3 === range ? [n] : [],
    );
    return own.filter((n) => best[n] === targets[n]).length / own.length;
  });
}
const whole = accuracy([]);
const table = [
  whole,
  accuracy([{ layer: 0, head: 0 }]),
  accuracy([{ layer: 0, head: 1 }]),
] as const;
show(
  attentionMap(
    { data: table.flat(), shape: [3, 4] },
    {
      rowLabels: ["both heads", "without head 0", "without head 1"],
      columnLabels: ranges,
      max: 1,
      title: "share of right answers, by the size of the answer",
    },
  ),
);
print(
  `${(100 * Math.min(...whole)).toFixed(1)} % right with both heads, over ${count} lists of ${T / 2}`,
);

// Each head copies the number that it looks at: its logit is among the three highest.
const values = Array.from({ length: 32 }, (_, value) => value);
const copies = [0, 1].map((head) =>
  copyingScore(model, { layer: 0, head, tokens: values, topK: 3 }),
);
print(
  `share of numbers that a head copies: ${copies.map((x) => x.toFixed(2)).join(" and ")}`,
);

check("more than 99.5 % of the answers are right", Math.min(...whole) >= 0.995);
check(
  "without head 0, small and large numbers go wrong",
  table[1][0]! < 0.7 && table[1][3]! < 0.8,
);
check(
  "without head 1, numbers in the middle go wrong",
  table[2][1]! < 0.8 && table[2][2]! < 0.7,
);
check("both heads copy what they look at", Math.min(...copies) > 0.8);
