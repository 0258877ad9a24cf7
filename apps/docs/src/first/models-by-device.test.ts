import type { BestDevice, DeviceOptions } from "@qkv/device";
import { js } from "@qkv/tensor";
import { beforeEach, expect, test } from "vitest";
import { idsOf } from "./look";
import { firstModel } from "./model";
import { ModelsByDevice } from "./models-by-device";
import { sentence } from "./sentence";

let opened: DeviceOptions[] = [];
beforeEach(() => void (opened = []));

const named = (name: string, more: Partial<BestDevice> = {}): BestDevice => ({
  ...js(),
  close: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
  ...more,
  choice: {
    name,
    why: `${name} it is`,
    attempts: [{ name: "webgpu", outcome: "refused", reason: "no adapter" }],
    remembered: false,
  },
});

test("plain JavaScript is used until the fastest device is found, and a faster one replaces it later", async () => {
  let better!: (device: BestDevice | undefined) => void;
  const later = new Promise<BestDevice | undefined>((resolve) => (better = resolve));
  const changes: string[] = [];
  let heard: () => void = () => undefined;
  const models = new ModelsByDevice(
    firstModel,
    (device) => {
      changes.push(device);
      heard();
    },
    (options = {}) => {
      opened.push(options);
      return Promise.resolve(named("wasm", { better: later }));
    },
  );
  const change = () => new Promise<void>((resolve) => (heard = resolve));
  const first = change();
  const both = await Promise.all([models.on("fastest"), models.on("fastest", 1)]);
  for (const placed of both) expect(placed).toMatchObject({ device: "js", why: "it is ready at once" });
  await first;
  expect(await models.on("fastest")).toMatchObject({ device: "wasm", why: "wasm it is" });
  const second = change();
  better(named("webgpu"));
  await second;
  const placed = await models.on("fastest");
  expect(placed.device).toBe("webgpu");
  expect(changes).toEqual(["wasm", "webgpu"]);
  expect(opened).toHaveLength(1);
  // Devices are compared on the page's own computation.
  const work = opened[0]!.work!(js());
  const { model } = await models.on("js");
  const ids = idsOf(model, sentence);
  expect(await work().read()).toEqual(await model.apply(model.params, ids, { last: 1 }).read());
});

test("if the chosen device does not open, the reason is reported and plain JavaScript is used", async () => {
  const models = new ModelsByDevice(
    firstModel,
    () => undefined,
    (options = {}) => {
      opened.push(options);
      return Promise.resolve(named("js"));
    },
  );
  expect(await models.on("webgpu", 1)).toMatchObject({
    device: "js",
    why: "webgpu is not available: no adapter",
  });
  expect(await models.on("webgpu")).toMatchObject({ device: "js" });
  expect(opened).toEqual([{ prefer: ["webgpu", "js"], software: true, timeoutMs: 60_000 }]);
  expect((await models.on("webgpu", 1)).model.config.numKvHeads).toBe(1);
});
