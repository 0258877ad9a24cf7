import { nameListOf } from "@qkv/test-support/name-list";
import { expect, test } from "vitest";
import { mixerCost, mixerNames } from "./mixer-costs.js";
import { modelTypes, readConfig } from "./read-config.js";

test.each<[string, () => unknown, shown: readonly string[], number, string]>([
  [
    "model_type",
    () => readConfig({ model_type: "qwen33" }),
    ["qwen3", "qwen2", "qwen3_moe"],
    modelTypes.length,
    "modelTypes",
  ],
  [
    "mixer",
    () => mixerCost("retentive" as never, {} as never),
    ["retention"],
    mixerNames.length,
    "mixerNames",
  ],
])(
  "the error about an unknown %s shows the nearest, and the named list has all",
  async (_, call, shown, count, list) => {
    expect(await nameListOf(call)).toEqual({ shown, count, list: `\`${list}\`` });
  },
);
