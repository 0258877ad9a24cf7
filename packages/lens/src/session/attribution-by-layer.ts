import {
  add,
  concat,
  mul,
  slice,
  sub,
  sum,
  valueAndGrad,
  vjp,
  zeros,
  zerosLike,
  type Tensor,
} from "@qkv/tensor";
import type { Decoder } from "@qkv/transformer";
import type { LensModel } from "../lens-model.js";
import type { Metric } from "../patching/metric.js";
import { applyLayers, kept, lastLogits, placed, type Kept } from "./kept-stream.js";
import type { Watch } from "./watched-model.js";

/** Tensors that are kept of a pass: the stream before each layer and after the last, and of a source its heads by full name. */
export type KeptPass = {
  readonly stream: readonly Kept[];
  readonly heads: Readonly<Record<string, Kept>>;
};

/**
 * Attribution patching, one layer after the other from the last: a layer is run again from the stream before it, and differentiated
 * alone. So tensors of one layer are in memory at a time, as with gradient checkpointing.
 *
 * @param names - `layers.0.output` and the like, or `layers.0.attention.heads`, whose heads are patched.
 * @returns The metric without a patch, and of each name the estimated change by position or head.
 */
export function attributionByLayer(
  model: LensModel,
  own: Decoder,
  { names, metric }: { readonly names: readonly string[]; readonly metric: Metric },
  { stream, source }: { readonly stream: readonly Kept[]; readonly source: KeptPass },
  watch: Watch,
): { readonly unpatched: number; readonly changes: ReadonlyMap<string, ArrayLike<number>> } {
  const { numLayers } = model.config;
  const { device } = model.params.norm.weight;
  const at = (one: Kept) => placed(one, device);
  const changes = new Map<string, ArrayLike<number>>();
  const asked = (layer: number, name: string) => names.find((one) => one === `layers.${layer}.${name}`);
  const [unpatched, afterLast] = device.scope(() => {
    const last = at(stream[numLayers]!);
    const T = last.shape[1]!;
    const row = slice(last, 1, T - 1, T);
    const [value, gradient] = valueAndGrad((x: Tensor) => metric(lastLogits(model, own, x)))(row);
    const others = zeros([1, T - 1, last.shape[2]!], { dtype: gradient.dtype, device });
    return [Number(value.data[0]), kept(concat([others, gradient], 1))];
  });
  let gradient = afterLast;
  for (let layer = numLayers - 1; layer >= 0; layer--) {
    const output = asked(layer, "output");
    const heads = asked(layer, "attention.heads");
    const after = gradient;
    gradient = device.scope(() => {
      const reached = at(after);
      if (output !== undefined) {
        const ofOutput = device.scope(() => {
          const change = sub(at(source.stream[layer + 1]!), at(stream[layer + 1]!));
          return sum(mul(change, reached), { axis: [0, 2] }).data;
        });
        changes.set(output, ofOutput);
      }
      if (heads === undefined && layer === 0) return after;
      let read: Tensor | undefined;
      const given = heads === undefined ? undefined : at(source.heads[heads]!);
      const f = ({ x, change }: { x: Tensor; change?: Tensor }) => {
        const hook = (h: Tensor) => add((read = h), change!);
        const interventions = heads === undefined ? {} : { [heads]: hook };
        const onTensor = (part: number) => watch.onTensor((numLayers - 1 - layer + part) / numLayers);
        return applyLayers(model, own, x, { first: layer, end: layer + 1, interventions }, { onTensor });
      };
      const params: { x: Tensor; change?: Tensor } = {
        x: at(stream[layer]!),
        ...(given && { change: zerosLike(given) }),
      };
      const before = vjp(f, params).pullback(reached);
      if (heads !== undefined) {
        const change = sub(given!, read!);
        changes.set(heads, sum(mul(change, before.change!), { axis: [0, 2, 3] }).data);
      }
      return kept(before.x);
    });
  }
  return { unpatched, changes };
}
