import {
  add,
  matmul,
  mul,
  pad,
  reshape,
  slice,
  squeeze,
  stack,
  sub,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { chunkDecay } from "./chunk-decay.js";
import type { Scanned, Steps } from "./scan.js";
import { unitLowerInverse } from "./unit-lower-inverse.js";
import { unstack } from "./unstack.js";

/** Runs steps chunk by chunk with tensor operations: matrix products within a chunk, and the recurrence between chunks. */
export function inChunks(steps: Steps, initial: Tensor, chunkSize: number): Scanned {
  const [B, H, T] = steps.query.shape as [number, number, number];
  const length = Math.max(1, Math.min(chunkSize, T));
  const numChunks = Math.ceil(T / length);
  // A step of zeros leaves the state as it is.
  const chunk = (x: Tensor) =>
    reshape(pad(x, 2, 0, numChunks * length - T), [B, H, numChunks, length, x.shape[3]!]);
  const [query, key, value] = [steps.query, steps.key, steps.value].map(chunk) as [Tensor, Tensor, Tensor];
  const decay = chunkDecay(steps.decay && chunk(steps.decay));
  const erase = steps.erase && chunk(steps.erase);
  const reads = steps.reads ?? "after";

  // The pseudo-values of a chunk, value − erase · S, depend on earlier tokens of the same chunk through S. With A the strictly
  // lower products of erase and key, they solve (I + A) written = value − erase · (state before the chunk).
  const inverse = erase && unitLowerInverse(decay.products(erase, key, "before"));
  const values = inverse ? matmul(inverse, value) : value; // [B, H, N, L, V]
  const erased = inverse && matmul(inverse, decay.sinceStart(erase!, "before")); // [B, H, N, L, K]
  const chunkValues = perChunk(values);
  const keysToEnd = perChunk(transpose(decay.untilEnd(key)));
  const chunkErased = erased && perChunk(erased);
  const totalDecays = decay.total && perChunk(decay.total);

  let state = initial; // [B, H, K, V]
  const [states, writes]: [Tensor[], Tensor[]] = [[], []];
  for (let n = 0; n < numChunks; n++) {
    const written = chunkErased ? sub(chunkValues[n]!, matmul(chunkErased[n]!, state)) : chunkValues[n]!;
    states.push(state);
    writes.push(written);
    state = add(totalDecays ? mul(totalDecays[n]!, state) : state, matmul(keysToEnd[n]!, written));
  }
  const earlier = matmul(decay.sinceStart(query, reads), stack(states, 2));
  const within = matmul(decay.products(query, key, reads), erase ? stack(writes, 2) : value);
  const output = reshape(add(earlier, within), [B, H, numChunks * length, value.shape[4]!]);
  return { output: slice(output, 2, 0, T), state };
}

/** `[B, H, N, …]` as a list of `[B, H, …]`. */
const perChunk = (x: Tensor): Tensor[] => unstack(x, 2).map((chunk) => squeeze(chunk, 2));
