import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decoder, load, writeLlama, type DecoderConfig } from "../../index.js";

const config: DecoderConfig = {
  vocabSize: 19,
  embedDim: 12,
  hiddenDim: 20,
  numLayers: 2,
  numHeads: 3,
  numKvHeads: 1,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [0],
  ropeBase: 5000,
};

test.each([
  ["a Llama whose output is its embedding", config],
  ["a Qwen 3, which normalises queries and keys", { ...config, qkNorm: true, headDim: 6 }],
] as const)("%s is written and loaded with the same logits, bit for bit", async (_, config) => {
  const model = decoder(config);
  const params = model.init(4);
  const folder = await mkdtemp(join(tmpdir(), "qkv-llama-"));
  try {
    for (const [name, content] of Object.entries(await writeLlama({ config, params })))
      await writeFile(join(folder, name), content);
    const loaded = await load(folder);
    const ids = [3, 1, 4, 1, 5];
    expect(loaded.apply(loaded.params, ids).data).toEqual(model.apply(params, ids).data);
    expect(loaded.config.stopIds).toEqual([0]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a decoder of another likeness is refused, and the field named", async () => {
  const gpt2 = { ...config, embedDim: 12, positions: "learned" } as const;
  await expect(writeLlama({ config: gpt2, params: decoder(gpt2).init(1) })).rejects.toThrow(
    'writeLlama: `config.positions` is "learned", expected "rotary", as in Llama.',
  );
});
