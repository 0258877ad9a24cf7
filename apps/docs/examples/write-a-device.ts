import { alibi, attention, causal } from "@qkv/attention";
import { callSizes, assertExhaustive, mapCall } from "@qkv/attention-contract";
import { seenKeys, StoredRows } from "@qkv/attention-contract";
import type { AttentionKernels } from "@qkv/attention-contract";
import { print } from "@qkv/page";
import { abs, js, max, randn, readOf, sub, viewOf } from "@qkv/tensor";
import type { Device, DType, Storage, TypedArray } from "@qkv/tensor";
import { allocateArray, checkAlive, scopes } from "@qkv/tensor/devices";

/** softmax(scale · Q Kᵀ) V, one query after the other. */
const kernel: AttentionKernels["attention"] = (call, outputs) => {
  const { query, keyValues, plan, scale, ...more } = mapCall(call, readOf);
  const { scoreMod, weightMod, sinks, softcap, traces, ...last } = more;
  const { firstQuery: _, ...rest } = last; // the plan has the mask's positions
  assertExhaustive(rest); // a type error once the contract has a new field
  const hasTraces = traces.some((name) => name !== "lse");
  if (scoreMod || weightMod || sinks || hasTraces) return false; // runs plain

  const { B, H, T, S, D, Dv, group } = callSizes(call);
  const keys = new StoredRows(keyValues.key, B); // of tensors, and of blocks
  const values = new StoredRows(keyValues.value, B);
  const output = viewOf(outputs.output).array;
  const lse = viewOf(outputs.lse).array;
  const [stepB = 0, stepH = 0, stepT = 0, stepD = 0] = query.strides;
  const seen = new Uint8Array(S);

  for (let row = 0; row < B * H * T; row++) {
    const b = Math.floor(row / (H * T));
    const h = Math.floor(row / T) % H;
    const t = row % T;
    for (const rows of [keys, values]) rows.locate(b, Math.floor(h / group));
    for (let c = 0; c < plan.columns; c++) {
      const tile = seen.subarray(c * plan.keyTile, (c + 1) * plan.keyTile);
      seenKeys(plan, b, h, t, c, tile);
    }
    const at = query.offset + b * stepB + h * stepH + t * stepT;
    const scores = new Float64Array(S).fill(-Infinity);
    for (let s = 0; s < S; s++) {
      if (!seen[s]) continue;
      const score = scale * keys.dot(query.array, at, stepD, s, D);
      scores[s] = softcap ? softcap * Math.tanh(score / softcap) : score;
    }
    const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = new Float64Array(Dv);
    let total = 0;
    for (let s = 0; s < S; s++) {
      if (scores[s] === -Infinity) continue; // not read: 0 · NaN is NaN
      const weight = Math.exp(scores[s]! - top);
      total += weight;
      values.addTo(sum, weight, s);
    }
    const factor = total === 0 ? 0 : 1 / total; // no key seen: zeros
    for (let d = 0; d < Dv; d++) output[row * Dv + d] = sum[d]! * factor;
    lse[row] = top + Math.log(total);
  }
  return true;
};

/** A device whose memory is typed arrays, with one kernel. */
export function loops(): Device {
  const arrays = new WeakMap<Storage, TypedArray>(); // its memory
  const calls: Record<string, { device: number; plain: number }> = {};
  const { own, ...scoped } = scopes((storage) => arrays.delete(storage));
  const fromHost = (dtype: DType, array: TypedArray): Storage => {
    const storage = { dtype, length: array.length };
    arrays.set(storage, array);
    return storage;
  };
  return {
    name: "loops",
    kernels: { attention: kernel },
    ...scoped,
    fromHost,
    allocate(dtype, length, _zeroed, fn) {
      const storage = fromHost(dtype, allocateArray(dtype, length, fn));
      own(storage);
      return storage;
    },
    array(storage) {
      checkAlive(storage);
      return arrays.get(storage)!;
    },
    report: () => ({ name: "loops", calls: structuredClone(calls) }),
    memory: () => ({ bytes: undefined, peakBytes: undefined }),
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
  };
}

const inputs = [8, 2, 2].map((H, seed) => randn([1, H, 16, 32], { seed }));
function attend(on: Device, options = {}) {
  const [query, key, value] = inputs.map((x) => x.to(on));
  return attention(query!, key!, value!, { mask: causal(), ...options });
}
const device = loops();
const difference = max(abs(sub(attend(device).to(js()), attend(js()))));
attend(device, { bias: alibi(8) }); // a scoreMod
print("largest difference:", difference.data[0], device.report().calls);
if (difference.data[0]! > 1e-6) throw new Error("differs from attention");
