import { writeSafetensorsHeader } from "@qkv/core";
import { randn, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { downloadModel } from "./cached-model.js";
import { chatFormat } from "./chat-format.js";
import { run } from "./run.js";
import { openServer } from "../../../scripts/server.mjs";
import { ownData } from "../../../conformance/reference-data.mjs";
import { embed, loadEncoder } from "@qkv/transformer";

const words = ["<s>", "once", "upon", "a", "time", "there", "was", "User", ":", "Assistant"];
const tokenizer = {
  added_tokens: [{ id: 0, content: "<s>", special: true }],
  pre_tokenizer: { type: "Whitespace" },
  model: {
    type: "WordLevel",
    unk_token: "<s>",
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};
const config = {
  model_type: "llama",
  vocab_size: words.length,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};
const shapes: Record<string, number[]> = {
  "model.embed_tokens.weight": [words.length, 8],
  "model.norm.weight": [8],
};
for (const i of [0, 1]) {
  for (const [name, ...shape] of [
    ["input_layernorm", 8],
    ["self_attn.q_proj", 8, 8],
    ["self_attn.k_proj", 4, 8],
    ["self_attn.v_proj", 4, 8],
    ["self_attn.o_proj", 8, 8],
    ["post_attention_layernorm", 8],
    ["mlp.gate_proj", 12, 8],
    ["mlp.up_proj", 12, 8],
    ["mlp.down_proj", 8, 12],
  ] as [string, ...number[]][])
    shapes[`model.layers.${i}.${name}.weight`] = shape;
}
const drawn: Record<string, Tensor> = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], i) => [name, randn(shape, { seed: i })]),
);

let root: string;
let model: string;
let bert: string;

async function recorded(argv: readonly string[], input = "", isPiped = false) {
  let [out, err] = ["", ""];
  const chunks = (async function* () {
    yield input;
  })();
  const code = await run(argv, {
    in: Object.assign(chunks, { isPiped }),
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    color: false,
  });
  return { code, out, err };
}

function write(name: string, files: Record<string, unknown>): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files))
    writeFileSync(join(folder, file), content instanceof Uint8Array ? content : JSON.stringify(content));
  return folder;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-cli-models-"));
  model = write("llama", {
    "config.json": config,
    "tokenizer.json": tokenizer,
    "model.safetensors": await writeSafetensors(drawn),
  });
  const encoder: Record<string, Tensor> = {};
  const add = (name: string, ...shape: number[]) =>
    (encoder[name] = randn(shape, { seed: Object.keys(encoder).length }));
  add("embeddings.word_embeddings.weight", words.length, 8);
  add("embeddings.position_embeddings.weight", 16, 8);
  add("embeddings.token_type_embeddings.weight", 2, 8);
  for (const name of [
    "embeddings.LayerNorm",
    "encoder.layer.0.attention.output.LayerNorm",
    "encoder.layer.0.output.LayerNorm",
  ])
    for (const kind of ["weight", "bias"]) add(`${name}.${kind}`, 8);
  for (const [name, out, inner] of [
    ["attention.self.query", 8, 8],
    ["attention.self.key", 8, 8],
    ["attention.self.value", 8, 8],
    ["attention.output.dense", 8, 8],
    ["intermediate.dense", 12, 8],
    ["output.dense", 8, 12],
  ] as const) {
    add(`encoder.layer.0.${name}.weight`, out, inner);
    add(`encoder.layer.0.${name}.bias`, out);
  }
  bert = write("bert", {
    "config.json": {
      model_type: "bert",
      vocab_size: words.length,
      hidden_size: 8,
      intermediate_size: 12,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 16,
      type_vocab_size: 2,
    },
    "tokenizer.json": tokenizer,
    "model.safetensors": await writeSafetensors(encoder),
  });
});
afterAll(() => rmSync(root, { recursive: true }));

test("generate takes a folder with its tokenizer, stops at texts, drafts tokens, and rounds weights", async () => {
  const greedy = ["generate", model, "--temperature", "0", "--max-tokens", "12", "--prompt", "once upon"];
  const plain = await recorded(greedy);
  expect(plain.code).toBe(0);
  const speculative = await recorded([...greedy, "--speculate"]);
  expect(speculative.out).toBe(plain.out);
  const printed = JSON.parse((await recorded([...greedy, "--json"])).out) as {
    text: string;
    tokens: number[];
  };
  expect(plain.out).toBe(`${printed.text}\n`);
  const stop = words[printed.tokens[3]!]!;
  const stopped = JSON.parse((await recorded([...greedy, "--stop", stop, "--json"])).out) as { text: string };
  expect(printed.text.startsWith(stopped.text)).toBe(true);
  expect(stopped.text.slice("once upon".length)).not.toContain(stop);
  expect((await recorded([...greedy, "--quantize", "int8"])).code).toBe(0);
  const refused = await recorded([...greedy, "--quantize", "int2"]);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(/`--quantize` is "int2", expected int8 or int4/),
  ]);
});

test("generate does beam search, with n-gram blocking and a minimum length", async () => {
  const beams = ["generate", model, "--beams", "3", "--max-tokens", "6", "--prompt", "once upon"];
  const { code, out } = await recorded([...beams, "--unique-ngrams", "1"]);
  expect(code).toBe(0);
  const printed = JSON.parse((await recorded([...beams, "--unique-ngrams", "1", "--json"])).out) as {
    text: string;
    tokens: number[];
    score: number;
  };
  expect(out).toBe(`${printed.text}\n`);
  expect(new Set([1, 2, ...printed.tokens]).size).toBe(2 + printed.tokens.length);
  expect(printed.score).toBeLessThan(0);
  const refused = await recorded([...beams, "--temperature", "1"]);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(/`--temperature` is "given", expected no option of sampling beside --beams/),
  ]);
});

test("eval prints the loss of a text", async () => {
  const text = "once upon a time there was a time";
  const { code, out } = await recorded(["eval", model], text);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^tokens +7\nloss +\d+\.\d{4} nats per token\nperplexity +\d+\.\d{3}\nbits per byte +\d+\.\d{4}\n$/,
  );
  const file = join(root, "text.txt");
  writeFileSync(file, text);
  const printed = JSON.parse((await recorded(["eval", model, file, "--json"])).out) as Record<string, number>;
  expect(out).toContain(printed["loss"]!.toFixed(4));
  expect(printed["perplexity"]).toBeCloseTo(Math.exp(printed["loss"]!), 6);
  expect(printed["bytes"]).toBe(text.length);
  // Two texts in a file are two texts: neither is the other's beginning.
  writeFileSync(file, "once upon a time\n<|endoftext|>\nthere was\n<|endoftext|>\n");
  const both = JSON.parse((await recorded(["eval", model, file, "--json"])).out) as Record<string, number>;
  expect([both["tokens"], both["bytes"]]).toEqual([3 + 1, "once upon a time".length + "there was".length]);
});

test("inspect prints a line for each layer, and the number of parameters", async () => {
  const { out } = await recorded(["inspect", model]);
  expect(out).toMatch(/2 layers of width 8, 2 heads, 1 key-value heads, feed-forward 12/);
  expect(out.split("\n").filter((line) => /^ +[01] +full +=+#+/.test(line))).toHaveLength(2);
  const printed = JSON.parse((await recorded(["inspect", model, "--json"])).out) as Record<string, number>;
  const expected = Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  expect(printed["parameters"]).toBe(expected);
  expect(printed["kvBytesPerToken"]).toBe(2 * 2 * 4 * 4); // keys and values, layers, a head of 4, float32
  const encoder = await recorded(["inspect", bert]);
  expect(encoder.out).toMatch(/1 layers of width 8, 2 heads, feed-forward 12\n.*\nan encoder: no cache/);
  expect(JSON.parse((await recorded(["inspect", bert, "--json"])).out)).toMatchObject({
    kind: "encoder",
    kvBytesPerToken: 0,
  });
});

test("embed prints vectors of unit norm, for arguments or lines", async () => {
  const printed = JSON.parse((await recorded(["embed", bert, "once upon", "a time", "--json"])).out) as {
    texts: string[];
    embeddings: number[][];
  };
  expect(printed.texts).toEqual(["once upon", "a time"]);
  for (const row of printed.embeddings) expect(row.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
  const lines = await recorded(["embed", bert], "once upon\na time\n");
  expect(lines.out.split("\n").slice(0, 2)).toEqual(
    printed.embeddings.map((row) => row.map((x) => x.toFixed(6)).join(" ")),
  );
  const wrong = await recorded(["embed", model, "once"]);
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/is "a decoder", expected an encoder/)]);
  const tiny = await recorded(["embed", "@qkv/model-tiny", "once"]);
  expect([tiny.code, tiny.err]).toEqual([
    1,
    expect.stringMatching(
      /`model` is "@qkv\/model-tiny", expected an encoder.*\nFix: name one of the BERT family/,
    ),
  ]);
  const { out: help } = await recorded(["embed", "--help"]);
  expect(help).toContain("BERT family");
  expect(help).not.toContain("model-tiny");
  expect(help).toContain("--quantize");
  const rounded = JSON.parse(
    (await recorded(["embed", bert, "once upon", "--quantize", "int4", "--json"])).out,
  ) as { embeddings: number[][] };
  const cosine = rounded.embeddings[0]!.reduce((sum, x, i) => sum + x * printed.embeddings[0]![i]!, 0);
  expect(cosine).toBeGreaterThan(0.9);
  expect(rounded.embeddings[0]).not.toEqual(printed.embeddings[0]);
});

test("embed --similarity prints the cosine similarities of all pairs", async () => {
  const argv = ["embed", bert, "once upon", "a time", "once upon", "--similarity"];
  const printed = JSON.parse((await recorded([...argv, "--json"])).out) as {
    embeddings: number[][];
    similarities: number[][];
  };
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const [one, other] = printed.embeddings as [number[], number[]];
  expect(printed.similarities.map((row) => row.length)).toEqual([3, 3, 3]);
  expect(printed.similarities[0]![1]).toBeCloseTo(dot(one, other), 6);
  expect(printed.similarities[0]![2]).toBeCloseTo(1, 5);
  const rows = (await recorded(argv)).out.trimEnd().split("\n");
  const cosine = printed.similarities[0]![1]!.toFixed(4);
  expect(rows[0]!.trim().split(/ +/)).toEqual(["1.0000", cosine, "1.0000", "once", "upon"]);
  expect(rows[1]!.trim().split(/ +/)).toEqual([cosine, "1.0000", cosine, "a", "time"]);
  const lines = "once upon\n\na time\n  \nonce upon\n";
  expect((await recorded(["embed", bert, "--similarity"], lines)).out.trimEnd().split("\n")).toEqual(rows);
});

test("chat answers each line, with the conversation as context", async () => {
  const { code, out } = await recorded(
    ["chat", model, "--temperature", "0", "--max-tokens", "4", "--json"],
    "once upon a time\n\nthere was\n",
  );
  expect(code).toBe(0);
  const { exchanges } = JSON.parse(out) as { exchanges: { user: string; generatedTokens: number }[] };
  expect(exchanges.map(({ user }) => user)).toEqual(["once upon a time", "there was"]);
  const shown = await recorded(
    ["chat", model, "--temperature", "0", "--max-tokens", "4"],
    "once upon a time\n",
  );
  expect(shown.err).toMatch(
    /no chat template.*continues each line as a text\n1 exchanges, \d+ tokens of 64\n$/,
  );
});

test("messages have the chat format of the vocabulary's special tokens", () => {
  const speaking = (...tokens: string[]) =>
    chatFormat({ id: (token) => (tokens.includes(token) ? 1 : undefined) });
  expect(speaking("<|im_start|>").userMessage("hi")).toBe(
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
  );
  expect(speaking("<|im_start|>").endOfMessage).toBe("<|im_end|>\n");
  expect(speaking("<start_of_turn>").stop).toEqual(["<end_of_turn>"]);
  expect(speaking("<start_of_turn>").userMessage("hi")).toBe(
    "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n",
  );
  expect(speaking("<|start_header_id|>").userMessage("hi")).toBe(
    "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
  );
  expect(speaking("<|start_header_id|>").endOfMessage).toBe("<|eot_id|>");
  expect(speaking("<|assistant|>").userMessage("hi")).toBe("<|user|>\nhi<|end|>\n<|assistant|>\n");
  expect(speaking()).toMatchObject({ endOfMessage: "\n", stop: [] });
  expect(speaking().userMessage("hi")).toBe("hi");
});

test("bench measures prefill and decode", async () => {
  const argv = ["bench", model, "--prompt-tokens", "9", "--new-tokens", "3", "--rounds", "1", "--json"];
  const printed = JSON.parse((await recorded(argv)).out) as Record<string, { tokensPerSecond: number }>;
  expect(printed).toMatchObject({
    device: expect.stringMatching(/^wasm,/),
    promptTokens: 9,
    generatedTokens: 3,
  });
  expect(printed["prefill"]!.tokensPerSecond).toBeGreaterThan(0);
  expect(printed["decode"]!.tokensPerSecond).toBeGreaterThan(0);
});

test("a model without a tokenizer is refused with the fix", async () => {
  const silent = write("silent", {
    "config.json": config,
    "model.safetensors": readFileSync(join(model, "model.safetensors")),
  });
  const { code, err } = await recorded(["generate", silent]);
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(
      /`--tokenizer` is undefined, expected the tokenizer's file, since .*\nFix: name the file/,
    ),
  ]);
  const given = await recorded([
    "generate",
    silent,
    "--tokenizer",
    join(model, "tokenizer.json"),
    "--max-tokens",
    "2",
    "--prompt",
    "once",
  ]);
  expect(given.code).toBe(0);
});

test("embed uses the pooling of the model, or of --pooling", async () => {
  const embedded = async (folder: string, ...more: string[]) => {
    const { code, out, err } = await recorded(["embed", folder, "once upon a time", "--json", ...more]);
    return code === 0 ? (JSON.parse(out) as { embeddings: number[][] }).embeddings[0]! : err;
  };
  const ways = {
    mean: await embedded(bert),
    cls: await embedded(bert, "--pooling", "cls"),
    last: await embedded(bert, "--pooling", "last"),
  };
  expect(new Set(Object.values(ways).map(String)).size).toBe(3);
  const files = (name: string) => readFileSync(join(bert, name));
  const trained = (name: string, config: object, path = "1_Pooling") => {
    const folder = write(name, {
      "config.json": JSON.parse(files("config.json").toString()),
      "tokenizer.json": tokenizer,
      "model.safetensors": new Uint8Array(files("model.safetensors")),
      ...(path !== "1_Pooling" && {
        "modules.json": [{ type: "sentence_transformers.models.Pooling", path }],
      }),
    });
    write(`${name}/${path}`, { "config.json": config });
    return folder;
  };
  const cls = trained("bert-cls", { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false });
  expect(await embedded(cls)).toEqual(ways.cls);
  expect(await embedded(cls, "--pooling", "mean")).toEqual(ways.mean);
  const last = trained(
    "bert-last",
    { pooling_mode_lasttoken: true, pooling_mode_mean_tokens: false },
    "2_Pooling",
  );
  const unit = (numbers: number[]) => numbers.map((x) => x / Math.hypot(...numbers));
  const ofLast = (await embedded(last)) as number[];
  expect(Math.abs(Math.hypot(...ofLast) - 1)).toBeGreaterThan(0.01); // no module makes it 1
  for (const [i, x] of unit(ofLast).entries()) expect(x).toBeCloseTo((ways.last as number[])[i]!, 5);
  const similar = ["embed", last, "once upon a time", "once", "--similarity", "--json"];
  const { similarities } = JSON.parse((await recorded(similar)).out) as { similarities: number[][] };
  expect(similarities.map((row, i) => row[i]!.toFixed(5))).toEqual(["1.00000", "1.00000"]);
  const both = trained("bert-both", { pooling_mode_max_tokens: true, pooling_mode_mean_tokens: true });
  expect(await embedded(both)).toMatch(
    /`--pooling` is "pooling_mode_max_tokens and pooling_mode_mean_tokens", expected one of .*\nFix: choose one/,
  );
  const { site, close } = await serve(last, () => false, last);
  try {
    const options = { signal, folder: join(root, "cache-pooling"), hub: site };
    expect(await embedded(await downloadModel("owner/last", options))).toEqual(ofLast);
  } finally {
    close();
  }
});

test("embed runs all modules of a sentence-transformers folder or repository", async () => {
  const name = "sentence-transformers/bert-cls-dense";
  const paths = ownData.files(name).map((path) => path.slice(name.length + 1));
  for (const path of paths.filter((path) => path !== "refs.json")) {
    mkdirSync(join(root, "dense", path, ".."), { recursive: true });
    writeFileSync(join(root, "dense", path), ownData.bytes(`${name}/${path}`));
  }
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
  const folder = write("dense", {
    "tokenizer.json": { ...tokenizer, model: { ...tokenizer.model, vocab } },
    "config_sentence_transformers.json": { prompts: { query: "once" }, default_prompt_name: "query" },
  });
  const here = await loadEncoder(folder);
  const embedded = async (place: string, ...more: string[]) => {
    const { out } = await recorded(["embed", place, "upon a time", "--device", "js", "--json", ...more]);
    return (JSON.parse(out) as { embeddings: number[][] }).embeddings[0]!;
  };
  const expected = Array.from((await embed(here, ["upon a time"]))[0]!);
  const own = await embedded(folder);
  expect(own).toEqual(expected);
  expect(own.length).not.toBe(here.config.embedDim);
  expect(await embedded(folder, "--pooling", "cls")).toHaveLength(here.config.embedDim);
  const { site, close } = await serve(folder, () => false, folder);
  try {
    const options = { signal, folder: join(root, "cache-dense"), hub: site };
    expect(await embedded(await downloadModel("owner/dense", options))).toEqual(expected);
  } finally {
    close();
  }
});

test("chat uses the model's template, and computes only tokens after the common prefix", async () => {
  const template =
    "{% for m in messages %}{{ 'there was User : ' if m.role == 'user' else 'Assistant : ' }}{{ m.content }} {% endfor %}" +
    "{% if add_generation_prompt %}Assistant :{% endif %}";
  const files = {
    "config.json": config,
    "tokenizer.json": tokenizer,
    "model.safetensors": await writeSafetensors(drawn),
  };
  const talk = ["--temperature", "0", "--max-tokens", "3", "--json"];
  const readExchanges = async (folder: string) => {
    const { code, out, err } = await recorded(["chat", folder, ...talk], "once upon\na time\n");
    expect([code, err]).toEqual([0, expect.stringMatching(/^2 exchanges, /)]);
    return (JSON.parse(out) as { exchanges: { assistant: string }[] }).exchanges;
  };
  const inConfig = await readExchanges(
    write("talk", { ...files, "tokenizer_config.json": { chat_template: template } }),
  );
  const ownFile = write("talk-file", files);
  writeFileSync(join(ownFile, "chat_template.jinja"), template);
  expect(await readExchanges(ownFile)).toEqual(inConfig);
  // By hand: the same texts, each continued alone.
  const first = "there was User : once upon Assistant :";
  const generated = async (prompt: string) => {
    const argv = [
      "generate",
      ownFile,
      "--temperature",
      "0",
      "--max-tokens",
      "3",
      "--json",
      "--prompt",
      prompt,
    ];
    return (JSON.parse((await recorded(argv)).out) as { text: string }).text;
  };
  expect(await generated(first)).toBe(first + inConfig[0]!.assistant);
  const second = `${first} ${inConfig[0]!.assistant} there was User : a time Assistant :`;
  expect((await generated(second)).endsWith(`Assistant :${inConfig[1]!.assistant}`)).toBe(true);
});

/** A server of a folder; `answer` may take a request over. */
async function serve(
  folder: string,
  answer: (path: string, response: ServerResponse) => boolean = () => false,
  /** Resolves paths below `main`. Default: the last part of a path, in the folder. */
  tree?: string,
) {
  const requests: string[] = [];
  const { origin: site, close } = await openServer((request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    requests.push(path);
    if (answer(path, response)) return;
    const file = tree
      ? join(tree, path.replace(/^.*\/main\//, ""))
      : join(folder, path.slice(path.lastIndexOf("/") + 1));
    if (!existsSync(file)) return void response.writeHead(404).end();
    const bytes = readFileSync(file);
    response.setHeader("Content-Length", bytes.length).end(bytes);
  });
  return { site, requests, close };
}

const signal = new AbortController().signal;

test("a model on a server is downloaded once; a path is returned unchanged", async () => {
  const { site, requests, close } = await serve(model);
  try {
    const folder = join(root, "cache");
    const seen: number[] = [];
    const options = {
      signal,
      folder,
      hub: site,
      onProgress: ({ loaded }: { loaded: number }) => seen.push(loaded),
    };
    const path = await downloadModel("owner/tiny", options);
    expect(requests).toContain("/owner/tiny/resolve/main/model.safetensors");
    expect(readdirSync(path).sort()).toEqual([
      ".fetched",
      "config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect(seen.length).toBeGreaterThan(0);
    const before = requests.length;
    expect(await downloadModel("owner/tiny", options)).toBe(path);
    expect(requests.length).toBe(before);
    expect((await recorded(["generate", path, "--max-tokens", "1", "--prompt", "once"])).code).toBe(0);
    const file = await downloadModel(`${site}/deep/x.bin`, options).catch((error: unknown) => String(error));
    expect(file).toMatch(/expected a file, and the server answered 404/);
    expect(await downloadModel(model, options)).toBe(model);
    await expect(downloadModel("owner/none", { ...options, hub: `${site}/nothing` })).resolves.toContain(
      "owner/none",
    );
  } finally {
    close();
  }
});

test("names from a server, a URL or a repository cannot escape the cache folder", async () => {
  const away = join(root, "paths");
  const folder = join(away, "cache");
  const hostile = {
    "config.json": config,
    "modules.json": [{ type: "models.Pooling", path: "../../../secret" }],
    "tokenizer.json": tokenizer,
    "secret.bin": new Uint8Array(8),
  };
  const { site, requests, close } = await serve(
    write("hostile", { ...hostile, "model.safetensors": writeSafetensorsHeader([]) }),
  );
  try {
    for (const path of [
      "/..%2f..%2fx/secret.bin",
      "/%2e%2e/%2e%2e/secret.bin",
      "/a\\..\\..\\secret.bin",
      "//x/secret.bin",
      "/owner/../../",
    ]) {
      const kept = await downloadModel(`${site}${path}`, { signal, folder });
      expect(kept.startsWith(folder), `${path} is kept as ${kept}`).toBe(true);
      expect(readdirSync(away)).toEqual(["cache"]);
    }
    for (const name of [
      "../secret",
      "owner/..",
      "owner/../secret",
      "..",
      ".a/b",
      "C:/secret",
      "/etc/passwd",
      "owner/a/b",
    ])
      expect(await downloadModel(name, { signal, folder, hub: site }), name).toBe(name); // a path, as it was typed
    expect(requests.filter((url) => /secret(?!\.bin)|passwd/.test(url))).toEqual([]);
  } finally {
    close();
  }
  for (const name of ["..", ".", ".fetched", "../secret", "a/b", "a\\b", "", 7, null, ["x"]]) {
    const index = { weight_map: { x: name } };
    const named = await serve(
      write("index", { "config.json": config, "model.safetensors.index.json": index }),
    );
    try {
      const refused = downloadModel(named.site, { signal, folder: join(away, "other") });
      await expect(refused, String(name)).rejects.toThrow(/expected names of files beside the index/);
      expect(named.requests.filter((url) => !/config\.json|model\.safetensors/.test(url))).toEqual([]);
    } finally {
      named.close();
    }
  }
});

test("a failed or aborted download leaves no file that looks complete", async () => {
  for (const how of ["broken", "short", "aborted"] as const) {
    const stop = new AbortController();
    const { site, close } = await serve(model, (path, response) => {
      if (!path.endsWith("model.safetensors")) return false;
      const bytes = readFileSync(join(model, "model.safetensors"));
      if (how !== "short") response.setHeader("Content-Length", bytes.length);
      response.write(bytes.subarray(0, 500), () => {
        if (how === "broken") response.destroy();
        else if (how === "aborted") stop.abort(new Error("enough"));
      });
      if (how === "short") response.end();
      return true;
    });
    try {
      const folder = join(root, `cache-${how}`);
      const got = await downloadModel("owner/tiny", { signal: stop.signal, folder, hub: site }).catch(
        (error: unknown) => String(error),
      );
      const there = readdirSync(folder, { recursive: true }).map(String);
      // Without a content length, the end of the file follows from its header.
      const message = {
        broken: /the connection failed or broke off/,
        short: /expected a whole file, and what came breaks off/,
        aborted: /enough/,
      };
      expect(got).toMatch(message[how]);
      expect(there.filter((name) => /\.part$|model\.safetensors/.test(name))).toEqual([]);
    } finally {
      close();
    }
  }
});

test("a file whose end is only the end of the connection is refused as incomplete", async () => {
  const checkpoint = randn([100], { seed: 1 }).data;
  const bytes = new Uint8Array(checkpoint.buffer, checkpoint.byteOffset, checkpoint.byteLength);
  for (const [count, name] of [
    [bytes.length, "model.bin"],
    [100, "model.gguf"],
  ] as const) {
    const server = createTcpServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        socket.end(bytes.subarray(0, count));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
      const folder = join(root, `cache-${name}`);
      await expect(downloadModel(address, { signal, folder })).rejects.toThrow(
        /expected an answer that tells how long the file is, and this one ends with its connection/,
      );
      expect(
        readdirSync(folder, { recursive: true }).filter((each) => String(each).includes("model")),
      ).toEqual([]);
    } finally {
      server.close();
    }
  }
});

test("without a model, the embedded one generates a story up to its end", async () => {
  const { code, out } = await recorded(["generate", "--temperature", "0", "--max-tokens", "250", "--json"]);
  expect(code).toBe(0);
  const { text, promptTokens, tokens } = JSON.parse(out) as Record<"text", string> & {
    promptTokens: number[];
    tokens: number[];
  };
  expect(promptTokens).toHaveLength(1);
  expect(tokens.length).toBeLessThan(250);
  expect(text).toMatch(/^[A-Z"][^\n]+[.!?]"?$/);
  const named = await recorded(["inspect", "@qkv/model-tiny", "--json"]);
  expect(JSON.parse(named.out)).toMatchObject({ embeddingParameters: 2048 * 128 });
});

test("qkv generate reads its prompt from a pipe, or where `--prompt -` asks for it", async () => {
  const generate = (...more: string[]) => [
    "generate",
    model,
    "--temperature",
    "0",
    "--max-tokens",
    "1",
    ...more,
  ];
  const promptOf = async (...given: Parameters<typeof recorded>) =>
    (JSON.parse((await recorded(...given)).out) as { prompt: string }).prompt;
  expect(await promptOf(generate("--json"), "once\nupon\n", true)).toBe("once\nupon");
  expect(await promptOf(generate("--json", "--prompt", "-"), "once\r\n")).toBe("once");
  // An option comes first, and an input that nobody piped is not waited for.
  expect(await promptOf(generate("--json", "--prompt", "time"), "a", true)).toBe("time");
  expect((await recorded(generate(), "once")).err).toMatch(/`prompt` is "no tokens"/);
});

test("an error of the library names the command and what was typed, not its function", async () => {
  const empty = write("empty", {});
  for (const command of ["generate", "chat", "inspect", "bench", "embed"]) {
    const { code, err } = await recorded([command, empty, "text"].slice(0, command === "embed" ? 3 : 2));
    expect([code, err.split("`").slice(0, 2)], command).toEqual([1, [`qkv ${command}: `, "model"]]);
  }
  const { err } = await recorded(["generate", model, "--adapter", `${model}/config.json`]);
  expect(err).toMatch(/^qkv generate: `--adapter` is /);
  const wrongKind = await recorded(["generate", bert, "--prompt", "a"]);
  expect(wrongKind.err).toMatch(
    /^qkv generate: `model` is "an encoder", expected a decoder.*\nFix: `qkv embed` takes encoders; /,
  );
  expect((await recorded(["embed", model, "a"])).err).toMatch(
    /^qkv embed: `model` is "a decoder".*\nFix: `qkv generate`/,
  );
});
