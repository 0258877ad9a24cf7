import { checks } from "@qkv/core";
import { nameListOf, namesInReference } from "@qkv/test-support/name-list";
import { expect, test } from "vitest";
import { checkTrace } from "./heads/attend-heads.js";
import { layerInputs } from "./mixers/layer-inputs.js";

test("the error about an unknown traced tensor shows the nearest, and the reference of Trace lists all", async () => {
  const trace = { names: ["score"], tensors: {} } as never;
  expect(await nameListOf(() => checkTrace(checks("apply"), trace))).toEqual({
    shown: ["scores"],
    count: 9,
    list: "the reference of `Trace`",
  });
  const listed = namesInReference(new URL("heads/attend-heads.ts", import.meta.url), "Trace");
  const names = [..."dots capped scores weights lse query key value heads".split(" ")];
  expect([...listed]).toEqual(expect.arrayContaining(names));
});

test("the error about a map of an unknown input shows the nearest of the mixer's inputs", async () => {
  const inputs = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`gate${i}`, "B H T"]));
  const mixer = { name: "nineGates", inputs, optional: { decay: "B H T" } };
  const sizes = { axes: { H: 2 }, numKeyHeads: 2, maps: { dekay: (x: unknown) => x } } as never;
  expect(await nameListOf(() => layerInputs(checks("mixerLayer"), mixer, sizes))).toEqual({
    shown: ["decay"],
    count: 10,
    list: "the definition of nineGates",
  });
});
