import { modelTiny } from "@qkv/model-tiny";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { load, type Model } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { beforeAll, expect, test } from "vitest";
import { openModel } from "./open-model.js";
import { transformerBlockModel } from "./transformer-block-model.js";

const text = "The cat sat on the";
let tiny: Model;
beforeAll(async () => {
  tiny = await load(await modelTiny());
});

async function exportedFolder(family: "gpt2" | "llama"): Promise<{ model: Model; files: File[] }> {
  const model = randomDecoder(family, tiny.tokenizer!);
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const own = out.files.filter(({ name }) => !/^tokenizer/.test(name));
  const tokenizer = (await modelTiny()).filter(({ name }) => /^tokenizer/.test(name));
  return { model, files: [...own, ...tokenizer] as File[] };
}

test.each(["gpt2", "llama"] as const)(
  "a dropped %s folder gives the numbers of the model that was exported to it",
  async (family) => {
    const { model, files } = await exportedFolder(family);
    const opened = await openModel(files);
    const [reopened, original] = [
      await transformerBlockModel(opened, text),
      await transformerBlockModel(model, text),
    ];
    expect(reopened.tokens).toEqual(original.tokens);
    expect(reopened.norm).toBe(family === "gpt2" ? "layer" : "rms");
    reopened.stream.forEach((frame, k) => {
      for (let i = 0; i < frame.data.length; i++)
        expect(frame.data[i]).toBeCloseTo(original.stream[k]!.data[i]!, 3);
    });
    reopened.next.at(-1)!.forEach(({ id, now, parts, rest, logit }, i) => {
      expect(id).toBe(original.next.at(-1)![i]!.id);
      expect(now).toBeCloseTo(original.next.at(-1)![i]!.now, 4);
      expect(parts.reduce((sum, part) => sum + part, rest)).toBeCloseTo(logit, 3);
    });
    const without = await transformerBlockModel(opened, text, { removed: "head-1-2" });
    // Head 2 of `[H, T, D]`, with 5 tokens and 6 channels.
    expect(new Set(Array.from(without.blocks[1]!.mixtures.data).slice(2 * 5 * 6, 3 * 5 * 6))).toEqual(
      new Set([0]),
    );
  },
);

test("files that are no model folder are refused, with the missing file", async () => {
  const photo = new File(["not a model"], "cat.jpg");
  await expect(openModel([photo])).rejects.toThrow(/config\.json/);
  const { files } = await exportedFolder("llama");
  const bare = files.filter(({ name }) => !/^tokenizer/.test(name));
  await expect(openModel(bare).then((model) => transformerBlockModel(model, text))).rejects.toThrow(
    /tokenizer\.json/,
  );
  const config = new File([JSON.stringify({ model_type: "xlstm" })], "config.json");
  await expect(openModel([config, ...files.filter(({ name }) => name !== "config.json")])).rejects.toThrow(
    /xlstm/,
  );
});
