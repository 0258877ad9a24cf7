import type { RanOp } from "./op.js";
import type { Tensor } from "./tensor.js";

/** Told of one run of an op. */
export type Recorder = (
  op: RanOp<never>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  attributes: unknown,
) => void;

/** A gradient tape. It records the operations on watched tensors, until the function has returned. */
export type Tape = { readonly record: Recorder };

/** A tensor's place on one tape. */
export type Node = { readonly tape: Tape };

/**
 * Tells each tape that watches one of the inputs. A tensor carries its places, so there is no current tape: gradients
 * of gradients are tapes beside each other.
 */
export const record: Recorder = (op, inputs, outputs, attributes) => {
  if (!inputs.some(({ nodes }) => nodes)) return;
  const tapes = new Set(inputs.flatMap(({ nodes = [] }) => nodes.map(({ tape }) => tape)));
  for (const tape of tapes) tape.record(op, inputs, outputs, attributes);
};
