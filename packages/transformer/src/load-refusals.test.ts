/// <reference types="node" />
// Errors name the function that was called, whatever reads the file below it.
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
let whole: Record<string, Uint8Array>;
let json: Record<string, unknown>;
let made = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-refusals-"));
  const out = join(root, "model");
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out });
  whole = Object.fromEntries(
    ["config.json", "model.safetensors"].map((name) => [name, new Uint8Array(readFileSync(join(out, name)))]),
  );
  json = JSON.parse(new TextDecoder().decode(whole["config.json"])) as Record<string, unknown>;
});
afterAll(() => rmSync(root, { recursive: true }));

/** A folder of these files; those of a whole model where nothing else is given. */
function folder(files: Files): string {
  const path = join(root, String(made++));
  mkdirSync(path);
  for (const [name, content] of Object.entries({ ...whole, ...files })) {
    if (content !== undefined) writeFileSync(join(path, name), content);
  }
  return path;
}

const changed = (fields: Record<string, unknown>) => JSON.stringify({ ...json, ...fields });
const gguf = (dims: readonly number[], type = 0, more = {}) =>
  writeGgufHeader({ "general.architecture": { type: "string", value: "llama" }, ...more }, [
    { name: "output_norm.weight", dims, type, bytes: 32 },
  ]);
const index = "model.safetensors.index.json";

const broken: Record<string, () => readonly [Source, Partial<LoadOptions>?]> = {
  "no file": () => [join(root, "none")],
  "no source": () => [null as never],
  "a list of other things": () => [[1] as never],
  "an unknown option": () => ["x", { dtpye: "float16" } as never],
  "options of another kind": () => ["x", null as never],
  "a device in its promise": () => [folder({}), { device: Promise.resolve() as never }],
  "a folder without a configuration": () => [folder({ "config.json": undefined })],
  "a configuration that is a page": () => [folder({ "config.json": "<html>" })],
  "a configuration that is a list": () => [folder({ "config.json": "[]" })],
  "an unknown architecture": () => [folder({ "config.json": changed({ model_type: "xlstm" }) })],
  "a wrong field": () => [folder({ "config.json": changed({ hidden_size: -1 }) })],
  "a wrong field of an object": () => [
    folder({ "config.json": changed({ rope_scaling: { rope_type: "other" } }) }),
  ],
  "an unknown field": () => [folder({ "config.json": changed({ new_norm: 3 }) })],
  "a missing tensor": () => [
    folder({ "config.json": changed({ num_hidden_layers: 2 }), "generation_config.json": undefined }),
  ],
  "a tensor of another shape": () => [folder({ "config.json": changed({ intermediate_size: 13 }) })],
  "a header cut short": () => [folder({ "model.safetensors": new Uint8Array(3) })],
  "a header that claims too much": () => [folder({ "model.safetensors": new Uint8Array(9).fill(9) })],
  "a header that is no object": () => [
    folder({ "model.safetensors": Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 91, 93) }),
  ],
  "numbers of another type": () => {
    const bytes = whole["model.safetensors"]!;
    const { tensors } = readSafetensorsHeader(bytes, { source: "model" });
    const entries = [...tensors].map(([name, { shape }]) => ({ name, shape, dtype: "I32" as const }));
    const numbers = entries.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const file = [...writeSafetensorsHeader(entries), ...new Uint8Array(4 * numbers)];
    return [folder({ "model.safetensors": Uint8Array.from(file) })];
  },
  "no weights": () => [folder({ "model.safetensors": undefined })],
  "an index that is a page": () => [folder({ "model.safetensors": undefined, [index]: "<html>" })],
  "an index of nothing": () => [folder({ "model.safetensors": undefined, [index]: "{}" })],
  "an index of a file that is not there": () => [
    folder({ "model.safetensors": undefined, [index]: '{"weight_map":{"x":"y.safetensors"}}' }),
  ],
  "a GGUF file cut short": () => [gguf([8]).subarray(0, 30)],
  "a GGUF file of another version": () => [Uint8Array.from([71, 71, 85, 70, 9, 0, 0, 0])],
  "a GGUF file without its numbers": () => [gguf([8])],
  "a GGUF file of an unknown type": () => [gguf([8], 99)],
  "a GGUF file of an unknown architecture": () => [
    Uint8Array.from([
      ...gguf([8], 0, { "general.architecture": { type: "string", value: "mamba" } }),
      ...new Uint8Array(32),
    ]),
  ],
  "a GGUF file of an unknown field": () => [
    Uint8Array.from([
      ...gguf([8], 0, { "llama.new_norm": { type: "uint32", value: 3 } }),
      ...new Uint8Array(32),
    ]),
  ],
  "a llama2.c file of nothing": () => [new Uint8Array(28)],
  "a llama2.c file cut short": () => [new Uint8Array(new Int32Array([2, 3, 1, 1, 1, 5, 4, 0]).buffer)],
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
  "a tokenizer that is not there": () => [folder({}), { tokenizer: join(root, "none") }],
};

test.each(Object.keys(broken))("%s is refused in the name of the function that was called", async (kind) => {
  const [source, options] = broken[kind]!();
  for (const [name, call] of Object.entries({ load, loadEncoder, loadSpeech, loadAny })) {
    const error: unknown = await call(source, options).then(
      () => "nothing was refused",
      (error: unknown) => error,
    );
    // The model itself is a decoder: `loadEncoder` says so only after all else was read.
    expect(isQkvError(error), `${name}: ${String((error as Error).stack ?? error)}`).toBe(true);
    expect((error as { fn: string }).fn, String(error)).toBe(name);
  }
});

test("a model of the other kind is refused in the name of the function that was called", async () => {
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
])("%s, the name of a package, is refused with the call that gives its files", async (name, call, from) => {
  const error: unknown = await load(name).catch((error: unknown) => error);
  expect(error).toMatchObject({ fn: "load", argument: "source", received: name });
  const { fix } = error as { fix: string };
  expect(fix).toContain(`\`await load(await ${call}())\``);
  expect(fix).toMatch(from);
});

test("a function and a promise of a source are refused with the call that was meant", async () => {
  for (const source of [() => Promise.resolve([]), Promise.resolve([])]) {
    await expect(load(source as never)).rejects.toThrow(
      /^load: `source` is .*\nFix: call a function and await a promise first: `await load\(await modelTiny\(\)\)`/,
    );
  }
});

test("a rounding that does not exist is refused before anything is read", async () => {
  for (const [fn, call] of Object.entries({ load, loadEncoder, loadSpeech, loadAny })) {
    await expect(call("none", { quantize: "int3" as never })).rejects.toThrow(
      `${fn}: \`quantize\` is "int3", expected "int8" or "int4"`,
    );
  }
});

test("readLlama2c names itself", () => {
  const read = (bytes: Uint8Array) => () => readLlama2c(bytes, { source: "tiny.bin" });
  expect(read(new Uint8Array(3))).toThrow(/^readLlama2c: `tiny.bin: dim` is "3 bytes/);
  expect(read(new Uint8Array(28))).toThrow(/^readLlama2c: `tiny.bin: dim` is 0/);
  const header = new Uint8Array(new Int32Array([2, 3, 1, 1, 1, 5, 4, 0]).buffer);
  expect(read(header)).toThrow(/^readLlama2c: `tiny.bin: tok_emb` is "4 bytes, at byte 28 of 32"/);
});
