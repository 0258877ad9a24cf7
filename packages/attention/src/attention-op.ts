import {
  callSizes,
  callTensors,
  floatKeyValues,
  isPaged,
  mapCall,
  pairsRead,
  type AttentionCall,
  type AttentionGradients,
  type AttentionOutputs,
  type AttentionSaved,
} from "@qkv/attention-contract";
import { checks, isPacked } from "@qkv/core";
import { contiguous, readOf, runNamed, viewOf, type NamedOp, type Tensor } from "@qkv/tensor";
import { attentionBackward } from "./attention-backward.js";
import { attentionForward } from "./attention-forward.js";

/** Attention as one fused operation: returns the output `[B, H, T, Dv]`, the log-sum-exp `[B, H, T]`, and the requested traces. */
export const attentionOp: NamedOp<[call: AttentionCall], AttentionOutputs> = {
  name: "attention",
  // The 16-bit types are allowed for keys and values; the checks of the call refuse them elsewhere.
  halfInputs: true,
  tensors: callTensors,
  outputs(make, call) {
    const { dtype } = call.query;
    const { B, H, T, S, Dv } = callSizes(call);
    const of = (...shape: number[]) => make({ shape, dtype });
    const outputs: Record<string, Tensor> = { output: of(B, H, T, Dv), lse: of(B, H, T) };
    for (const name of call.traces) outputs[name] ??= of(B, H, T, S);
    return outputs as AttentionOutputs;
  },
  kernel(call, outputs) {
    const { keyValues } = call;
    attentionForward(
      mapCall({ ...call, keyValues: floatKeyValues(keyValues) }, readOf),
      mapOutputs(outputs, viewOf),
    );
  },
  // FLOPs per pair: 2 D for the dot product, 2 Dv for the weighted value, and about 5 for softmax.
  flops: (call) => flopsOf(call, 2, 2, 5),
  backward({ output, lse }, gradients, call) {
    if ([...call.keyValues.key, ...call.keyValues.value].some((one) => isPaged(one) || isPacked(one.dtype))) {
      checks("attention").refuse({
        argument: "gradient",
        received: "asked for through keys or values in blocks or of 16 bits",
        expected:
          "keys and values as tensors of float32: what a cache holds in pages or 16 bits has no gradient",
        fix: "train without a cache, or with one that holds tensors of float32.",
      });
    }
    const packed = mapOutputs(gradients, contiguous);
    return callTensors(runNamed(attentionBackwardOp, call, { output, lse }, packed));
  },
};

/** The backward pass as an operation: gradients of the tensors of a call. */
export const attentionBackwardOp: NamedOp<
  [call: AttentionCall, saved: AttentionSaved, gradients: AttentionGradients],
  AttentionCall
> = {
  name: "attentionBackward",
  tensors: (call, saved, gradients) => [
    ...callTensors(call),
    saved.output,
    saved.lse,
    ...Object.values(gradients),
  ],
  outputs: (make, call) => mapCall(call, make),
  kernel(call, saved, gradients, to) {
    const { output, lse } = saved;
    attentionBackward(
      mapCall(call, readOf),
      { output: readOf(output), lse: readOf(lse) },
      mapOutputs(gradients, readOf),
      mapCall(to, viewOf),
    );
  },
  // FLOPs: the scores are recomputed, and there are four more products of the size of those in the forward pass.
  flops: (call) => flopsOf(call, 6, 4, 10),
  backward() {
    return checks("attention").refuse({
      argument: "gradient",
      received: "asked for a second time",
      expected: "one gradient: the tiled backward has no derivative of its own",
      fix: "write `secondGradients(() => …)` around what takes them; it holds all scores.",
    });
  },
};

/** Applies `f` to each output that is present. */
function mapOutputs<A, B>(outputs: AttentionOutputs<A>, f: (x: A) => B): AttentionOutputs<B>;
function mapOutputs<A, B>(outputs: AttentionGradients<A>, f: (x: A) => B): AttentionGradients<B>;
function mapOutputs<A, B>(outputs: AttentionGradients<A>, f: (x: A) => B): AttentionGradients<B> {
  const mapped: Record<string, B> = {};
  for (const name in outputs) {
    const x = outputs[name as keyof AttentionGradients<A>];
    if (x !== undefined) mapped[name] = f(x);
  }
  return mapped;
}

/** FLOPs of a call: for each pair that is not skipped, `perKey` per number of a key, `perValue` per number of a value, and `once`. */
function flopsOf(call: AttentionCall, perKey: number, perValue: number, once: number): number {
  const { B, H, T, S, D, Dv } = callSizes(call);
  return pairsRead(call.plan, B, H, T, S) * (perKey * D + perValue * Dv + once);
}
