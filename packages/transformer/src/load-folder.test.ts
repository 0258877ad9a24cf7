/// <reference types="node" />
import * as hub from "@huggingface/hub";
import { isQkvError } from "@qkv/core";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { load, loadEncoder } from "./load.js";
import type { Progress } from "./loading/open-file.js";

const config = {
  model_type: "llama",
  vocab_size: 300,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  eos_token_id: 2,
};

const shapes: Record<string, number[]> = { "model.embed_tokens.weight": [300, 8], "model.norm.weight": [8] };
for (const i of [0, 1]) {
  Object.assign(shapes, {
    [`model.layers.${i}.input_layernorm.weight`]: [8],
    [`model.layers.${i}.self_attn.q_proj.weight`]: [8, 8],
    [`model.layers.${i}.self_attn.k_proj.weight`]: [4, 8],
    [`model.layers.${i}.self_attn.v_proj.weight`]: [4, 8],
    [`model.layers.${i}.self_attn.o_proj.weight`]: [8, 8],
    [`model.layers.${i}.post_attention_layernorm.weight`]: [8],
    [`model.layers.${i}.mlp.gate_proj.weight`]: [12, 8],
    [`model.layers.${i}.mlp.up_proj.weight`]: [12, 8],
    [`model.layers.${i}.mlp.down_proj.weight`]: [8, 12],
  });
}
const tensors: Record<string, Tensor> = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], i) => [name, randn(shape, { seed: i })]),
);
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Files of the checkpoint with changed fields and tensors. Tensors that are undefined are left out. */
async function checkpointFiles({
  config: changes = {},
  tensors: others = {},
}: {
  config?: Record<string, unknown>;
  tensors?: Record<string, Tensor | undefined>;
} = {}): Promise<Record<string, Uint8Array>> {
  const written = Object.fromEntries(Object.entries({ ...tensors, ...others }).filter(([, x]) => x));
  return {
    "config.json": json({ ...config, ...changes }),
    "model.safetensors": await writeSafetensors(written),
  };
}

let root: string;
let count = 0;
let modelFiles: Record<string, Uint8Array>;
let server: FileServer;
let logits: ArrayLike<number>;

function writeFolder(files: Record<string, Uint8Array>): string {
  const folder = join(root, `model-${count++}`);
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}
const sharded = async () => {
  const names = Object.keys(tensors);
  const part = (n: number) =>
    Object.fromEntries(names.filter((_, i) => i % 2 === n).map((name) => [name, tensors[name]]));
  return {
    "config.json": modelFiles["config.json"]!,
    "model-00001-of-00002.safetensors": await writeSafetensors(part(0)),
    "model-00002-of-00002.safetensors": await writeSafetensors(part(1)),
    "model.safetensors.index.json": json({
      weight_map: Object.fromEntries(
        names.map((name, i) => [name, `model-0000${(i % 2) + 1}-of-00002.safetensors`]),
      ),
    }),
  };
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-folder-"));
  modelFiles = { ...(await checkpointFiles()), "generation_config.json": json({ eos_token_id: [2, 7] }) };
  const shards = await sharded();
  const served: Record<string, Uint8Array> = {};
  for (const [name, bytes] of Object.entries(modelFiles)) {
    served[`/model/${name}`] = bytes;
    served[`/owner/tiny/resolve/main/${name}`] = bytes;
  }
  for (const [name, bytes] of Object.entries(shards)) served[`/shards/${name}`] = bytes;
  server = await serveFiles(served, (request, response) => {
    const url = new URL(request.url!, "http://localhost");
    // Redirected, as file hosts do for large files.
    if (url.pathname.startsWith("/moved/")) {
      response.writeHead(302, { Location: url.pathname.replace("/moved/", "/model/") }).end();
      return true;
    }
    if (url.pathname.startsWith("/slow/") && url.pathname.endsWith("safetensors")) return true; // never answered
    if (url.pathname.startsWith("/slow/")) {
      response.writeHead(307, { Location: url.pathname.replace("/slow/", "/model/") }).end();
      return true;
    }
    if (url.pathname.startsWith("/locked/")) {
      response.writeHead(401).end();
      return true;
    }
    return false;
  });
  const model = await load(writeFolder(modelFiles));
  logits = model.apply(model.params, [1, 2, 3]).data;
});

afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

test("a folder, its weights file, a URL, redirects, shards and File objects load the same model", async () => {
  const path = writeFolder(modelFiles);
  const chosen = Object.entries(modelFiles).map(
    ([name, bytes]) => new File([bytes as Uint8Array<ArrayBuffer>], name),
  );
  for (const source of [
    path,
    join(path, "model.safetensors"),
    `${server.site}/model`,
    `${server.site}/model/`,
    new URL(`${server.site}/moved/`),
    `${server.site}/model/model.safetensors`,
    `${server.site}/shards/`,
    writeFolder(await sharded()),
    chosen,
  ]) {
    const model = await load(source);
    expect(model.apply(model.params, [1, 2, 3]).data).toEqual(logits);
  }
  expect((await load(path)).config.stopIds).toEqual([2, 7]);
});

test("the name of a repository is loaded from the hub by range requests", async () => {
  const before = server.requests.length;
  const model = await load("owner/tiny", { hub: { url: server.site } });
  expect(model.apply(model.params, [1, 2, 3]).data).toEqual(logits);
  const requests = server.requests.slice(before);
  expect(requests.filter((request) => !request.includes("/owner/tiny/resolve/main/"))).toEqual([]);
  // Each tensor is a range; the complete weights file is never requested.
  const weights = requests.filter(
    (request) => request.includes("model.safetensors") && !request.includes("index"),
  );
  expect(weights.length).toBeGreaterThan(20);
  expect(weights.filter((request) => !/ bytes=\d+-\d+$/.test(request))).toEqual([]);
  const withClient = await load("owner/tiny", { hub: { url: server.site, client: hub } });
  expect(withClient.apply(withClient.params, [1, 2, 3]).data).toEqual(logits);

  await expect(load("owner/none", { hub: { url: server.site } })).rejects.toThrow(
    /load: `source` is "owner\/none", expected a folder with config.json/,
  );
  const locked = { downloadFile: () => Promise.reject(new Error("Invalid username or password.")) };
  await expect(load("owner/tiny", { hub: { client: locked } })).rejects.toThrow(
    /`source` is "owner\/tiny\/config.json", expected a file of the hub, which says: Invalid username/,
  );
  const reason = new Error("enough");
  await expect(
    load("owner/tiny", { hub: { url: server.site }, signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
});

test("without the client of the hub, the error says which package to install", async () => {
  vi.doMock("@huggingface/hub", () => {
    throw new Error("Cannot find package '@huggingface/hub'");
  });
  try {
    await expect(load("owner/tiny", { hub: { url: server.site, cache: false } })).rejects.toThrow(
      /^load: `source` is "owner\/tiny", expected a path or an address, since `@huggingface\/hub`, which reads repositories, is not installed\.?\nFix: run `npm install @huggingface\/hub`; in a bundle, pass `hub: \{ client: await import\("@huggingface\/hub"\) \}`\.$/,
    );
  } finally {
    vi.doUnmock("@huggingface/hub");
  }
});

test("loading shards from a server begins with a range request for the header, and reports progress per file", async () => {
  const before = server.requests.length;
  const seen: Progress[] = [];
  await load(`${server.site}/shards/`, { onProgress: (progress) => seen.push(progress) });
  const weights = server.requests.slice(before).filter((request) => request.includes("00001-of"));
  expect(weights[0]).toMatch(/bytes=0-65535$/);
  for (const name of ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]) {
    const reports = seen.filter(({ source }) => source.endsWith(name));
    const loaded = reports.map((report) => report.loaded);
    expect(loaded.at(-1)!).toBe(reports.at(-1)!.total);
    expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
  }
});

test("an aborted load rejects with the signal's reason, also while a server does not respond", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 30);
  await expect(load(`${server.site}/slow/`, { signal: controller.signal })).rejects.toBe(reason);
  await expect(load(writeFolder(modelFiles), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

async function refusal(source: Parameters<typeof load>[0]): Promise<string> {
  const error = await load(source).catch((error: unknown) => error);
  expect(isQkvError(error)).toBe(true);
  return (error as Error).message;
}

test("errors name missing, unused and mismatched tensors", async () => {
  const name = "model.layers.1.mlp.up_proj.weight";
  const withoutTensor = await checkpointFiles({ tensors: { [name]: undefined } });
  expect(await refusal(writeFolder(withoutTensor))).toMatch(
    /load: `.*model.safetensors: model.layers.1.mlp.up_proj.weight` is undefined, expected a tensor \[12, 8\]; the file holds 19 others, such as model.layers.0.mlp.up_proj.weight/,
  );
  expect(await refusal(writeFolder(await checkpointFiles({ config: { model_type: "xlstm" } })))).toMatch(
    /config.json: model_type` is "xlstm", expected a known architecture: llama, mistral, qwen2/,
  );
  expect(await refusal(writeFolder(await checkpointFiles({ config: { intermediate_size: 13 } })))).toMatch(
    /gate_proj.weight` is "a tensor \[12, 8\]", expected \[13, 8\], as in the configuration/,
  );
  const withSinks = await checkpointFiles({
    tensors: { "model.layers.0.self_attn.sinks": randn([2], { seed: 1 }) },
  });
  expect(await refusal(writeFolder(withSinks))).toMatch(
    /model.layers.0.self_attn.sinks` is "a tensor that is not read", expected the tensors of the architecture/,
  );
  expect(
    await refusal(writeFolder(await checkpointFiles({ config: { tie_word_embeddings: false } }))),
  ).toMatch(/lm_head.weight` is undefined, expected a tensor \[300, 8\]/);
  const withInt32 = await checkpointFiles({
    tensors: { [name]: tensor(new Int32Array(96), { shape: [12, 8] }) },
  });
  expect(await refusal(writeFolder(withInt32))).toMatch(
    /up_proj.weight: dtype` is "I32", expected F64, F32, F16, BF16\.\nFix: qkv does not implement weights of type I32\. Convert/,
  );
  await expect(loadEncoder(writeFolder(modelFiles))).rejects.toThrow(
    /`source` is "a decoder", expected an encoder.\nFix: load it with `load`/,
  );
});

test("errors name invalid fields of config.json", async () => {
  for (const [changes, message] of [
    [{ hidden_size: undefined }, /config.json: hidden_size` is undefined, expected an integer, 1 or more/],
    [{ num_hidden_layers: 2 ** 31, sliding_window: 4 }, /num_hidden_layers` is 2147483648, expected at most/],
    [{ num_hidden_layers: 2.5 }, /num_hidden_layers` is 2.5, expected an integer/],
    [{ rms_norm_eps: "small" }, /rms_norm_eps` is "small", expected a finite number/],
    [
      { hidden_act: "mish" },
      /hidden_act` is "mish", expected silu, gelu, gelu_pytorch_tanh, relu, relu2, quick_gelu, tanh, xielu\.\nFix: qkv does not implement `hidden_act: "mish"` for llama\. Choose a model with a supported value\.$/,
    ],
    [
      { rope_scaling: { rope_type: "ntk" } },
      /rope_scaling: rope_type` is "ntk", expected default, linear, dynamic, yarn, llama3, longrope, proportional\.\nFix: qkv does not implement `rope_type: "ntk"` for llama\. Choose a model with a supported value\.$/,
    ],
    [
      { rope_scaling: { rope_type: "linear" } },
      /rope_scaling: factor` is undefined, expected a finite number/,
    ],
    [
      { layer_types: ["chunked"], sliding_window: 3 },
      /layer_types` is \["chunked"\], expected a list of full_attention/,
    ],
    [{ eos_token_id: "two" }, /eos_token_id` is "two", expected a finite number/],
    [{ tie_word_embeddings: 1 }, /tie_word_embeddings` is 1, expected true or false/],
  ] as const) {
    expect(await refusal(writeFolder(await checkpointFiles({ config: changes })))).toMatch(message);
  }
  for (const ids of ["two", [2, "x"]]) {
    const files = { ...modelFiles, "generation_config.json": json({ eos_token_id: ids }) };
    expect(await refusal(writeFolder(files))).toMatch(
      /generation_config.json: eos_token_id` is .*, expected a/,
    );
  }
  const files = { ...modelFiles, "config.json": new TextEncoder().encode("<html>") };
  expect(await refusal(writeFolder(files))).toMatch(/config.json` is "<html>", expected valid JSON/);
});

test("missing shards, shards without their tensors, and invalid indices are refused", async () => {
  const shards: Record<string, Uint8Array> = await sharded();
  const index = "model.safetensors.index.json";
  const { "model-00002-of-00002.safetensors": second, ...firstOnly } = shards;
  expect(await refusal(writeFolder(firstOnly))).toMatch(
    /a folder with model-00002-of-00002.safetensors: .*index.json names it/,
  );
  expect(await refusal(writeFolder({ ...shards, "model-00001-of-00002.safetensors": second! }))).toMatch(
    /weight_map` is "model-00001-of-00002.safetensors for .*", expected a file that holds the tensor/,
  );
  expect(
    await refusal(writeFolder({ ...shards, [index]: json({ weight_map: { x: "../secret.safetensors" } }) })),
  ).toMatch(/weight_map` is "..\/secret.safetensors", expected the name of a file beside the index/);
  expect(await refusal(writeFolder({ ...shards, [index]: json({}) }))).toMatch(/weight_map` is undefined/);
  expect(await refusal(writeFolder({ "config.json": modelFiles["config.json"]! }))).toMatch(
    /a folder with model.safetensors.index.json: the index of its weights, since it has no model.safetensors/,
  );
});

test("a truncated weights file is refused, wherever it is cut", async () => {
  const bytes = modelFiles["model.safetensors"]!;
  const cuts = Array.from({ length: 40 }, (_, i) => Math.floor((i * bytes.length) / 40));
  for (const cut of [...cuts, 1, 7, 8, 9, bytes.length - 1]) {
    const message = await refusal(
      writeFolder({ ...modelFiles, "model.safetensors": bytes.subarray(0, cut) }),
    );
    expect(message).toMatch(/^(readSafetensors|load): `/);
  }
});

test("a URL that requires a login or has no model is refused with the server's status", async () => {
  expect(await refusal(`${server.site}/locked/`)).toMatch(
    /`source` is ".*\/locked\/config.json", expected a file, and the server answered 401/,
  );
  expect(await refusal(`${server.site}/none/`)).toMatch(
    /`source` is ".*\/none\/", expected a folder with config.json/,
  );
});

/** A `tokenizer.json` of 5 words. */
const tokenizerJson = {
  added_tokens: [{ id: 0, content: "<s>", special: true }],
  pre_tokenizer: { type: "Whitespace" },
  model: { type: "WordLevel", unk_token: "<s>", vocab: { "<s>": 0, once: 1, upon: 2, a: 3, time: 4 } },
};

test("a model has the tokenizer of its folder, unless `tokenizer` is given", async () => {
  const folder = writeFolder({
    ...modelFiles,
    "tokenizer.json": json(tokenizerJson),
    "tokenizer_config.json": json({ bos_token: "<s>" }),
  });
  const { tokenizer } = await load(folder);
  expect(tokenizer!.encode("once upon a time")).toEqual([1, 2, 3, 4]);
  expect(tokenizer!.bosId).toBe(0);
  expect((await load(writeFolder(modelFiles))).tokenizer).toBeUndefined();
  const fromFile = await load(writeFolder(modelFiles), { tokenizer: join(folder, "tokenizer.json") });
  expect(fromFile.tokenizer!.encode("a time")).toEqual([3, 4]);
  const fromFolder = await load(writeFolder(modelFiles), { tokenizer: folder });
  expect(fromFolder.tokenizer!.encode("once upon a time")).toEqual([1, 2, 3, 4]);
  const empty = writeFolder(modelFiles);
  await expect(load(folder, { tokenizer: empty })).rejects.toThrow(
    `load: \`tokenizer\` is ${JSON.stringify(empty)}, expected a folder with tokenizer.json, or tokenizer.model, or source.spm and vocab.json, or vocab.json and merges.txt, or vocab.txt.\nFix: name the tokenizer's file.`,
  );
  const larger = { ...tokenizer!, vocabSize: 301 };
  await expect(load(folder, { tokenizer: larger })).rejects.toThrow(
    /`tokenizer` is "a vocabulary of 301 tokens", expected the 300 tokens/,
  );
});
