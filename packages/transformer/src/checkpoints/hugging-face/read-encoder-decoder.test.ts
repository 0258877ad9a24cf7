import { expect, test } from "vitest";
import { ownData } from "../../../../../conformance/reference-data.mjs";
import { loadEncoder, loadEncoderDecoder, load } from "../../load.js";
import { loadAny } from "../../load-any.js";

const read = (folder: string, name: string) => ownData.bytes(`hf/${folder}/${name}`) as BlobPart;

/** The files of a folder, with other fields in its configuration, and a file of generation settings. */
function files(folder: string, fields: object = {}, generation?: object): File[] {
  const config = { ...(ownData.json(`hf/${folder}/config.json`) as object), ...fields };
  return [
    new File([JSON.stringify(config)], "config.json"),
    new File([read(folder, "model.safetensors")], "model.safetensors"),
    ...(generation ? [new File([JSON.stringify(generation)], "generation_config.json")] : []),
  ];
}

test("ids of the beginning and the end come from both files, the newer one first", async () => {
  const { config } = await loadEncoderDecoder(files("bart", { forced_eos_token_id: 2 }));
  expect(config).toMatchObject({ startIds: [2], stopIds: [2], padId: 1, forcedEosId: 2 });
  expect(config.forcedBosId).toBeUndefined();
  const older = await loadEncoderDecoder(files("bart", { force_bos_token_to_be_generated: true }));
  expect(older.config.forcedBosId).toBe(0);
  const generation = { decoder_start_token_id: 5, forced_bos_token_id: 6, eos_token_id: [2, 7] };
  const newer = await loadEncoderDecoder(files("bart", {}, generation));
  expect(newer.config).toMatchObject({ startIds: [5], forcedBosId: 6, stopIds: [2, 7] });
});

test("logits of T5 are scaled where weights are tied, unless the file says otherwise", async () => {
  const scale = async (fields: object) => (await loadEncoderDecoder(files("t5", fields))).config.logitScale;
  const tied = 1 / Math.sqrt(48);
  expect(await scale({})).toBe(tied);
  expect(await scale({ scale_decoder_outputs: undefined })).toBe(tied);
  expect(await scale({ scale_decoder_outputs: undefined, tie_word_embeddings: false })).toBeUndefined();
  expect(await scale({ scale_decoder_outputs: false })).toBeUndefined();
});

test("weights of 8 bits are read so, heads in floats", async () => {
  const { quantization } = await loadEncoderDecoder(files("bart"), { quantize: "int8" });
  expect(Object.keys(quantization!.errors)).toContain("decoder.layers.1.crossAttention.key.weight");
  const { params, quantization: report } = await loadEncoderDecoder(files("bart-nli"), { quantize: "int4" });
  expect(params.head!.output!.weight.shape).toEqual([3, 32]);
  expect(report!.bytesAfter).toBeLessThan(report!.bytesBefore);
});

test.each<[string, string, object, RegExp]>([
  [
    "a field that nobody reads",
    "bart",
    { new_trait: 1 },
    /config.json: new_trait` is 1, expected no such field/,
  ],
  ["norms on the other side", "bart", { normalize_before: true }, /normalize_before` is true/],
  [
    "positions of another kind",
    "marian",
    { static_position_embeddings: false },
    /static_position_embeddings/,
  ],
  ["an activation that is none", "t5", { feed_forward_proj: "gated-none" }, /dense_act_fn/],
  ["no encoder–decoder", "t5", { is_encoder_decoder: false }, /is_encoder_decoder` is false/],
  [
    "a head after a language",
    "bart-nli",
    { model_type: "mbart", architectures: ["MBartForSequenceClassification"] },
    /architectures`/,
  ],
  ["a head that is not known", "t5", { architectures: ["T5ForTokenClassification"] }, /architectures/],
  ["more layers than there are", "m2m-100", { decoder_layers: 3 }, /decoder.layers.2/],
  ["fewer layers than there are", "m2m-100", { encoder_layers: 1 }, /encoder.layers.1/],
])("%s is refused by name", async (_, folder, fields, message) => {
  await expect(loadEncoderDecoder(files(folder, fields))).rejects.toThrow(message);
});

test("each loader names the one that reads the model", async () => {
  await expect(load(files("t5"))).rejects.toThrow(/"an encoder–decoder".*`loadEncoderDecoder`/s);
  await expect(loadEncoder(files("t5"))).rejects.toThrow(/"an encoder–decoder".*`loadEncoderDecoder`/s);
  await expect(loadEncoderDecoder(files("bert-mlm"))).rejects.toThrow(/"an encoder".*`loadEncoder`/s);
  await expect(loadEncoderDecoder(files("gpt2"))).rejects.toThrow(/"a decoder".*`load`/s);
  expect("encode" in (await loadAny(files("t5")))).toBe(true);
});
