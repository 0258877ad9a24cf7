import { checks } from "@qkv/core";
import { concat, isTensor, mapTensors, pad, slice, type Tensor } from "@qkv/tensor";
import { documentStarts, type DocumentIds } from "./resets.js";

type Inputs = Readonly<Record<string, Tensor>>;
type Mixed<State> = { readonly output: Tensor; readonly state: State };

/** Sequences that are packed of documents, padded, or both. */
type Packed<State> = {
  readonly inputs: Inputs;
  /** Names of inputs with an axis of tokens, the third. */
  readonly perToken: readonly string[];
  readonly initialState: State | undefined;
  readonly documents: DocumentIds | undefined;
  readonly padding: ArrayLike<number> | undefined;
};

/**
 * Mixes each document of each batch alone, without padding, whose outputs are zeros. The first of a batch goes on from its
 * initial state; the state is that after the last.
 */
export function mixSegments<State extends object>(
  mix: (inputs: Inputs, initialState: State | undefined) => Mixed<State>,
  { inputs, perToken, initialState, documents, padding }: Packed<State>,
): Mixed<State> {
  const [B, , T] = inputs[perToken[0]!]!.shape as [number, number, number];
  const starts = documents && documentStarts(documents, B, T);
  const batches = Array.from({ length: B }, (_, b): Mixed<State> => {
    const batch = <X extends object>(tree: X): X => mapTensors(tree, (x: Tensor) => slice(x, 0, b, b + 1));
    const end = Math.min(padding?.[b] ?? T, T);
    const row = starts?.[b] ?? starts?.[0] ?? [];
    const begins = [0, ...Array.from({ length: end }, (_, t) => t).filter((t) => row[t])];
    let state = initialState && batch(initialState);
    const outputs = begins.map((from, i) => {
      const part = (name: string, x: Tensor) =>
        perToken.includes(name) ? slice(slice(x, 0, b, b + 1), 2, from, begins[i + 1] ?? end) : x;
      const own = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, part(name, x)]));
      const mixed = mix(own, i === 0 ? state : undefined);
      ({ state } = mixed);
      return mixed.output;
    });
    return { output: pad(concat(outputs, 2), 2, 0, T - end), state: state! };
  });
  return {
    output: concat(
      batches.map(({ output }) => output),
      0,
    ),
    state: joinStates(batches.map(({ state }) => state)),
  };
}

/** States of several batches as one. Counts of tokens are of all batches, and equal. */
function joinStates<State extends object>(states: readonly State[]): State {
  const entries = Object.entries(states[0]!).map(([name, first]: [string, unknown]) => {
    const values = states.map((state) => (state as Record<string, unknown>)[name]);
    if (isTensor(first)) return [name, concat(values as Tensor[], 0)] as const;
    if (values.every((value) => value === first)) return [name, first] as const;
    return checks("mix").refuse({
      argument: "documents",
      received: `batches of which the last documents end after ${values.join(", ")} tokens of a block`,
      expected: "batches that end at the same place of a block, as a state counts its tokens once",
      fix: "mix each batch alone.",
    });
  });
  return Object.fromEntries(entries) as State;
}
