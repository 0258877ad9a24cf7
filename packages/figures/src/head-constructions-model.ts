import {
  groupedQuery,
  multiHead,
  perHead,
  splitHeads,
  summedHeads,
  toSummedHeads,
  type AttentionParams,
  type PerHeadParams,
} from "@qkv/attention";
import { checks } from "@qkv/core";
import {
  concat,
  einsum,
  linear,
  mul,
  randn,
  reshape,
  slice,
  tensorsOf,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import {
  headConstructions,
  type ConstructionName,
  type HeadConstruction,
  type HeadConstructionsChoices,
  type HeadConstructionsModel,
  type ProjectionName,
} from "@qkv/viz/figures/head-constructions";

const tokens = ["the", "cat", "sat", "down"];
const embedDim = 8;
const largeDim = 512;
const names = ["query", "key", "value"] as const satisfies readonly ProjectionName[];

/** Tensors of a layer: projections and results by head, `[1, H, T, …]`, and its output `[1, T, C]`. */
type Run = {
  projected: Record<ProjectionName, Tensor>;
  weights: Tensor;
  heads: Tensor;
  writes: Tensor;
  result: Tensor;
};

/**
 * Computes the numbers of *What is a head?*: one input of four tokens through `multiHead`, `perHead`, small layers on slices
 * of the input, and `summedHeads`, all with the same weights by `splitHeads` and `toSummedHeads`. The weights and the input
 * are random, made from a seed.
 *
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name.
 *
 * @example
 * ```ts
 * import { headConstructionsModel } from "@qkv/figures/head-constructions";
 *
 * const { constructions, large } = headConstructionsModel({ numHeads: 2, largeHeads: 16 });
 * constructions[1].maxDifference.result; // => 0
 * [large.parameters.fused, large.parameters.summed]; // => [1048576, 12582912]
 * ```
 */
export function headConstructionsModel(
  choices: Partial<HeadConstructionsChoices> = {},
): HeadConstructionsModel {
  const check = checks("headConstructionsModel");
  const known = Object.keys(headConstructions.initial) as (keyof HeadConstructionsChoices)[];
  const { numHeads, largeHeads } = { ...headConstructions.initial, ...check.options(choices, known) };
  check.oneOf({ numHeads }, [1, 2, 4]);
  check.oneOf({ largeHeads }, [2, 4, 8, 16]);

  const x = mul(randn([1, tokens.length, embedDim], { seed: 22 }), 0.8); // few numbers beyond −1 and 1
  const fused = multiHead({ embedDim, numHeads });
  const params = fused.init(34);
  const split = splitHeads(params, fused.config);
  const summed = toSummedHeads(split);
  const runs: Record<ConstructionName, Run> = {
    fused: runFused(x, params, numHeads),
    "per-head": runPerHead(x, split, numHeads),
    "split-input": runSplitInput(x, params, numHeads),
    summed: runSummed(x, summed, numHeads),
  };
  const blocks = Object.fromEntries(
    [...names, "output" as const].map((name) => [name, blockDiagonal(params[name].weight, numHeads)]),
  ) as Record<ProjectionName | "output", Tensor>;
  const whole = (name: ProjectionName) => frame(params[name].weight);
  const wide = (name: ProjectionName) => frame(reshape(summed[name].weight, [numHeads * embedDim, embedDim]));
  const output = { output: frame(params.output.weight) };
  return {
    tokens,
    embedDim,
    numHeads,
    headDim: embedDim / numHeads,
    x: frame(x),
    constructions: [
      made("fused", runs, byName(whole), output, count(params)),
      made("per-head", runs, byName(whole), output, count(split)),
      made(
        "split-input",
        runs,
        byName((name) => frame(blocks[name])),
        { output: frame(blocks.output) },
        count(params) / numHeads,
      ),
      made("summed", runs, byName(wide), {}, 3 * numHeads * embedDim ** 2),
    ],
    large: {
      embedDim: largeDim,
      numHeads: largeHeads,
      parameters: {
        fused: 4 * largeDim ** 2,
        "per-head": 4 * largeDim ** 2,
        "split-input": (4 * largeDim ** 2) / largeHeads,
        summed: 3 * largeHeads * largeDim ** 2,
      },
    },
  };
}

const byName = <T>(make: (name: ProjectionName) => T): Record<ProjectionName, T> => ({
  query: make("query"),
  key: make("key"),
  value: make("value"),
});

const count = (params: unknown) => tensorsOf(params).reduce((sum, { data }) => sum + data.length, 0);

/** One projection for all heads, whose result is split. */
function runFused(x: Tensor, params: AttentionParams, numHeads: number): Run {
  const layer = multiHead({ embedDim, numHeads });
  const traced: Record<string, Tensor> = {};
  const result = layer.apply(params, x, { trace: { names: ["weights", "heads"], tensors: traced } });
  const cut = (y: Tensor) =>
    einsum("bthd->bhtd", reshape(y, [1, tokens.length, numHeads, embedDim / numHeads]));
  const { output } = splitHeads(params, layer.config);
  return {
    projected: byName((name) => cut(linear(x, params[name].weight))),
    ...ofTrace(traced),
    writes: einsum("bhtd,hcd->bhtc", traced["heads"]!, output.weight),
    result,
  };
}

function runPerHead(x: Tensor, params: PerHeadParams, numHeads: number): Run {
  const traced: Record<string, Tensor> = {};
  const layer = perHead({ embedDim, numHeads, numKvHeads: numHeads });
  const result = layer.apply(params, x, { trace: { names: ["weights", "heads"], tensors: traced } });
  return {
    projected: byName((name) => einsum("hdc,btc->bhtd", params[name].weight, x)),
    ...ofTrace(traced),
    writes: einsum("bhtd,hcd->bhtc", traced["heads"]!, params.output.weight),
    result,
  };
}

/** A small layer on each slice of the input, with the diagonal blocks of the weights. */
function runSplitInput(x: Tensor, params: AttentionParams, numHeads: number): Run {
  const D = embedDim / numHeads;
  const layer = groupedQuery({ embedDim: D, numHeads: 1, numKvHeads: 1 });
  const parts = Array.from({ length: numHeads }, (_, h) => {
    const block = ({ weight }: { weight: Tensor }) => ({
      weight: slice(slice(weight, 0, h * D, (h + 1) * D), 1, h * D, (h + 1) * D),
    });
    const headParams = { ...byName((name) => block(params[name])), output: block(params.output) };
    const part = slice(x, 2, h * D, (h + 1) * D);
    const traced: Record<string, Tensor> = {};
    const result = layer.apply(headParams, part, { trace: { names: ["weights", "heads"], tensors: traced } });
    const beside = (heads: number) => zeros([1, 1, tokens.length, heads * D]);
    const sides = [h, numHeads - 1 - h].map((heads) => (heads === 0 ? [] : [beside(heads)]));
    return {
      projected: byName((name) => reshape(linear(part, headParams[name].weight), [1, 1, tokens.length, D])),
      ...ofTrace(traced),
      writes: concat([...sides[0]!, reshape(result, [1, 1, tokens.length, D]), ...sides[1]!], 3),
      result,
    };
  });
  const joined = (pick: (run: Run) => Tensor) => concat(parts.map(pick), 1);
  return {
    projected: byName((name) => joined((run) => run.projected[name])),
    weights: joined(({ weights }) => weights),
    heads: joined(({ heads }) => heads),
    writes: joined(({ writes }) => writes),
    result: concat(
      parts.map(({ result }) => result),
      2,
    ),
  };
}

function runSummed(x: Tensor, params: ReturnType<typeof toSummedHeads>, numHeads: number): Run {
  const traced: Record<string, Tensor> = {};
  const layer = summedHeads({ embedDim, numHeads, scale: 1 / Math.sqrt(embedDim / numHeads) });
  const result = layer.apply(params, x, { trace: { names: ["weights", "heads"], tensors: traced } });
  return {
    projected: byName((name) => einsum("hdc,btc->bhtd", params[name].weight, x)),
    ...ofTrace(traced),
    writes: traced["heads"]!,
    result,
  };
}

const ofTrace = (traced: Record<string, Tensor>) => ({
  weights: traced["weights"]!,
  heads: traced["heads"]!,
});

/** Weights of a layer that splits its input: the diagonal blocks of the fused weights, else 0. */
function blockDiagonal(weight: Tensor, numHeads: number): Tensor {
  const D = embedDim / numHeads;
  const rows = Array.from({ length: numHeads }, (_, h) => {
    const row = slice(weight, 0, h * D, (h + 1) * D);
    return concat(
      Array.from({ length: numHeads }, (_, at) =>
        at === h ? slice(row, 1, at * D, (at + 1) * D) : zeros([D, D]),
      ),
      1,
    );
  });
  return concat(rows, 0);
}

type Frame = { data: number[]; shape: [number, number] };

/** A matrix, or the single matrix of a batch, as plain numbers. */
function frame(x: Tensor): Frame {
  const shape = x.shape.slice(-2) as [number, number];
  return { data: Array.from(x.data, Number), shape };
}

/** `[1, H, T, D]` as rows of tokens with the heads side by side, `[T, H · D]`. */
function sideBySide(x: Tensor): Frame {
  const [, H, T, D] = x.shape as [number, number, number, number];
  return frame(reshape(einsum("bhtd->bthd", x), [T, H * D]));
}

/** `[1, H, T, D]` as matrices below each other, `[H · T, D]`. */
function stacked(x: Tensor): Frame {
  const [, H, T, D] = x.shape as [number, number, number, number];
  return frame(reshape(x, [H * T, D]));
}

function made(
  name: ConstructionName,
  runs: Record<ConstructionName, Run>,
  projections: HeadConstruction["projections"],
  output: { output?: Frame },
  parameters: number,
): HeadConstruction {
  const run = runs[name];
  return {
    name,
    projections,
    projected: byName((each) => sideBySide(run.projected[each])),
    weights: stacked(run.weights),
    heads: sideBySide(run.heads),
    ...output,
    writes: stacked(run.writes),
    result: frame(run.result),
    maxDifference: {
      ...byName((each) => maxAbsDifference(run.projected[each], runs.fused.projected[each])),
      result: maxAbsDifference(run.result, runs.fused.result),
    },
    parameters,
  };
}

/** Largest absolute difference of two matrices, in the columns that both have. */
function maxAbsDifference(x: Tensor, y: Tensor): number {
  const shared = Math.min(x.shape.at(-1)!, y.shape.at(-1)!);
  const [a, b] = [x, y].map((each) => Array.from(slice(each, -1, 0, shared).data, Number)) as [
    number[],
    number[],
  ];
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}
