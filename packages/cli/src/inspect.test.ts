import { expect, test } from "vitest";
import { ownData } from "../../../conformance/reference-data.mjs";
import { run } from "./run.js";

/** Output of `qkv inspect` for a model of the reference data. */
async function inspected(folder: string, ...more: string[]): Promise<string> {
  let out = "";
  const code = await run(["inspect", ownData.path(`hf/${folder}`), ...more], {
    out: { write: (text) => (out += text) },
    err: { write: () => undefined },
    color: false,
  });
  expect(code).toBe(0);
  return out;
}

const told = async (folder: string) =>
  JSON.parse(await inspected(folder, "--json")) as {
    kvBytesPerToken: number;
    stateBytes: number;
    layers: { type: string }[];
  };

test("layers with a state hold no keys and values, and are named", async () => {
  const { kvBytesPerToken, stateBytes, layers } = await told("qwen3-next");
  // One layer of four attends: keys and values of 2 heads of 12 numbers.
  expect(kvBytesPerToken).toBe(4 * 2 * 2 * 12);
  expect(layers.map(({ type }) => type === "full")).toEqual([false, false, false, true]);
  // Of each other layer: 4 heads of 8 × 10 numbers, and the last 3 rows of a convolution over 2 · 8 · 2 + 4 · 10 channels.
  expect(stateBytes).toBe(3 * 4 * (4 * 8 * 10 + 3 * (2 * 8 * 2 + 4 * 10)));
  expect(await inspected("mamba2")).toContain("no keys and values: every layer that remembers has a state");
});

test.each(["deepseek-v3", "deepseek-v32"])(
  "latents of %s are stored in place of the keys of heads",
  async (name) => {
    const { kvBytesPerToken, stateBytes, layers } = await told(name);
    const config = ownData.json(`hf/${name}/config.json`) as Record<
      "kv_lora_rank" | "qk_rope_head_dim" | "index_head_dim",
      number | undefined
    >;
    const { kv_lora_rank: r, qk_rope_head_dim: d, index_head_dim: index = 0 } = config;
    expect([kvBytesPerToken, stateBytes]).toEqual([4 * layers.length * (r! + d! + index), 0]);
  },
);
