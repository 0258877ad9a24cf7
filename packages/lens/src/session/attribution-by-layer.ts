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
import { applyLayers, hostCopy, lastLogits, deviceTensor, type HostCopy } from "./run-layers.js";
import type { Watch } from "./watched-model.js";

/** Copies from a pass: the stream before each layer and after the last, and outputs of heads by full name. */
export type CachedPass = {
  readonly stream: readonly HostCopy[];
  readonly heads: Readonly<Record<string, HostCopy>>;
};

/**
 * Attribution patching layer by layer, from the last to the first: each layer is run again from the stream before it and
 * differentiated alone, so only one layer's tensors are in memory at a time, as in gradient checkpointing.
 *
 * @param names - Names such as `layers.0.output`, patched by position, or `layers.0.attention.heads`, patched by head.
 * @returns The metric without a patch, and for each name the estimated change by position or head.
 */
export function attributionByLayer(
  model: LensModel,
  layerFunctions: Decoder,
  { names, metric }: { readonly names: readonly string[]; readonly metric: Metric },
  { stream, source }: { readonly stream: readonly HostCopy[]; readonly source: CachedPass },
  watch: Watch,
): { readonly unpatched: number; readonly changes: ReadonlyMap<string, ArrayLike<number>> } {
  const { numLayers } = model.config;
  const { device } = model.params.norm.weight;
  const onDevice = (one: HostCopy) => deviceTensor(one, device);
  const changes = new Map<string, ArrayLike<number>>();
  const findName = (layer: number, name: string) => names.find((one) => one === `layers.${layer}.${name}`);
  const [unpatched, afterLast] = device.scope(() => {
    const last = onDevice(stream[numLayers]!);
    const T = last.shape[1]!;
    const row = slice(last, 1, T - 1, T);
    const [value, gradient] = valueAndGrad((x: Tensor) => metric(lastLogits(model, layerFunctions, x)))(row);
    const others = zeros([1, T - 1, last.shape[2]!], { dtype: gradient.dtype, device });
    return [Number(value.data[0]), hostCopy(concat([others, gradient], 1))];
  });
  let gradient = afterLast;
  for (let layer = numLayers - 1; layer >= 0; layer--) {
    const output = findName(layer, "output");
    const heads = findName(layer, "attention.heads");
    const after = gradient;
    gradient = device.scope(() => {
      const outputGradient = onDevice(after);
      if (output !== undefined) {
        const ofOutput = device.scope(() => {
          const change = sub(onDevice(source.stream[layer + 1]!), onDevice(stream[layer + 1]!));
          return sum(mul(change, outputGradient), { axis: [0, 2] }).data;
        });
        changes.set(output, ofOutput);
      }
      if (heads === undefined && layer === 0) return after;
      let attributed: Tensor | undefined;
      const sourceHeads = heads === undefined ? undefined : onDevice(source.heads[heads]!);
      const f = ({ x, change }: { x: Tensor; change?: Tensor }) => {
        const hook = (h: Tensor) => add((attributed = h), change!);
        const interventions = heads === undefined ? {} : { [heads]: hook };
        const onTensor = (part: number) => watch.onTensor((numLayers - 1 - layer + part) / numLayers);
        return applyLayers(
          model,
          layerFunctions,
          x,
          { first: layer, end: layer + 1, interventions },
          { onTensor },
        );
      };
      const params: { x: Tensor; change?: Tensor } = {
        x: onDevice(stream[layer]!),
        ...(sourceHeads && { change: zerosLike(sourceHeads) }),
      };
      const before = vjp(f, params).pullback(outputGradient);
      if (heads !== undefined) {
        const change = sub(sourceHeads!, attributed!);
        changes.set(heads, sum(mul(change, before.change!), { axis: [0, 2, 3] }).data);
      }
      return hostCopy(before.x);
    });
  }
  return { unpatched, changes };
}
