import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.js";

let folder: string;
const config = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14336,
  vocab_size: 128256,
  max_position_embeddings: 8192,
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qkv-cost-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const header = Int32Array.of(64, 172, 5, 8, 4, 512, 512);
  await writeFile(join(folder, "stories.bin"), new Uint8Array(header.buffer));
});
afterAll(() => rm(folder, { recursive: true }));

async function recorded(...argv: string[]) {
  let [out, err] = ["", ""];
  const io = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
  };
  const code = await run(["cost", ...argv], { ...io, color: false });
  return { code, out, err };
}
const json = async (...argv: string[]) =>
  JSON.parse((await recorded(...argv, "--json")).out) as Record<string, Record<string, number>>;

test("--json prints one object with all figures, from a config.json or its folder", async () => {
  const result = await json(
    join(folder, "config.json"),
    "--context",
    "8192",
    "--batch",
    "4",
    "--machine",
    "h100",
  );
  expect(result).toMatchObject({
    architecture: "llama",
    parameters: 8030261248,
    contextLength: 8192,
    batchSize: 4,
    kvCache: { bytesPerToken: 131072, bytesPerRequest: 2 ** 30 },
    memory: { weightBytes: 16060522496, cacheBytes: 2 ** 32 },
    machine: { name: "H100 SXM" },
    prefill: { boundBy: "compute" },
    decode: { boundBy: "memory" },
  });
  expect(result["decode"]?.["timeMs"]).toBeGreaterThan((1000 * (16e9 + 2 ** 32)) / 3350e9);
  expect(await json(folder, "--context", "8192", "--batch", "4", "--machine", "h100")).toEqual(result);
});

test("without --json, a table is printed", async () => {
  const { code, out, err } = await recorded(
    folder,
    "--machine",
    "a100",
    "--weights",
    "int4",
    "--users",
    "100",
  );
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^parameters {2}8,030,261,248$/m);
  expect(out).toMatch(/^weights {5}4\.517 GB as int4/m);
  expect(out).toMatch(/^cache {7}131\.1 kB a token, 536\.9 MB for 4096 tokens$/m);
  expect(out).toMatch(/^token .*bound by memory/m);
  expect(out).toMatch(/^plan {8}\d+ machines: /m);
  expect(out).toMatch(/^assumed .*60 % of its speed/m);
  const [, seconds] =
    /^prompt .*at least (\S+) s, bound by compute$/m.exec((await recorded(folder)).out) ?? [];
  expect(Number(seconds)).toBeCloseTo((await json(folder))["prefill"]!["timeMs"]! / 1000, -1);
});

test("only the header of a llama2.c checkpoint is read", async () => {
  expect(await json(join(folder, "stories.bin"))).toMatchObject({ parameters: 260032, contextLength: 512 });
});

test("an encoder has no decoding steps, an encoder-decoder has a source", async () => {
  const at = join(folder, "bert.json");
  const sizes = {
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 128,
    vocab_size: 100,
    max_position_embeddings: 32,
  };
  await writeFile(at, JSON.stringify({ model_type: "bert", ...sizes }));
  const result = await json(at);
  expect(result["decode"]).toBe(undefined);
  expect(result).toMatchObject({ kvCache: { bytesPerToken: 0 }, longestContext: null });
  await writeFile(
    at,
    JSON.stringify({
      model_type: "t5",
      d_model: 64,
      num_layers: 2,
      num_heads: 4,
      d_kv: 16,
      d_ff: 128,
      vocab_size: 100,
    }),
  );
  expect((await json(at, "--context", "10"))["kvCache"]?.["bytesPerRequest"]).toBe(2 * 10 * 2 * 2 * 64 * 2);
});

test("--measure uses the measured machine", async () => {
  const { out, err } = await recorded(join(folder, "stories.bin"), "--measure", "--json");
  expect(err).toBe("measuring this machine …\n");
  const { machine } = JSON.parse(out) as { machine: Record<string, number | string> };
  expect(machine).toMatchObject({ name: "this machine (wasm)", source: "measured just now" });
  for (const key of ["bytesPerSecond", "flopsPerSecond"]) expect(machine[key]).toBeGreaterThan(1e6);
});

test("--json FILE writes the file, and the table to standard output", async () => {
  const path = join(folder, "out.json");
  const { out } = await recorded(folder, "--json", path);
  expect(out).toMatch(/^parameters/);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ parameters: 8030261248 });
});

test.each([
  [
    ["gone.json"],
    'qkv cost: `model` is "gone.json", expected a config.json, a folder with one, or a llama2.c checkpoint that can be read, and this one does not exist',
  ],
  [["FOLDER", "--machine", "z80"], 'qkv: `--machine` is "z80", expected one of browserTab, t4, l4'],
  [["FOLDER", "--weights", "int3"], 'qkv: `--weights` is "int3", expected one of float32'],
  [["FOLDER", "--context", "0"], "qkv: `--context` is 0, expected an integer number of tokens, 1 or more"],
  [
    ["FOLDER", "--users", "10", "--machine", "t4", "--context", "100000"],
    'qkv cost: `--machine` is "T4", expected machines that hold',
  ],
])("refused: %j", async (argv, message) => {
  const { code, out, err } = await recorded(...argv.map((word) => (word === "FOLDER" ? folder : word)));
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(message);
  expect(existsSync(join(folder, "out.tmp"))).toBe(false);
});

test("an image has as many rows as patches; an audio source has its padded length", async () => {
  const path = async (name: string, config: object) => {
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify(config));
    return file;
  };
  const vit = await path("vit", { model_type: "vit" });
  expect(await json(vit)).toMatchObject({
    ...{ contextLength: 197, parameters: 86389248, longestContext: null },
    kvCache: { bytesPerToken: 0, bytesPerRequest: 0 },
  });
  expect((await recorded(vit)).out).toMatch(/^pass {8}35\.\d+ billion FLOPs/m);
  const { code, err } = await recorded(vit, "--context", "50");
  expect([code, err]).toEqual([1, expect.stringContaining("expected nothing, as an image has 197 rows")]);
  const whisper = await path("whisper", {
    ...{ model_type: "whisper", d_model: 384, vocab_size: 51865, max_target_positions: 448 },
    ...{ encoder_layers: 4, encoder_attention_heads: 6, encoder_ffn_dim: 1536 },
    ...{ decoder_layers: 4, decoder_attention_heads: 6, decoder_ffn_dim: 1536 },
  });
  const result = await json(whisper);
  expect(result).toMatchObject({ sourceLength: 1500, kvCache: { bytesPerSourceToken: 6144 } });
  expect(result["kvCache"]!["bytesPerRequest"]).toBe(6144 * (1500 + 448));
  expect((await recorded(whisper)).out).toMatch(
    /^cache .*6\.144 kB a position of the source.* a source of 1500$/m,
  );
});
