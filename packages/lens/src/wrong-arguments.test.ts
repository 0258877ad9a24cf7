// Calls that are wrong in one argument: each is refused by an error that names the function, the argument and the fix.
import { isQkvError } from "@qkv/core";
import { tensor, zeros, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import * as lens from "./index.js";

const config = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 8, normEps: 1e-5, stopIds: [] },
};
const { init, apply } = decoder(config);
const model = { config, params: init(1), apply };
const ids = [3, 1, 4];
const [layer, head] = [1, 0];
const place = { layer, head, query: 2, key: 1 };
const metric = lens.logitDifference({ token: 1, minus: 0 });
const path = { from: { name: "layers.0.attention.heads" }, to: [{ name: "layers.1.attention.query" }] };

/** The arguments after the model of a call that works. */
const calls: Readonly<Record<string, readonly unknown[]>> = {
  runWithTrace: [ids, { names: ["weights"] }],
  decomposeResidual: [ids, {}],
  logitParts: [ids, {}],
  scoreParts: [ids, place],
  scoreGraph: [ids, place, {}],
  activationPatching: [ids, ids, { metric }],
  attributionPatching: [ids, ids, { metric }],
  pathPatching: [ids, ids, { metric, ...path }],
  cacheMaps: [ids, {}],
  gradientTimesInput: [ids, { metric }],
  integratedGradients: [ids, { metric, steps: 1 }],
  headScores: [ids, () => zeros([2])],
  logitLensTokens: [ids, {}],
};
const functions = lens as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
const call = (name: string, ...args: readonly unknown[]) => functions[name]!(...args);

/** The refusal of a call that has to fail. */
async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    expect(isQkvError(error), String(error)).toBe(true);
    return (error as Error).message;
  }
  throw new Error("an answer");
}

test.each(Object.entries(calls))(
  "%s refuses a value that is not a model, and input that is not ids",
  async (name, args) => {
    await call(name, model, ...args);
    for (const wrong of [undefined, {}, Promise.resolve(model), { ...model, config: {} }])
      expect(await refusal(() => call(name, wrong, ...args))).toMatch(
        new RegExp(`^${name}: \`model\` is .*, expected a decoder`),
      );
    const floats = zeros([1, 3]);
    const noIds = [undefined, "text", [], [-1], [11], [1.5], floats, tensor([1, 2], { dtype: "int32" }), {}];
    for (const wrong of noIds)
      expect(await refusal(() => call(name, model, wrong, ...args.slice(1)))).toMatch(
        new RegExp(`^${name}: \`input.*expected .*\\nFix: `),
      );
  },
);

test.each(["activationPatching", "attributionPatching", "pathPatching"])(
  "%s names `source` if it is wrong",
  async (name) => {
    for (const wrong of [[], [11], [1, 2], "text"])
      expect(await refusal(() => call(name, model, ids, wrong, calls[name]![2]))).toMatch(
        new RegExp(`^${name}: \`source`),
      );
  },
);

test.each(["activationPatching", "attributionPatching", "pathPatching", "gradientTimesInput"])(
  "%s refuses a metric that does not return one number",
  async (name) => {
    const [options] = calls[name]!.slice(-1) as [object];
    const others = calls[name]!.slice(0, -1);
    for (const wrong of [() => 1, () => undefined, (x: Tensor) => x, async (x: Tensor) => metric(x)])
      expect(await refusal(() => call(name, model, ...others, { ...options, metric: wrong }))).toMatch(
        new RegExp(`^${name}: \`metric\\(logits\\)\` is .*, expected a tensor of one element`),
      );
  },
);

type Wrong = readonly [what: string, run: () => unknown, message: RegExp];
const run = (hooks: unknown) => lens.runWithTrace(model, ids, { hooks } as lens.RunOptions);
const wrong: readonly Wrong[] = [
  [
    "hooks in place of options",
    () => call("runWithTrace", model, ids, lens.ablate([{ layer }])),
    /^runWithTrace: `options` is "a hook of layers\.1\.attentionOutput".*\nFix: give hooks as an option/,
  ],
  [
    "a layer that a model lacks",
    () => run(lens.ablate([{ layer: 2 }])),
    /^runWithTrace: `hooks` is "layers\.2\.attentionOutput"/,
  ],
  [
    "a name that no tensor has",
    () => call("runWithTrace", model, ids, { names: ["x"] }),
    /^runWithTrace: `names`/,
  ],
  [
    "a hook that is async",
    () => run({ "layers.0.output": async (x: Tensor) => x }),
    /^runWithTrace: `hooks\["layers\.0\.output"\]` is a promise.*, expected a tensor \[1, 3, 8\]/,
  ],
  [
    "a hook that gives another shape",
    () => run({ "layers.0.output": () => zeros([1, 3, 7]) }),
    /^runWithTrace: `hooks\["layers\.0\.output"\]` is .*\[1, 3, 7\]/,
  ],
  [
    "a part beside a head",
    () => call("ablate", [{ layer, head, part: "attention" }]),
    /^ablate: `targets\.part` is "attention", expected none beside a head/,
  ],
  [
    "a token that no row of logits has",
    () => lens.gradientTimesInput(model, ids, { metric: lens.logitDifference({ token: 11 }) }),
    /^logitDifference: `token` is 11, expected an integer, at most 10/,
  ],
  [
    "a position after the text",
    () => lens.gradientTimesInput(model, ids, { metric: lens.logitDifference({ token: 1, position: 3 }) }),
    /^logitDifference: `position` is 3, .*\nFix: count tokens from 0; the text has 3/,
  ],
  [
    "a baseline that is no tensor",
    () => call("integratedGradients", model, ids, { metric, baseline: [0] }),
    /^integratedGradients: `baseline` is \[0\], expected a tensor \[1, 3, 8\]/,
  ],
  [
    "a score that gives a map",
    () => lens.headScores(model, ids, (weights) => weights),
    /^headScores: `score\(weights, ids\)` is .*, expected a tensor \[2\]/,
  ],
  [
    "no end of a path",
    () => lens.pathPatching(model, ids, ids, { metric, from: path.from, to: [] }),
    /^pathPatching: `to` is \[\], expected one place or more/,
  ],
  [
    "the end of a name in place of a full one",
    () => lens.steeringVector(model, { positive: [ids], negative: [ids], name: "output" }),
    /^steeringVector: `name` is "output", expected the full name of a tensor/,
  ],
  [
    "a vector of another width",
    () => run(lens.steer({ name: "layers.0.output", vector: zeros([7]) })),
    /^steer: `vector` is \[7\], expected \[8\], the width of layers\.0\.output/,
  ],
];

test.each(wrong)("%s is refused", async (_, go, message) => {
  expect(await refusal(go)).toMatch(message);
});
