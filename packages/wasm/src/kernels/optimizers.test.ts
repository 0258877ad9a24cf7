import { randn, type Device } from "@qkv/tensor";
import { adam, adamW, sgd } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";

const optimizers = {
  adam: () => adam({ weightDecay: 0.1 }),
  adamW: () => adamW({ learningRate: 0.01 }),
  amsgrad: () => adam({ amsgrad: true }),
  sgd: () => sgd({ learningRate: 0.1, weightDecay: 0.1 }),
  momentum: () => sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.2 }),
  nesterov: () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
};

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "optimizers, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test.each(Object.keys(optimizers) as (keyof typeof optimizers)[])(
      "%s updates resident parameters in place, as on the plain device",
      (name) => {
        const optimizer = optimizers[name]();
        for (const size of [1, 3, 4, 1001, 70_000]) {
          const plain = { w: randn([size], { seed: 1 }) };
          const onDevice = { w: randn([size], { seed: 1 }).to(device) };
          const [state, deviceState] = [optimizer.init(plain), optimizer.init(onDevice)];
          for (const moment of Object.values(deviceState.moments)) device.retain(moment.w.storage);
          for (let step = 0; step < 3; step++) {
            optimizer.update(plain, { w: randn([size], { seed: step + 2 }) }, state);
            optimizer.update(onDevice, { w: randn([size], { seed: step + 2, device }) }, deviceState);
          }
          expect(onDevice.w.data).toBeAllclose(plain.w.data, {
            rtol: 0,
            atol: 1e-6,
            scaled: true,
            equalNan: true,
          });
          for (const [moment, { w }] of Object.entries(deviceState.moments))
            expect(w.data).toBeAllclose(state.moments[moment]!.w.data, {
              rtol: 0,
              atol: 1e-6,
              scaled: true,
              equalNan: true,
            });
        }
        const op = name === "adamW" ? "adam" : name === "momentum" || name === "nesterov" ? "sgd" : name;
        expect(device.report().calls[op]!.device).toBeGreaterThanOrEqual(15);
        expect(device.report().calls[op]!.plain).toBe(0);
      },
    );

    test("parameters in host memory are updated, too", () => {
      const optimizer = sgd({ learningRate: 1 });
      const onDevice = { w: randn([5], { seed: 1, device }) };
      const before = [...onDevice.w.data];
      optimizer.update(onDevice, { w: randn([5], { seed: 2, device }) }, optimizer.init(onDevice));
      const gradient = randn([5], { seed: 2 }).data;
      expect(onDevice.w.data).toBeAllclose(
        before.map((x, i) => x - gradient[i]!),
        { rtol: 0, atol: 1e-6, scaled: true, equalNan: true },
      );
    });
  },
);
