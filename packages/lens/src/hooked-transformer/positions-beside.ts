import { concat, zerosLike, type Tensor } from "@qkv/tensor";
import type { DecoderParams } from "@qkv/transformer";

/** A map with its bias. */
type Map = { weight: Tensor; bias?: Tensor };

/**
 * The same model with positions in the stream, beside what it had: the stream becomes twice as wide, and its second half holds the
 * position. Queries and keys read the sum of both halves, and all other maps read and write the first. That is Shortformer, in which
 * queries and keys alone know positions. It is exact where there are no norms, which would mix the halves.
 *
 * @see "Shortformer" (2020), arXiv:2012.15832
 */
export function withPositionsBeside(params: DecoderParams): DecoderParams {
  const { embedding, positions, layers, output } = params;
  const first = (x: Tensor) => concat([x, zerosLike(x)], 1); // columns of the first half
  const both = (x: Tensor) => concat([x, x], 1);
  const reads = <T extends Map>(map: T, widen = first): T => ({ ...map, weight: widen(map.weight) });
  const writes = <T extends Map>({ weight, bias, ...map }: T): T =>
    ({
      ...map,
      weight: concat([weight, zerosLike(weight)], 0),
      ...(bias && { bias: concat([bias, zerosLike(bias)], 0) }),
    }) as unknown as T;
  return {
    ...params,
    embedding: { weight: first(embedding.weight) },
    positions: { weight: concat([zerosLike(positions!.weight), positions!.weight], 1) },
    layers: layers.map((layer) => {
      const { attention, feedForward } = layer;
      const { query, key, value, output } = attention;
      const mapped = {
        ...layer,
        attention: {
          ...attention,
          query: reads(query, both),
          key: reads(key, both),
          value: reads(value),
          output: writes(output),
        },
      };
      if (feedForward === undefined || !("up" in feedForward)) return mapped;
      const { gate, up, down } = feedForward;
      const wide = { ...feedForward, ...(gate && { gate: reads(gate) }), up: reads(up), down: writes(down) };
      return { ...mapped, feedForward: wide };
    }),
    ...(output && { output: reads(output) }),
  };
}
