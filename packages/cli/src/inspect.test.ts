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

const inspectedJson = async (folder: string) =>
  JSON.parse(await inspected(folder, "--json")) as {
    kvBytesPerToken: number;
    stateBytes: number;
    layers: { type: string }[];
  };

test("recurrent layers have no KV cache, and are listed by the name of their mixer", async () => {
  const { kvBytesPerToken, stateBytes, layers } = await inspectedJson("qwen3-next");
  // One layer of four attends: keys and values of 2 heads of 12 numbers.
  expect(kvBytesPerToken).toBe(4 * 2 * 2 * 12);
  expect(layers.map(({ type }) => type === "full")).toEqual([false, false, false, true]);
  // Of each other layer: 4 heads of 8 × 10 numbers, and the last 3 rows of a convolution over 2 · 8 · 2 + 4 · 10 channels.
  expect(stateBytes).toBe(3 * 4 * (4 * 8 * 10 + 3 * (2 * 8 * 2 + 4 * 10)));
  expect(await inspected("mamba2")).toContain("no keys and values: all layers with memory are recurrent");
});

test.each(["deepseek-v3", "deepseek-v32"])(
  "latents of %s are stored in place of the keys of heads",
  async (name) => {
    const { kvBytesPerToken, stateBytes, layers } = await inspectedJson(name);
    const config = ownData.json(`hf/${name}/config.json`) as Record<
      "kv_lora_rank" | "qk_rope_head_dim" | "index_head_dim",
      number | undefined
    >;
    const { kv_lora_rank: r, qk_rope_head_dim: d, index_head_dim: index = 0 } = config;
    expect([kvBytesPerToken, stateBytes]).toEqual([4 * layers.length * (r! + d! + index), 0]);
  },
);

type Numbers = Record<
  "hidden_size" | "intermediate_size" | "num_hidden_layers" | "patch_size" | "image_size",
  number
>;

/** Parameters of the attention and of the feed-forward of a layer with biases, as ViT and CLIP have them. */
const expectedLayer = ({ hidden_size: C, intermediate_size: F }: Numbers) => ({
  attention: 4 * (C * C + C),
  feedForward: 2 * C * F + F + C,
});

type Told = {
  kind: string;
  parameters: number;
  kvBytesPerToken: number;
  layers: object[];
  embeddingParameters: number;
};
const all = async (folder: string) => JSON.parse(await inspected(folder, "--json")) as Told;

test("an image model has layers, patch embeddings, and no cache", async () => {
  const config = ownData.json("hf/vit/config.json") as Numbers;
  const { hidden_size: C, patch_size: P, image_size: S, num_hidden_layers: L } = config;
  const { kind, kvBytesPerToken, layers, embeddingParameters } = await all("vit");
  expect([kind, kvBytesPerToken]).toEqual(["vision", 0]);
  expect(layers).toEqual(Array.from({ length: L }, () => ({ type: "image", ...expectedLayer(config) })));
  // Patches with a bias, the class token, and a position for it and for each patch.
  expect(embeddingParameters).toBe(C * 3 * P * P + C + C + ((S / P) ** 2 + 1) * C);
  expect(await inspected("vit")).toMatch(
    /2 layers of width 48, 6 heads, feed-forward 80\nimages of 16 × 16 pixels, in patches of 4 × 4\nan encoder: no cache/,
  );
});

test.each(["clip", "siglip"])("%s has a text encoder and an image encoder", async (folder) => {
  const config = ownData.json(`hf/${folder}/config.json`) as Record<"text_config" | "vision_config", Numbers>;
  const { kind, layers } = await all(folder);
  expect(kind).toBe("dual-encoder");
  const side = (type: string, of: Numbers) =>
    Array.from({ length: of.num_hidden_layers }, () => ({ type, ...expectedLayer(of) }));
  expect(layers).toEqual([...side("text", config.text_config), ...side("image", config.vision_config)]);
  expect(await inspected(folder)).toMatch(
    /two encoders, whose vectors have \d+ elements\ntexts: 2 layers .*\nimages: 2 layers/,
  );
});

test.each([
  ["whisper", 48, "; sound in 16 mel bands"],
  ["moonshine", 40, "; samples of sound"],
])("%s has the layers of an audio encoder and of a decoder", async (folder, width, sound) => {
  const { kind, kvBytesPerToken, layers } = await all(folder);
  expect(kind).toBe("speech");
  expect(kvBytesPerToken).toBe(4 * 2 * 2 * width); // keys and values in 2 layers
  expect(layers.map((layer) => (layer as { type: string }).type)).toEqual([
    ...["encoder", "encoder"],
    ...["decoder", "decoder"],
  ]);
  const text = await inspected(folder);
  expect(text).toContain(`2 layers of an encoder and 2 of a decoder of width ${width}`);
  expect(text).toContain(sound);
});
