import { expect, test } from "vitest";
import { modelTinyBytes } from "./model-tiny-bytes.js";
import { modelTiny } from "./model-tiny.js";

const models = [modelTiny, modelTinyBytes];

test.each(models)(
  "the files of %o agree: the weights have the number and shapes that the configuration states",
  async (model) => {
    const files = new Map((await model()).map((file) => [file.name, file]));
    const config = JSON.parse(await files.get("config.json")!.text()) as Record<string, number>;
    const weights = new DataView(await files.get("model.safetensors")!.arrayBuffer());
    const headerLength = Number(weights.getBigUint64(0, true));
    const header = JSON.parse(
      new TextDecoder().decode(new Uint8Array(weights.buffer, 8, headerLength)),
    ) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
    const { "model.embed_tokens.weight": embedding, ...others } = header;
    expect(embedding).toMatchObject({ dtype: "F16", shape: [config["vocab_size"], config["hidden_size"]] });
    const tensors = Object.entries(others).filter(([name]) => name !== "__metadata__");
    expect(tensors).toHaveLength(9 * config["num_hidden_layers"]! + 1);
    const end = Math.max(...[embedding!, ...tensors.map(([, one]) => one)].map((one) => one.data_offsets[1]));
    expect(8 + headerLength + end).toBe(weights.byteLength);
  },
);

test.each(models)("each call of %o returns new files with the same content", async (model) => {
  const [one, other] = [await model(), await model()];
  const bytes = async (files: File[]) => new Uint8Array(await files[3]!.arrayBuffer());
  const [first, second] = [await bytes(one), await bytes(other)];
  expect(one[3]).not.toBe(other[3]);
  expect(first.every((byte, i) => byte === second[i])).toBe(true);
});

test("the tokens of modelTinyBytes are the 256 bytes, and the beginning-of-sequence token is the line break", async () => {
  const files = new Map((await modelTinyBytes()).map((file) => [file.name, file]));
  const tokenizer = JSON.parse(await files.get("tokenizer.json")!.text()) as {
    model: { vocab: Record<string, number>; merges: unknown[] };
  };
  const { vocab, merges } = tokenizer.model;
  expect([Object.keys(vocab).length, new Set(Object.values(vocab)).size, merges.length]).toEqual([
    256, 256, 0,
  ]);
  const config = JSON.parse(await files.get("config.json")!.text()) as { bos_token_id: number };
  expect(config.bos_token_id).toBe(vocab["Ċ"]);
});
