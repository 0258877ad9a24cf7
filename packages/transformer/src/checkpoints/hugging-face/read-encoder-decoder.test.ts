import { expect, test } from "vitest";
import { ownData } from "../../../../../conformance/reference-data.mjs";
import { loadEncoder, loadEncoderDecoder, load } from "../../load.js";
import { loadAny } from "../../load-any.js";

const read = (folder: string, name: string) => ownData.bytes(`hf/${folder}/${name}`) as BlobPart;

/** The files of a folder, with replaced fields of its configuration, and optionally a `generation_config.json`. */
function files(folder: string, fields: object = {}, generation?: object): File[] {
  const config = { ...(ownData.json(`hf/${folder}/config.json`) as object), ...fields };
  return [
    new File([JSON.stringify(config)], "config.json"),
    new File([read(folder, "model.safetensors")], "model.safetensors"),
    ...(generation ? [new File([JSON.stringify(generation)], "generation_config.json")] : []),
  ];
}

test("start, stop and forced ids are read from generation_config.json, else from config.json", async () => {
  const { config } = await loadEncoderDecoder(files("bart", { forced_eos_token_id: 2 }));
  expect(config).toMatchObject({ startIds: [2], stopIds: [2], padId: 1, forcedEosId: 2 });
  expect(config.forcedBosId).toBeUndefined();
  const older = await loadEncoderDecoder(files("bart", { force_bos_token_to_be_generated: true }));
  expect(older.config.forcedBosId).toBe(0);
  const generation = { decoder_start_token_id: 5, forced_bos_token_id: 6, eos_token_id: [2, 7] };
  const newer = await loadEncoderDecoder(files("bart", {}, generation));
  expect(newer.config).toMatchObject({ startIds: [5], forcedBosId: 6, stopIds: [2, 7] });
});

test("ids of generation_config.json that are lists are not implemented, and other values are damaged", async () => {
  const withStart = (id: unknown) => loadEncoderDecoder(files("bart", {}, { decoder_start_token_id: id }));
  await expect(withStart([5, 6])).rejects.toThrow(
    /generation_config\.json: decoder_start_token_id` is \[5, 6\], expected a token id\.\nFix: qkv does not implement/,
  );
  for (const damaged of ["5", 5.5])
    await expect(withStart(damaged)).rejects.toThrow(
      /decoder_start_token_id` is .*\nFix: correct the field, or/,
    );
});

test("logits of T5 are scaled if weights are tied, unless scale_decoder_outputs is false", async () => {
  const scale = async (fields: object) => (await loadEncoderDecoder(files("t5", fields))).config.logitScale;
  const tied = 1 / Math.sqrt(48);
  expect(await scale({})).toBe(tied);
  expect(await scale({ scale_decoder_outputs: undefined })).toBe(tied);
  expect(await scale({ scale_decoder_outputs: undefined, tie_word_embeddings: false })).toBeUndefined();
  expect(await scale({ scale_decoder_outputs: false })).toBeUndefined();
});

test("`quantize` quantizes the matrices of an encoder–decoder, but not its head", async () => {
  const { quantization } = await loadEncoderDecoder(files("bart"), { quantize: "int8" });
  expect(Object.keys(quantization!.errors)).toContain("decoder.layers.1.crossAttention.key.weight");
  const { params, quantization: report } = await loadEncoderDecoder(files("bart-nli"), { quantize: "int4" });
  expect(params.head!.output!.weight.shape).toEqual([3, 32]);
  expect(report!.bytesAfter).toBeLessThan(report!.bytesBefore);
});

test.each<[string, string, object, RegExp]>([
  ["an unknown field", "bart", { new_trait: 1 }, /config.json: new_trait` is 1, expected no such field/],
  ["pre-norm layers", "bart", { normalize_before: true }, /normalize_before` is true/],
  [
    "learned positions of Marian",
    "marian",
    { static_position_embeddings: false },
    /static_position_embeddings/,
  ],
  ["an unknown activation", "t5", { feed_forward_proj: "gated-none" }, /dense_act_fn/],
  ["is_encoder_decoder false", "t5", { is_encoder_decoder: false }, /is_encoder_decoder` is false/],
  [
    "a classification head of mBART",
    "bart-nli",
    { model_type: "mbart", architectures: ["MBartForSequenceClassification"] },
    /architectures`/,
  ],
  ["an unknown head", "t5", { architectures: ["T5ForTokenClassification"] }, /architectures/],
  ["more layers than the file has", "m2m-100", { decoder_layers: 3 }, /decoder.layers.2/],
  ["fewer layers than the file has", "m2m-100", { encoder_layers: 1 }, /encoder.layers.1/],
])("%s is refused, and the error names the field or tensor", async (_, folder, fields, message) => {
  await expect(loadEncoderDecoder(files(folder, fields))).rejects.toThrow(message);
});

test("a loader for another kind of model is refused, and the error names the right loader", async () => {
  await expect(load(files("t5"))).rejects.toThrow(/"an encoder–decoder".*`loadEncoderDecoder`/s);
  await expect(loadEncoder(files("t5"))).rejects.toThrow(/"an encoder–decoder".*`loadEncoderDecoder`/s);
  await expect(loadEncoderDecoder(files("bert-mlm"))).rejects.toThrow(/"an encoder".*`loadEncoder`/s);
  await expect(loadEncoderDecoder(files("gpt2"))).rejects.toThrow(/"a decoder".*`load`/s);
  expect("encode" in (await loadAny(files("t5")))).toBe(true);
});
