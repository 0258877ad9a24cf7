// Fuzzing of all readers with 2,000 inputs each (a million each in `npm run nightly fuzz`), and known attacks.
import { readConfig } from "@qkv/cost";
import { readSafetensors } from "@qkv/tensor/safetensors";
import { tokenizerFromJson } from "@qkv/tokenizer";
import { chatTemplate } from "@qkv/tokenizer/chat";
import { decoder, load } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { faulty } from "../scripts/fuzz/faulty.mjs";
import { mutate } from "../scripts/fuzz/mutate.mjs";
import { targets } from "../scripts/fuzz/targets.mjs";
import { openServer } from "../scripts/server.mjs";
import { casesByTier } from "../scripts/tier.mjs";

const script = fileURLToPath(new URL("../scripts/fuzz/files.mjs", import.meta.url));

const readers = casesByTier(Object.keys(targets), (target) => target === "safetensors");

// Without the limit of a second per input: on a busy machine, slow inputs are no failure.
test.each(readers)("%s: each is read, or refused with an error of ours", async (target) => {
  const args = [script, "2000", "1", target];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, QKV_FUZZ_UNTIMED: "1" },
  });
  expect(stdout).toMatch(
    new RegExp(
      `^${target}: 2000 inputs, [1-9]\\d* of them read, [1-9]\\d* reached something new, 0 wrong\n1 passed, 0 failed\n$`,
    ),
  );
});

// The fuzzer's message for each deliberate fault. "0 wrong" above only means something if each is detected.
const found: Record<keyof typeof faulty, RegExp> = {
  "faulty: raw error": /SyntaxError: Expected property name/,
  "faulty: prototype": /a prototype changed/,
  "faulty: time": /took 1\d{3} ms/,
  "faulty: memory": /took 1\d\d MiB/,
  "faulty: end of the process": /ended with 3 after input \d+/,
  "faulty: no end": /ended with null after input \d+/,
  "faulty: nothing thrown": /: undefined$/m,
};
const faults = casesByTier(Object.entries(found), ([name]) => name === "faulty: raw error");
test.each(faults)("control: a reader with a fault is found wrong: %s", async (name, says) => {
  const run = promisify(execFile)(process.execPath, [script, "100", "1", name], {
    env: {
      ...process.env,
      QKV_FUZZ_UNTIMED: "",
      ...(name === "faulty: no end" && { QKV_FUZZ_SILENT_SECONDS: "10" }),
    },
  });
  const { stdout, code } = await run.then(
    () => expect.unreachable(`${name} was not found`),
    (error: { stdout: string; code: number }) => error,
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/, [1-9]\d* wrong\n[^]*\n0 passed, 1 failed\n$/);
  expect(stdout).toMatch(says);
});
test("control: every fault is tried", () => expect(Object.keys(found)).toEqual(Object.keys(faulty)));

test("mutations are reproducible by seed, and differ between seeds", () => {
  const file = new TextEncoder().encode('{"a": 1, "b": [true, "c"]}');
  const made = Array.from({ length: 200 }, (_, seed) => mutate([file], seed).join());
  expect(Array.from({ length: 200 }, (_, seed) => mutate([file], seed).join())).toEqual(made);
  expect(new Set(made).size).toBeGreaterThan(150);
});

/** Expects that no prototype has changed. */
const polluted = () => "polluted" in {} || "polluted" in [] || "polluted" in (() => undefined);

test("keys with a meaning in JavaScript are ordinary keys", async () => {
  const evil =
    '"__proto__": {"polluted": 1, "hidden_size": 7}, "constructor": {"prototype": {"polluted": 1}}';
  const vocab = '{"__proto__": 0, "constructor": 1, "toString": 2, "hasOwnProperty": 3}';
  const tokenizer = tokenizerFromJson(
    `{${evil}, "model": {"type": "WordLevel", "unk_token": "toString", "vocab": ${vocab}}, "pre_tokenizer": {"type": "Whitespace"}}`,
  );
  const words = "__proto__ constructor hasOwnProperty unknown";
  expect(tokenizer.encode(words)).toEqual([0, 1, 3, 2]);
  expect(tokenizer.decode([0, 1, 3])).toBe("__proto__ constructor hasOwnProperty");

  const config = (more: string) =>
    JSON.parse(
      `{${evil}, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 9${more}}`,
    ) as object;
  expect(() => readConfig(config(', "model_type": "llama"'))).toThrow(/`hidden_size` is undefined/);
  for (const name of ["__proto__", "constructor", "toString"])
    expect(() => readConfig(config(`, "hidden_size": 8, "model_type": "${name}"`))).toThrow(
      /`model_type` is/,
    );

  const header =
    '{"__proto__": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": {"__proto__": "text"}}';
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  const { tensors, metadata } = await readSafetensors(bytes);
  expect(Object.keys(tensors)).toEqual(["__proto__"]);
  expect(Object.entries(metadata)).toEqual([["__proto__", "text"]]);
  expect(
    chatTemplate("{{ messages[0].__proto__ }}{{ ''.constructor }}{{ messages.constructor }}").render([]),
  ).toBe("");
  expect(polluted(), "a file must not reach Object.prototype").toBe(false);
});

test("arguments of a chat template change no prototype", () => {
  const rendered = JSON.parse(
    '{"role": "user", "content": "hi", "__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
  ) as { role: string; content: string };
  const settings = JSON.parse(
    '{"__proto__": {"polluted": 1}, "eos_token": "</s>", "__proto___token": {"content": "x"}, "chat_template": "{% for m in messages %}{% for k in m %}{{ k }},{% endfor %}{{ m.polluted }}{{ m.hasOwnProperty }}{% endfor %}{{ tools[0].polluted }}{{ x.polluted }}{{ eos_token }}{% set ns = namespace() %}{% set ns.__proto__ = {\\"polluted\\": 1} %}{% set ns.constructor = 1 %}"}',
  ) as Record<string, unknown>;
  const text = chatTemplate(settings).render([rendered], { tools: [rendered], variables: { x: rendered } });
  expect(text).toBe("role,content,__proto__,constructor,</s>");
  expect(polluted(), "a file must not reach Object.prototype").toBe(false);
});

test("loading a model folder reads no file outside of it", async () => {
  const config = JSON.stringify({
    ...{ model_type: "llama", hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{ vocab_size: 9, intermediate_size: 8, max_position_embeddings: 8, rms_norm_eps: 1e-5 },
  });
  const base = mkdtempSync(join(tmpdir(), "qkv-paths-"));
  const requests: string[] = [];
  const index = (file: string) => JSON.stringify({ weight_map: { "model.norm.weight": file } });
  let current = "";
  const { origin: site, close } = await openServer((request, response) => {
    requests.push(request.url!);
    const name = new URL(request.url!, "http://localhost").pathname.replace("/model/", "");
    if (name === "config.json") return void response.end(config);
    if (name === "model.safetensors.index.json") return void response.end(index(current));
    response.writeHead(404).end();
  });
  try {
    writeFileSync(join(base, "secret"), "secret");
    const folder = join(base, "model");
    mkdirSync(folder);
    writeFileSync(join(folder, "config.json"), config);
    for (const path of [
      ...["../secret", "..\\secret", "/etc/passwd", "C:\\secret", "a/../../secret", "./secret", "..", "."],
      ...[
        "file:///etc/passwd",
        `${site}/secret`,
        "//host/secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "secret\0",
        "",
      ],
      ...["secret?x", "secret#x", "data:text/plain,x"],
    ]) {
      current = path;
      writeFileSync(join(folder, "model.safetensors.index.json"), index(path));
      const message = /`.*weight_map` is .*, expected the name of a file beside the index/;
      await expect(load(folder), path).rejects.toThrow(message);
      await expect(load(`${site}/model`), path).rejects.toThrow(message);
    }
    expect(requests.filter((url) => !url.startsWith("/model/"))).toEqual([]);
    expect(requests.filter((url) => /secret|passwd|\.\./.test(url))).toEqual([]);
  } finally {
    await close();
    rmSync(base, { recursive: true });
  }
});

test("an export only writes files into its folder, whatever tokens and texts the model has", async () => {
  const base = mkdtempSync(join(tmpdir(), "qkv-export-paths-"));
  try {
    const tokens = ["../secret", "/etc/passwd", "..\\secret", "__proto__", "C:\\secret", "model.safetensors"];
    const tokenizer = tokenizerFromJson({
      model: {
        type: "WordLevel",
        unk_token: tokens[0],
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      },
    });
    const config = {
      ...{ vocabSize: tokens.length, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
      ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
    };
    const params = decoder(config).init(1);
    await exportModel({ config, params, tokenizer }, { to: "hf", out: join(base, "out") });
    expect(readdirSync(base)).toEqual(["out"]);
    const names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"];
    expect(readdirSync(join(base, "out")).filter((name) => !names.includes(name))).toEqual([
      "tokenizer_config.json",
    ]);
    for (const taken of [base, join(base, "out"), join(base, "out", "..", "out")])
      await expect(exportModel({ config, params }, { to: "hf", out: taken })).rejects.toThrow(
        /`out` is .*expected a new folder/,
      );
  } finally {
    rmSync(base, { recursive: true });
  }
});
