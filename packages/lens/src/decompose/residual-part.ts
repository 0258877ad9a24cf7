import type { Tensor } from "@qkv/tensor";

/** The origin of a part: an embedding, a head, an attention or feed-forward layer, a bias, or another summand. */
export type PartKind =
  "embedding" | "position" | "head" | "attention" | "mixer" | "feedForward" | "bias" | "residual" | "softcap";

/** The origin of a part, without its numbers. */
export type PartSource = {
  /** Unique: `embedding`, `layers.0.heads.1`, `layers.0.feedForward`, `layers.0.attention.bias`. */
  readonly name: string;
  readonly kind: PartKind;
  /** Layer that wrote it, from 0. Absent for embeddings and the final norm. */
  readonly layer?: number;
  /** Head that wrote it, from 0. */
  readonly head?: number;
  /** Position that the head read it from, where heads are split by their keys. */
  readonly key?: number;
};

/** One part of the rows of a residual stream. All parts sum to the rows. */
export type ResidualPart = PartSource & {
  /** `[B, n, C]`, a row for each position. */
  readonly value: Tensor;
};

/** The source of a part, without its values. */
export function partSource({ name, kind, layer, head, key }: PartSource): PartSource {
  return {
    ...{ name, kind },
    ...(layer !== undefined && { layer }),
    ...(head !== undefined && { head }),
    ...(key !== undefined && { key }),
  };
}
