import { expect, test } from "vitest";
import { parseWasmName } from "./parse-name.js";
import { wasm } from "./wasm.js";

test.each([
  ["wasm", {}],
  ["wasm,plain", { build: "plain" }],
  ["wasm,threads=2,relaxed", { threads: 2, build: "relaxed" }],
  ["wasm,plain,threads=16", { threads: 16, build: "plain" }],
  ["wasm,threads=auto", { threads: "auto" }],
  ["wasm,interleaved", { readPattern: "interleaved" }],
  ["wasm,prefetched", { readPattern: "prefetched" }],
  ["wasm,sequential,plain", { readPattern: "sequential", build: "plain" }],
])("%s is parsed to its options", (name, options) => {
  expect(parseWasmName(name)).toEqual(options);
});

test.each([
  "js",
  "wasm:plain",
  "wasm,",
  "wasm,fast",
  "wasm,threads=0",
  "wasm,threads=2,threads=2",
  "wasm,plain,relaxed",
  "wasm,sequential,interleaved",
])("%s gives undefined", (name) => {
  expect(parseWasmName(name)).toBeUndefined();
});

test("the name of a device parses to its options", async () => {
  const device = await wasm({ threads: 2, build: "plain" });
  expect(parseWasmName(device.name)).toEqual({ threads: 2, build: "plain" });
  await device.close();
  const fixed = await wasm({ build: "plain", readPattern: "interleaved" });
  expect(parseWasmName(fixed.name)).toEqual({ threads: 1, build: "plain", readPattern: "interleaved" });
});
