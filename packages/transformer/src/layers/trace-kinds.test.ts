import { randn, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { loadEncoder, loadEncoderDecoder } from "../load.js";
import { loadSpeech } from "../load-speech.js";
import { loadDualEncoder, loadVision } from "../load-vision.js";
import type { ModelTrace } from "./trace.js";

/** The files of a checkpoint in the reference data. */
const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );

const pixels = randn([2, 3, 16, 16], { seed: 1 });
const ids = tensor([[5, 6, 7, 111]], { dtype: "int32" });
const layers = (path: string, shape: readonly number[]) =>
  [0, 1].map((i): [string, readonly number[]] => [`${path}layers.${i}.attention.weights`, shape]);
const crossed = (shape: readonly number[]) =>
  [0, 1].map((i): [string, readonly number[]] => [`decoder.layers.${i}.crossAttention.weights`, shape]);

type Run = (trace: ModelTrace) => Promise<unknown>;

const sound = { whisper: randn([1, 16, 40], { seed: 2 }), moonshine: randn([1, 9000], { seed: 2 }) };
const speechRun =
  (folder: keyof typeof sound): Run =>
  async (trace) => {
    const { params, encode, apply } = await loadSpeech(files(folder));
    return apply(params, [4, 9, 20], { source: encode(params, sound[folder], { trace }), trace });
  };
const translationRun =
  (folder: string): Run =>
  async (trace) => {
    const { params, encode, apply } = await loadEncoderDecoder(files(folder));
    return apply(params, [4, 9, 20], { source: encode(params, [3, 14, 15, 9], { trace }), trace });
  };
const crossShape = (S: number, H: number) => [
  ...layers("encoder.", [1, H, S, S]),
  ...layers("decoder.", [1, H, 3, 3]),
  ...crossed([1, H, 3, S]),
];

test.each<[string, Run, [string, readonly number[]][]]>([
  [
    "vit",
    async (trace) =>
      (({ apply, params }) => apply(params, pixels, { trace }))(await loadVision(files("vit"))),
    layers("", [2, 6, 17, 17]),
  ],
  [
    "clip",
    async (trace) => {
      const { params, embedTexts, embedImages } = await loadDualEncoder(files("clip"));
      return [embedTexts(params, ids, { trace }), embedImages(params, pixels, { trace })];
    },
    [...layers("text.", [1, 6, 4, 4]), ...layers("image.", [2, 4, 17, 17])],
  ],
  [
    "siglip",
    async (trace) => {
      const { params, embedTexts, embedImages } = await loadDualEncoder(files("siglip"));
      return [embedTexts(params, ids, { trace }), embedImages(params, pixels, { trace })];
    },
    [
      ...layers("text.", [1, 6, 4, 4]),
      ...layers("image.", [2, 4, 16, 16]),
      ["image.pooling.attention.weights", [2, 4, 1, 16]],
    ],
  ],
  [
    "bert-mlm",
    async (trace) =>
      (({ apply, params }) => apply(params, [1, 2, 3], { trace }))(await loadEncoder(files("bert-mlm"))),
    layers("", [1, 6, 3, 3]),
  ],
  ["whisper", speechRun("whisper"), crossShape(20, 6)],
  ["moonshine", speechRun("moonshine"), crossShape(22, 4)],
  ["t5", translationRun("t5"), crossShape(4, 6)],
  ["marian", translationRun("marian"), crossShape(4, 6)],
])(
  "%s traces the attention weights of every layer by name, and each row sums to 1",
  async (_, run, expected) => {
    const tensors: Record<string, Tensor> = {};
    await run({ names: ["weights"], tensors });
    const found = Object.entries(tensors).map(([name, { shape }]): [string, readonly number[]] => [
      name,
      [...shape],
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    for (const { data, shape } of Object.values(tensors)) {
      const keys = shape.at(-1)!;
      for (let row = 0; row < data.length; row += keys) {
        const sum = (data.subarray(row, row + keys) as Float32Array).reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
      }
    }
    // The full name of one tensor is traced too.
    const firstName = expected[0]![0];
    const single: Record<string, Tensor> = {};
    await run({ names: [firstName.replace(/^(text|image)\./, "") as never], tensors: single });
    expect(Object.keys(single)).toContain(firstName);
  },
);
