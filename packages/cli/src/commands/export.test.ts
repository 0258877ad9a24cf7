import { readGgufHeader } from "@qkv/core";
import { mapTensors, tensorsOf, type Tensor } from "@qkv/tensor";
import { load, loadAny } from "@qkv/transformer";
import { modelTiny } from "@qkv/model-tiny";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { run } from "../run.js";

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-export-"))));
afterAll(() => rmSync(root, { recursive: true }));

async function qkv(...args: string[]) {
  let [out, err] = ["", ""];
  const status = await run(args, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    color: false,
  });
  return { status, out, err };
}

test("the embedded model is exported to a folder that loads as the same model", async () => {
  const out = join(root, "tiny");
  const result = await qkv("export", "@qkv/model-tiny", "--to", "hf", out, "--json");
  expect(result).toMatchObject({ status: 0, err: "" });
  const numbers = new Map<string, Tensor>();
  const [ours, theirs] = [await load(await modelTiny()), await load(out)];
  mapTensors(ours.params, (x, path) => (numbers.set(path, x), x));
  let count = 0;
  mapTensors(theirs.params, (x, path) => {
    expect(x.data, path).toEqual(numbers.get(path)?.data);
    count += 1;
    return x;
  });
  expect(count).toBe(numbers.size);
  const bytes = [...numbers.values()].reduce((sum, { data }) => sum + 4 * data.length, 0);
  expect(JSON.parse(result.out)).toEqual({ to: "hf", out, dtype: "float32", bytes });
  const text = "Once upon a time there was a boat.";
  expect(theirs.tokenizer?.encode(text)).toEqual(ours.tokenizer?.encode(text));
  const config = JSON.parse(readFileSync(join(out, "tokenizer_config.json"), "utf8")) as object;
  expect(config).toMatchObject({ tokenizer_class: "PreTrainedTokenizerFast" });
});

test("an existing folder is not overwritten, and an unknown format is refused, with the fix", async () => {
  const again = await qkv("export", "@qkv/model-tiny", "--to", "hf", root);
  expect(again.status).toBe(1);
  expect(again.err).toMatch(/`out` is .*expected a new folder.*\nFix: name a folder that does not exist yet/);
  const zip = await qkv("export", "@qkv/model-tiny", "--to", "zip", join(root, "zip"));
  expect(zip.status).not.toBe(0);
  expect(zip.err).toMatch(/Allowed choices are hf, onnx, gguf/);
  const size = await qkv("export", "@qkv/model-tiny", "--to", "hf", join(root, "a"), "--shard-size", "some");
  expect(size.err).toMatch(/`shardBytes` is NaN/);
  const opset = await qkv("export", "@qkv/model-tiny", "--to", "hf", join(root, "a"), "--opset", "17");
  expect(opset.err).toMatch(
    /`--opset` is "17", expected nothing with --to hf\.\nFix: leave it out, or export --to onnx/,
  );
  expect(readdirSync(root)).toEqual(["tiny"]);
  expect(existsSync(join(root, "tiny", "config.json"))).toBe(true);
});

test("a model is exported to ONNX for opset 23 and 17", async () => {
  const sizes = [];
  for (const opset of [[], ["--opset", "17"]]) {
    const out = join(root, `onnx${opset.length}`);
    const result = await qkv("export", "@qkv/model-tiny", "--to", "onnx", out, ...opset, "--json");
    expect(result).toMatchObject({ status: 0, err: "" });
    const { to, bytes } = JSON.parse(result.out) as { to: string; bytes: number };
    const { size } = statSync(join(out, "onnx/model.onnx"));
    expect(to).toBe("onnx");
    expect(size).toBeGreaterThan(bytes);
    expect(existsSync(join(out, "tokenizer.json"))).toBe(true);
    sizes.push(size);
  }
  expect(sizes[1]).toBeGreaterThan(sizes[0]!); // more nodes
});

test("a model is exported to GGUF, in float32 and q8_0", async () => {
  const ours = await load(await modelTiny());
  const text = "Once upon a time there was a boat.";
  for (const [dtype, perNumber] of [
    ["float32", 4],
    ["q8_0", 34 / 32],
  ] as const) {
    const out = join(root, `${dtype}.gguf`);
    const result = await qkv("export", "@qkv/model-tiny", "--to", "gguf", "--dtype", dtype, out, "--json");
    expect(result).toMatchObject({ status: 0, err: "" });
    const { bytes } = JSON.parse(result.out) as { bytes: number };
    expect(statSync(out).size).toBeGreaterThan(bytes);
    const theirs = await load(out);
    expect(theirs.tokenizer?.encode(text)).toEqual(ours.tokenizer?.encode(text));
    const count = tensorsOf(ours.params).reduce((sum, { data }) => sum + data.length, 0);
    expect(bytes / count).toBeGreaterThanOrEqual(perNumber);
    expect(bytes / count).toBeLessThan(perNumber * 1.02); // vectors are not quantized
  }
  const folder = await qkv("export", "@qkv/model-tiny", "--to", "hf", "--dtype", "q8_0", join(root, "a"));
  expect(folder.err).toMatch(
    /`--dtype q8_0` is true, expected nothing with --to hf\.\nFix: leave it out, or export --to gguf/,
  );
});

test("a chat template is exported with the model", async () => {
  const from = join(root, "talks");
  await qkv("export", "@qkv/model-tiny", "--to", "hf", from);
  const template = "{% for m in messages %}{{ m.content }}{% endfor %}";
  writeFileSync(join(from, "chat_template.jinja"), template);
  const [folder, file] = [join(root, "talks too"), join(root, "talks.gguf")];
  expect((await qkv("export", from, "--to", "hf", folder)).status).toBe(0);
  const config = JSON.parse(readFileSync(join(folder, "tokenizer_config.json"), "utf8")) as object;
  expect(config).toMatchObject({ chat_template: template });
  expect((await qkv("export", from, "--to", "gguf", file)).status).toBe(0);
  // And from such a file into another.
  const again = join(root, "talks again.gguf");
  expect((await qkv("export", file, "--to", "gguf", again)).status).toBe(0);
  for (const path of [file, again]) {
    const { metadata } = readGgufHeader(readFileSync(path));
    expect(metadata.get("tokenizer.chat_template")).toBe(template);
  }
  expect(readFileSync(again)).toEqual(readFileSync(file));
});

test.each(["vit", "dinov2", "clip", "siglip"])(
  "%s, a model of images, is exported to a folder that loads as the same model",
  async (folder) => {
    const [source, out] = [ownData.path(`hf/${folder}`), join(root, folder)];
    expect(await qkv("export", source, "--to", "hf", out)).toMatchObject({ status: 0 });
    const [ours, theirs] = [await loadAny(source), await loadAny(out)];
    expect(theirs.config).toEqual(ours.config);
    expect(tensorsOf(theirs.params).map(({ data }) => data)).toEqual(
      tensorsOf(ours.params).map(({ data }) => data),
    );
  },
);

test("a speech model is exported with its feature extractor, and to no other format", async () => {
  const source = join(root, "whisper");
  mkdirSync(source);
  for (const name of ["config.json", "model.safetensors"])
    writeFileSync(join(source, name), ownData.bytes(`hf/whisper/${name}`));
  const out = join(root, "sound");
  expect((await qkv("export", source, "--to", "hf", out)).status).toBe(0);
  expect(existsSync(join(out, "preprocessor_config.json"))).toBe(true);
  const [ours, theirs] = [await loadAny(source), await loadAny(out)];
  expect(theirs.config).toEqual(ours.config);
  const { status, err } = await qkv("export", source, "--to", "onnx", join(root, "graph"));
  expect(status).toBe(1);
  expect(err).toMatch(/expected "hf" for a model of speech/);
  expect(existsSync(join(root, "graph"))).toBe(false);
});

test("folders above the output are made, as by qkv train", async () => {
  const out = join(root, "new", "deep", "tiny.gguf");
  expect(await qkv("export", "@qkv/model-tiny", "--to", "gguf", out)).toMatchObject({ status: 0 });
  expect(statSync(out).size).toBeGreaterThan(1000);
});
