import { groupedQuery } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { concat, grad, mean, randn, slice, square } from "@qkv/tensor";

const heads = { embedDim: 8, numHeads: 2, numKvHeads: 2, headDim: 4 };
const layer = groupedQuery(heads);
const params = layer.init(1);

// Each matrix named here starts with the same numbers in both heads. Remove one
// name.
const alike = ["query", "key", "value", "output"];

const axes = { query: 0, key: 0, value: 0, output: 1 } as const;
const names = ["query", "key", "value", "output"] as const;
const half = (map: typeof params, name: (typeof names)[number], h: number) =>
  slice(map[name].weight, axes[name], 4 * h, 4 * h + 4);
for (const name of names) {
  if (!alike.includes(name)) continue;
  const first = half(params, name, 0);
  params[name] = { weight: concat([first, first], axes[name]) };
}

// The gradient decides how each number changes in the first step.
const x = randn([1, 6, 8], { seed: 2 });
const slope = grad((p: typeof params) => mean(square(layer.apply(p, x))));
const step = slope(params);
const same = (map: typeof params, name: (typeof names)[number]) =>
  half(map, name, 0).data.join() === half(map, name, 1).data.join();
for (const name of names)
  print(
    name,
    same(params, name) ? "weights: equal," : "weights: different,",
    "gradient:",
    same(step, name) ? "equal" : "different",
  );

check(
  "the heads start with equal queries, keys and values",
  same(params, "query") && same(params, "key") && same(params, "value"),
);
check(
  "the first step separates all three",
  !same(step, "query") && !same(step, "key") && !same(step, "value"),
);
