// States of mixers in a cache: a prompt, a fork, a saved file, then token by token equal one pass.
import { mix } from "@qkv/attention";
import { stateCache, type KvCache } from "@qkv/kv-cache";
import { cast, concat, js, mapTensors, slice, type Device, type Tensor } from "@qkv/tensor";
import { mixers, ownForms, randomInputs, sliceTokens } from "@qkv/test-support/random-mixers";
import { wasm } from "@qkv/wasm";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";

const [T, prompt] = [9, 5];
type Inputs = Record<string, Tensor>;
/** Applies a mixer of either kind to tokens, reading and updating the state in a cache. */
type Step = (inputs: Inputs, cache: KvCache, tokens: number) => Tensor;

const linear = mixers.map((mixer) => {
  const step: Step = (inputs, cache, tokens) => {
    const cached = cache.state(0)?.["state"];
    const { output, state } = mix(mixer, inputs, cached && { initialState: cached });
    cache.advance(0, { state }, tokens);
    return output;
  };
  return { name: mixer.name, mixer, step };
});
// The state of DeltaFormer is a key-value cache, which grows.
const own = ownForms
  .filter(({ name }) => name !== "deltaFormer()")
  .map((mixer) => {
    const step: Step = (inputs, cache, tokens) => {
      const cached = cache.state(0);
      const { output, state } = mix(mixer, inputs, cached && { initialState: cached });
      cache.advance(0, state as Record<string, Tensor>, tokens);
      return output;
    };
    return { name: mixer.name, mixer, step };
  });

describe.each<{ device: Device }>([{ device: js() }, { device: await wasm({ threads: 1 }) }])(
  "on $device.name",
  ({ device }) => {
    test.each([...linear, ...own])(
      "$name: fork, save, restore and decode give the whole",
      ({ mixer, step }) => {
        const given = randomInputs(mixer, { B: 2, H: 2, T, K: 3, V: 3 }, 3);
        const inputs = mapTensors(given, (x) => cast(x, "float32").to(device));
        const part = (from: number, to: number) => sliceTokens(mixer, inputs, from, to, T);
        const whole = step(inputs, stateCache(), T);
        const cache = stateCache({ checkpoints: 2 });
        const first = step(part(0, prompt), cache, prompt);
        const fork = cache.fork();
        const restored = stateCache();
        restored.restore(cache.save(), device);
        for (const each of [cache, fork, restored]) {
          const outputs = [first];
          for (let t = prompt; t < T; t++) {
            expect(each.length).toBe(t);
            outputs.push(step(part(t, t + 1), each, 1));
          }
          expect(concat(outputs, 2)).toBeAllclose(whole, { rtol: 2e-4, atol: 2e-5 });
        }
        // Undoes a step and repeats it.
        cache.crop(T - 1);
        expect(step(part(T - 1, T), cache, 1)).toBeAllclose(slice(whole, 2, T - 1), {
          rtol: 2e-4,
          atol: 2e-5,
        });
      },
    );
  },
);
