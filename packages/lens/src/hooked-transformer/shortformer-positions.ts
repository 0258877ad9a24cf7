import { concat, zerosLike, type Tensor } from "@qkv/tensor";
import type { DecoderParams } from "@qkv/transformer";

/** A linear map. */
type Map = { weight: Tensor; bias?: Tensor };

/**
 * Shortformer as an ordinary decoder. In Shortformer only queries and keys read positions. Here the stream is twice as wide, and its
 * second half holds the position embedding: queries and keys read the sum of both halves, all other linear maps read and write the
 * first half. This is exact without norms, which would mix the halves.
 *
 * @see "Shortformer" (2020), arXiv:2012.15832
 */
export function withShortformerPositions(params: DecoderParams): DecoderParams {
  const { embedding, positions, layers, output } = params;
  const withZeroColumns = (x: Tensor) => concat([x, zerosLike(x)], 1); // columns of the first half
  const repeatColumns = (x: Tensor) => concat([x, x], 1);
  const widenInput = <T extends Map>(map: T, widen = withZeroColumns): T => ({
    ...map,
    weight: widen(map.weight),
  });
  const widenOutput = <T extends Map>({ weight, bias, ...map }: T): T =>
    ({
      ...map,
      weight: concat([weight, zerosLike(weight)], 0),
      ...(bias && { bias: concat([bias, zerosLike(bias)], 0) }),
    }) as unknown as T;
  return {
    ...params,
    embedding: { weight: withZeroColumns(embedding.weight) },
    positions: { weight: concat([zerosLike(positions!.weight), positions!.weight], 1) },
    layers: layers.map((layer) => {
      const { attention, feedForward } = layer;
      const { query, key, value, output } = attention;
      const mapped = {
        ...layer,
        attention: {
          ...attention,
          query: widenInput(query, repeatColumns),
          key: widenInput(key, repeatColumns),
          value: widenInput(value),
          output: widenOutput(output),
        },
      };
      if (feedForward === undefined || !("up" in feedForward)) return mapped;
      const { gate, up, down } = feedForward;
      const wide = {
        ...feedForward,
        ...(gate && { gate: widenInput(gate) }),
        up: widenInput(up),
        down: widenOutput(down),
      };
      return { ...mapped, feedForward: wide };
    }),
    ...(output && { output: widenInput(output) }),
  };
}
