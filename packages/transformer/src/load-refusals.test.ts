/// <reference types="node" />
// Errors name the public function that was called, also when an inner function finds the error.
import { isQkvError, readSafetensorsHeader, writeGgufHeader, writeSafetensorsHeader } from "@qkv/core";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportModel } from "./exporting/export-model.js";
import { readLlama2c } from "./checkpoints/llama2c.js";
import { load, loadEncoder, type LoadOptions } from "./load.js";
import { loadAny } from "./load-any.js";
import { loadSpeech } from "./load-speech.js";
import { decoder } from "./models/decoder.js";
import { encoder } from "./models/encoder.js";

type Files = Record<string, string | Uint8Array | undefined>;
type Source = Parameters<typeof load>[0];

const sizes = { vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 32 };
const config = { ...sizes, numKvHeads: 1, normEps: 1e-5, stopIds: [] };
let root: string;
let modelFiles: Record<string, Uint8Array>;
let json: Record<string, unknown>;
let folderCount = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-refusals-"));
  const out = join(root, "model");
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out });
  modelFiles = Object.fromEntries(
    ["config.json", "model.safetensors"].map((name) => [name, new Uint8Array(readFileSync(join(out, name)))]),
  );
  json = JSON.parse(new TextDecoder().decode(modelFiles["config.json"])) as Record<string, unknown>;
});
afterAll(() => rmSync(root, { recursive: true }));

/** Writes a folder with the files of a model, replaced by `files`; undefined removes a file. */
function folder(files: Files): string {
  const path = join(root, String(folderCount++));
  mkdirSync(path);
  for (const [name, content] of Object.entries({ ...modelFiles, ...files })) {
    if (content !== undefined) writeFileSync(join(path, name), content);
  }
  return path;
}

const configWith = (fields: Record<string, unknown>) => JSON.stringify({ ...json, ...fields });
const gguf = (dims: readonly number[], type = 0, more = {}) =>
  writeGgufHeader({ "general.architecture": { type: "string", value: "llama" }, ...more }, [
    { name: "output_norm.weight", dims, type, bytes: 32 },
  ]);
const index = "model.safetensors.index.json";

const broken: Record<string, () => readonly [Source, Partial<LoadOptions>?]> = {
  "no file": () => [join(root, "none")],
  "no source": () => [null as never],
  "a list of values other than files": () => [[1] as never],
  "an unknown option": () => ["x", { dtpye: "float16" } as never],
  "options that are null": () => ["x", null as never],
  "a promise of a device": () => [folder({}), { device: Promise.resolve() as never }],
  "a folder without a configuration": () => [folder({ "config.json": undefined })],
  "a configuration that is HTML": () => [folder({ "config.json": "<html>" })],
  "a configuration that is a list": () => [folder({ "config.json": "[]" })],
  "an unknown architecture": () => [folder({ "config.json": configWith({ model_type: "xlstm" }) })],
  "an invalid field": () => [folder({ "config.json": configWith({ hidden_size: -1 }) })],
  "an invalid field of a nested object": () => [
    folder({ "config.json": configWith({ rope_scaling: { rope_type: "other" } }) }),
  ],
  "an unknown field": () => [folder({ "config.json": configWith({ new_norm: 3 }) })],
  "a missing tensor": () => [
    folder({ "config.json": configWith({ num_hidden_layers: 2 }), "generation_config.json": undefined }),
  ],
  "a tensor of another shape": () => [folder({ "config.json": configWith({ intermediate_size: 13 }) })],
  "a header cut short": () => [folder({ "model.safetensors": new Uint8Array(3) })],
  "a header longer than its file": () => [folder({ "model.safetensors": new Uint8Array(9).fill(9) })],
  "a header that is not an object": () => [
    folder({ "model.safetensors": Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 91, 93) }),
  ],
  "weights of type int32": () => {
    const bytes = modelFiles["model.safetensors"]!;
    const { tensors } = readSafetensorsHeader(bytes, { source: "model" });
    const entries = [...tensors].map(([name, { shape }]) => ({ name, shape, dtype: "I32" as const }));
    const numElements = entries.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const file = [...writeSafetensorsHeader(entries), ...new Uint8Array(4 * numElements)];
    return [folder({ "model.safetensors": Uint8Array.from(file) })];
  },
  "no weights": () => [folder({ "model.safetensors": undefined })],
  "an index that is HTML": () => [folder({ "model.safetensors": undefined, [index]: "<html>" })],
  "an empty index": () => [folder({ "model.safetensors": undefined, [index]: "{}" })],
  "an index of a missing file": () => [
    folder({ "model.safetensors": undefined, [index]: '{"weight_map":{"x":"y.safetensors"}}' }),
  ],
  "a GGUF file cut short": () => [gguf([8]).subarray(0, 30)],
  "a GGUF file of another version": () => [Uint8Array.from([71, 71, 85, 70, 9, 0, 0, 0])],
  "a GGUF file without its tensor data": () => [gguf([8])],
  "a GGUF file with a tensor of an unknown type": () => [gguf([8], 99)],
  "a GGUF file of an unknown architecture": () => [
    Uint8Array.from([
      ...gguf([8], 0, { "general.architecture": { type: "string", value: "mamba" } }),
      ...new Uint8Array(32),
    ]),
  ],
  "a GGUF file with an unknown field": () => [
    Uint8Array.from([
      ...gguf([8], 0, { "llama.new_norm": { type: "uint32", value: 3 } }),
      ...new Uint8Array(32),
    ]),
  ],
  "a llama2.c file of zeros": () => [new Uint8Array(28)],
  "a llama2.c file cut short": () => [new Uint8Array(new Int32Array([2, 3, 1, 1, 1, 5, 4, 0]).buffer)],
  "a text": () => [new TextEncoder().encode("Once upon a time")],
  "a hub that cannot be reached": () => [
    "owner/name",
    { hub: { client: { downloadFile: () => Promise.reject(new Error("no network")) } } },
  ],
  "a hub without the file": () => [
    "owner/name",
    { hub: { client: { downloadFile: () => Promise.resolve(null) } } },
  ],
  "a token over http": () => [
    "owner/name",
    {
      hub: {
        accessToken: "t",
        url: "http://127.0.0.1:9",
        client: { downloadFile: () => Promise.resolve(null) },
      },
    },
  ],
  "a server that cannot be reached": () => ["http://127.0.0.1:9/model.gguf"],
  "a missing tokenizer file": () => [folder({}), { tokenizer: join(root, "none") }],
};

test.each(Object.keys(broken))("refusing %s, the error names the function that was called", async (kind) => {
  const [source, options] = broken[kind]!();
  for (const [name, call] of Object.entries({ load, loadEncoder, loadSpeech, loadAny })) {
    const error: unknown = await call(source, options).then(
      () => "nothing was refused",
      (error: unknown) => error,
    );
    // The model is a decoder, which `loadEncoder` refuses only after all files were read.
    expect(isQkvError(error), `${name}: ${String((error as Error).stack ?? error)}`).toBe(true);
    expect((error as { fn: string }).fn, String(error)).toBe(name);
  }
});

test("a file that begins like no model is refused with its first bytes, not read as a llama2.c checkpoint", async () => {
  const path = join(root, "story.txt");
  writeFileSync(path, "Once upon a time");
  await expect(load(path)).rejects.toThrow(
    /^load: `.*story\.txt: first bytes` is "Once", expected the start of a GGUF file or of a llama2\.c checkpoint\.\nFix: give a model: a folder with config\.json/,
  );
});

test("a loader for another kind of model is refused, and the error names the right loader", async () => {
  await expect(loadEncoder(folder({}))).rejects.toThrow(
    /^loadEncoder: `source` is "a decoder".*\nFix: .*`load`/,
  );
  const bert = { ...sizes, normEps: 1e-12, numTypes: 2 };
  const out = join(root, "bert");
  await exportModel({ config: bert, params: encoder(bert).init(1) }, { to: "hf", out });
  await expect(load(out)).rejects.toThrow(/^load: `source` is "an encoder".*\nFix: .*`loadEncoder`/);
});

test.each([
  ["model-tiny", "modelTiny", /of @qkv\/model-tiny, or qkv\.$/],
  ["@qkv/model-tiny", "modelTiny", /of @qkv\/model-tiny, or qkv\.$/],
  ["qkv/model-tiny", "modelTiny", /of @qkv\/model-tiny, or qkv\.$/],
  ["modelTiny", "modelTiny", /of @qkv\/model-tiny, or qkv\.$/],
  ["@qkv/model-tiny/bytes", "modelTinyBytes", /of @qkv\/model-tiny\/bytes, or qkv\/model-tiny\/bytes\.$/],
])(
  "load refuses %s, the name of a package, with the call that returns its files as the fix",
  async (name, call, from) => {
    const error: unknown = await load(name).catch((error: unknown) => error);
    expect(error).toMatchObject({ fn: "load", argument: "source", received: name });
    const { fix } = error as { fix: string };
    expect(fix).toContain(`\`await load(await ${call}())\``);
    expect(fix).toMatch(from);
  },
);

test("a function and a promise are refused as sources, with the fix", async () => {
  for (const source of [() => Promise.resolve([]), Promise.resolve([])]) {
    await expect(load(source as never)).rejects.toThrow(
      /^load: `source` is .*\nFix: call a function and await a promise first: `await load\(await modelTiny\(\)\)`/,
    );
  }
});

test("an unknown quantization is refused before the source is opened", async () => {
  for (const [fn, call] of Object.entries({ load, loadEncoder, loadSpeech, loadAny })) {
    await expect(call("none", { quantize: "int3" as never })).rejects.toThrow(
      `${fn}: \`quantize\` is "int3", expected "int8" or "int4"`,
    );
  }
});

test("errors of readLlama2c name readLlama2c", () => {
  const reading = (bytes: Uint8Array) => () => readLlama2c(bytes, { source: "tiny.bin" });
  expect(reading(new Uint8Array(3))).toThrow(/^readLlama2c: `tiny.bin: dim` is "3 bytes/);
  expect(reading(new Uint8Array(28))).toThrow(/^readLlama2c: `tiny.bin: dim` is 0/);
  const header = new Uint8Array(new Int32Array([2, 3, 1, 1, 1, 5, 4, 0]).buffer);
  expect(reading(header)).toThrow(/^readLlama2c: `tiny.bin: tok_emb` is "4 bytes, at byte 28 of 32"/);
});
