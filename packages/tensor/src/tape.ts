import type { Op } from "./op.js";
import type { Tensor } from "./tensor.js";

/** One run of an op, as backward needs it. */
export type Entry = {
  readonly op: Op<unknown>;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: unknown;
  /** The inputs' places on the tape; undefined where an input does not depend on what is differentiated. */
  readonly from: readonly (Node | undefined)[];
  readonly to: readonly Node[];
};

/** Records what is computed from the tensors that `grad` watches. Closed when the function has returned. */
export type Tape = { open: boolean; readonly entries: Entry[] };

/** A tensor's place on one tape. */
export type Node = { readonly tape: Tape };

/**
 * Adds one run of an op to each open tape that watches one of its inputs. A tensor carries its places, so there
 * is no current tape: gradients of gradients are tapes beside each other.
 */
export function record(
  op: Op<never>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  attributes: unknown,
): void {
  if (inputs.every(({ nodes }) => nodes === undefined)) return;
  const tapes = new Set<Tape>();
  for (const input of inputs) for (const node of input.nodes ?? []) if (node.tape.open) tapes.add(node.tape);
  for (const tape of tapes) {
    const from = inputs.map((input) => input.nodes?.find((node) => node.tape === tape));
    const to = outputs.map((output) => {
      const node = { tape };
      (output.nodes ??= []).push(node);
      return node;
    });
    tape.entries.push({ op: op as Op<unknown>, inputs, outputs, attributes, from, to });
  }
}
