import { sizeOf, type View } from "@qkv/tensor";
import { scanRequestWords, scanTokens } from "../binaries/layout.js";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";

type Attributes = {
  readonly chunkSize: number;
  readonly reads: "before" | "after";
  readonly erases: "before" | "after";
  readonly scale: number;
  /** Inputs after the state, in this order. */
  readonly optional: readonly ("decay" | "erase" | "beta")[];
};

/** Number of tokens from which on chunks are faster than steps token by token. */
const minChunkTokens = 4;
/** Size of a state up to which steps token by token are faster than chunks. */
const maxStepwiseState = 64;

/** A linear recurrence, token by token or in chunks. A work item is one head, or several of them token by token. */
export function scanKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], attributes: Attributes): boolean => {
    const [batch, heads, tokens, keyDim] = inputs[0]!.shape as [number, number, number, number];
    const valueDim = outputs[0]!.shape[3]!;
    const empty = sizeOf(outputs[0]!.shape) * keyDim === 0;
    if (empty || inputs.some(({ dtype }) => dtype !== "float32")) return false;
    const chunk = Math.min(attributes.chunkSize, scanTokens);
    const stepwise = tokens < minChunkTokens || keyDim * valueDim <= maxStepwiseState;
    return withCall(engine, (call) => {
      const [query, key, value, initialState, ...rest] = inputs.map((x) => call.input(x));
      const optionalInput = (name: Attributes["optional"][number]) => rest[attributes.optional.indexOf(name)];
      const states = batch * heads;
      const statesPerItem = stepwise ? Math.max(1, Math.min(16, Math.floor(states / 8))) : 1;
      const at = call.write(
        scanRequestWords({
          heads,
          tokens,
          keyDim,
          valueDim,
          states,
          statesPerItem,
          chunk: stepwise ? 1 : chunk,
          readsBefore: Number(attributes.reads === "before"),
          scale: attributes.scale,
          query,
          key,
          value,
          decay: optionalInput("decay"),
          erase: optionalInput("erase"),
          erasesAfter: Number(attributes.erases === "after"),
          beta: optionalInput("beta"),
          initialState,
          output: call.output(outputs[0]!).pointer,
          finalState: call.output(outputs[1]!).pointer,
        }),
      );
      const scratch = engine.exports["scanScratch"]!(at);
      return engine.parallel("scan", Math.ceil(states / statesPerItem), scratch, at);
    });
  };
}
