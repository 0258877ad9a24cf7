import { expect, test } from "vitest";
import { modelTiny } from "./index.js";

test("the files fit together: the header of the weights names what the configuration asks for", async () => {
  const files = new Map((await modelTiny()).map((file) => [file.name, file]));
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
});

test("each call gives files of its own, the same ones", async () => {
  const [one, other] = [await modelTiny(), await modelTiny()];
  const bytes = async (files: File[]) => new Uint8Array(await files[3]!.arrayBuffer());
  const [first, second] = [await bytes(one), await bytes(other)];
  expect(one[3]).not.toBe(other[3]);
  expect(first.every((byte, i) => byte === second[i])).toBe(true);
});
