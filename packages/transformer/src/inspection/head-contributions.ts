import { checks, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { checkTensor, concat, einsum, mul, reshape, slice, type Tensor } from "@qkv/tensor";
import { asFloats } from "../conversions/as-floats.js";
import { checkParams } from "../layers/check-params.js";
import type { ModelTrace } from "../layers/trace.js";

/** Layer and head, both counted from 0. */
export type HeadIndex = { layer: number; head: number };

/** Functions that replace tensors of a traced run, by full name. */
export type Interventions = NonNullable<ModelTrace["interventions"]>;

/**
 * Ablates heads: replaces their outputs by zeros, so they add nothing to the residual stream.
 *
 * @returns The `interventions` of a trace.
 * @throws {ArgumentError} When the model runs, if a layer has no such head.
 * @see "Are Sixteen Heads Really Better than One?" (2019), arXiv:1905.10650
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { ablateHeads } from "@qkv/transformer/inspection";
 *
 * const model = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * const interventions = ablateHeads([{ layer: 0, head: 1 }]);
 * model.apply(model.init(1), [3, 1, 4], { trace: { names: [], tensors: {}, interventions } }).shape; // => [1, 3, 11]
 * ```
 */
export function ablateHeads(heads: readonly HeadIndex[]): Interventions {
  return headInterventions("ablateHeads", heads, () => (own) => mul(own, 0));
}

/**
 * Activation patching: replaces the outputs of heads by those of another run, to find the head that carries a
 * difference.
 *
 * @param tensors - Traced with the name `heads` in the source run, which has as many tokens as the patched run.
 * @returns The `interventions` of a trace.
 * @throws {ArgumentError} If a layer was not traced, or, when the model runs, has no such head.
 * @see "Interpretability in the Wild" (2022), arXiv:2211.00593
 *
 * @example
 * ```ts
 * import type { Tensor } from "@qkv/tensor";
 * import { decoder } from "@qkv/transformer";
 * import { patchHeads } from "@qkv/transformer/inspection";
 *
 * const model = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * const params = model.init(1);
 * const tensors: Record<string, Tensor> = {};
 * model.apply(params, [3, 1, 4], { trace: { names: ["heads"], tensors } });
 * const interventions = patchHeads([{ layer: 0, head: 1 }], tensors);
 * model.apply(params, [3, 2, 4], { trace: { names: [], tensors: {}, interventions } }).shape; // => [1, 3, 11]
 * ```
 */
export function patchHeads(
  heads: readonly HeadIndex[],
  tensors: Readonly<Record<string, Tensor>>,
): Interventions {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  const fix = 'give the `tensors` of a trace with the name "heads".';
  checks("patchHeads").each({ tensors }, isObject, "tensors by name", fix);
  return headInterventions("patchHeads", heads, (name, head) => {
    const given = tensors[name];
    if (given) return () => slice(given, 1, head, head + 1);
    const fix = 'trace the source run with the name "heads".';
    const received = Object.keys(tensors).join(", ");
    return checks("patchHeads").refuse({
      argument: "tensors",
      received,
      expected: `a tensor ${name}`,
      fix,
    });
  });
}

/**
 * Contribution of each head to the residual stream: its columns of the output matrix times its output. The
 * contributions add up to the output of attention, without the output bias.
 *
 * @param heads - `[B, H, T, D]`, traced with the name `heads`.
 * @param output - The layer's output map, `[C, H · D]`.
 * @returns `[B, H, T, C]`
 * @throws {ArgumentError} If the map is not as wide as the heads together.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { headContributions } from "@qkv/transformer/inspection";
 *
 * const heads = tensor([[[[2]], [[3]]]]); // [B, H, T, D]
 * headContributions(heads, { weight: tensor([[1, 10]]) }).toNested(); // => [[[[2]], [[30]]]]
 * ```
 */
export function headContributions(heads: Tensor, output: LinearParams): Tensor {
  const check: Checks = checks("headContributions");
  checkTensor("headContributions", "heads", heads);
  checkParams(check, output, ["weight"]);
  const [, H = 0, , D = 0] = heads.shape;
  const [C = 0, width] = output.weight.shape;
  if (width !== H * D) {
    const fix = "give the heads and the output map of one layer.";
    const expected = `${H * D} columns, for ${H} heads of ${D}`;
    check.refuse({ argument: "output.weight", received: width, expected, fix });
  }
  return einsum("bhtd,chd->bhtc", heads, reshape(asFloats(output.weight), [C, H, D]));
}

function headInterventions(
  fn: string,
  heads: readonly HeadIndex[],
  instead: (name: string, head: number) => (own: Tensor) => Tensor,
): Interventions {
  const changes: Record<string, (x: Tensor) => Tensor> = {};
  const check: Checks = checks(fn);
  check.list({ heads }, "{ layer, head }", (one) => typeof one === "object" && one !== null);
  for (const { layer, head } of heads) {
    check.whole({ layer, head }, { min: 0 });
    const name = `layers.${layer}.attention.heads`;
    const change = instead(name, head);
    const before = changes[name];
    changes[name] = (x) => {
      const all = before ? before(x) : x;
      const H = all.shape[1]!;
      if (head >= H) {
        const expected = `a head from 0 to ${H - 1} of layer ${layer}`;
        check.refuse({
          argument: "heads",
          received: head,
          expected,
          fix: "count heads from 0.",
        });
      }
      const around = [slice(all, 1, 0, head), slice(all, 1, head + 1, H)].filter(
        ({ shape }) => shape[1]! > 0,
      );
      const own = change(slice(all, 1, head, head + 1));
      return concat(head === 0 ? [own, ...around] : [around[0]!, own, ...around.slice(1)], 1);
    };
  }
  return changes;
}
