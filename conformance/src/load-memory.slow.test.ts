import { DeviceError, writeSafetensorsHeader } from "@qkv/core";
import { cast, linear, randn, tensorsOf, type Device, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { isQuantized } from "@qkv/tensor/quantized";
import {
  decoder,
  encoder,
  generate,
  load,
  loadEncoder,
  quantize,
  type DecoderConfig,
  type Model,
} from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { wasm } from "@qkv/wasm";
import { beforeAll, describe, expect, test } from "vitest";

const base: DecoderConfig = {
  ...{ vocabSize: 40, embedDim: 24, hiddenDim: 20, numLayers: 2, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
const gpt2: Partial<DecoderConfig> = {
  ...{ norm: "layer", activation: "geluTanh", gated: false, positions: "learned", numKvHeads: 4 },
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
};
/** Layouts of stored matrices: plain, fused, transposed, experts in separate tensors or in one. */
const families: Record<string, Partial<DecoderConfig>> = {
  llama: {},
  "phi3, fused": { headDim: 6, ropeDim: 4, ropeScaling: longRope() },
  "gpt2, fused and transposed": gpt2,
  "mixtral, experts": { experts: { numExperts: 3, expertsPerToken: 2 } },
};
function longRope(): NonNullable<DecoderConfig["ropeScaling"]> {
  const factors = [1, 1.5];
  return { type: "longrope", factor: 8, originalLength: 32, shortFactors: factors, longFactors: factors };
}
const types = ["bfloat16", "float16"] as const;
const ids = [3, 14, 15, 9, 26, 5];

async function filesOf(
  changes: Partial<DecoderConfig>,
  dtype: "float32" | (typeof types)[number],
  to: "hf" | "gguf" = "hf",
  untied = false,
): Promise<File[]> {
  const { config, init } = decoder({ ...base, ...changes });
  const params = { ...init(1), ...(untied && { output: { weight: randn([40, 24], { seed: 9 }) } }) };
  const folder = memoryFolder();
  await exportModel({ config, params }, { to, out: folder, dtype } as never);
  return [...folder.files];
}
const bits = (x: Tensor) => new Uint32Array((x.data.slice() as Float32Array).buffer);
const logitsOf = ({ apply, params }: Model, given = ids) => bits(apply(params, given));

describe("16-bit checkpoints on wasm", () => {
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ threads: 1 });
  });

  test.each(Object.keys(families).flatMap((name) => types.map((dtype) => [name, dtype] as const)))(
    "%s in %s: matrices stay 16-bit, and logits are bitwise equal to those of float32",
    async (name, dtype) => {
      const files = await filesOf(families[name]!, dtype);
      const narrow = await load(files, { device });
      const wide = await load(files, { device, dtype: "float32" });
      const [first] = narrow.params.layers;
      expect(first!.attention.query.weight.dtype).toBe(dtype);
      expect(narrow.params.embedding.weight.dtype).toBe(dtype);
      expect(first!.attentionNorm.weight.dtype).toBe("float32");
      const matrices = tensorsOf(narrow.params.layers).filter(({ shape }) => shape.length === 2);
      expect([...new Set(matrices.map((x) => x.dtype))]).toEqual([dtype]);
      expect(new Set(tensorsOf(wide.params).map((x) => x.dtype))).toEqual(new Set(["float32"]));
      // Every matrix has the same values, whatever its layout in the file.
      const [ours, others] = [tensorsOf(narrow.params), tensorsOf(wide.params)];
      ours.forEach((x, i) => expect(cast(x, "float32").data).toEqual(others[i]!.data));
      for (const given of [ids, [7]]) expect(logitsOf(narrow, given)).toEqual(logitsOf(wide, given));
      const generated = async (model: Model) => {
        const all: number[] = [];
        for await (const { id, logprob } of generate(model, ids, { maxTokens: 4 }))
          all.push(id, logprob ?? 0);
        return all;
      };
      expect(await generated(narrow)).toEqual(await generated(wide));
    },
  );

  test.each(types)("a GGUF file in %s, with an untied output projection", async (dtype) => {
    const files = await filesOf({}, dtype, "gguf", true);
    const source = new Uint8Array(await files[0]!.arrayBuffer());
    const [narrow, wide] = [await load(source, { device }), await load(source, { device, dtype: "float32" })];
    expect(narrow.params.output!.weight.dtype).toBe(dtype);
    expect(narrow.params.layers[0]!.attention.key.weight.dtype).toBe(dtype);
    expect(logitsOf(narrow)).toEqual(logitsOf(wide));
  });

  test("the plain device widens them to float32, and an encoder on wasm keeps 16 bits too", async () => {
    const files = await filesOf({}, "bfloat16");
    const plain = await load(files);
    expect(new Set(tensorsOf(plain.params).map((x) => x.dtype))).toEqual(new Set(["float32"]));
    const bert = encoder({
      ...{ vocabSize: 40, embedDim: 24, hiddenDim: 20, numLayers: 2, numHeads: 4 },
      ...{ contextLength: 32, numTypes: 2, normEps: 1e-12 },
    });
    const folder = memoryFolder();
    await exportModel({ config: bert.config, params: bert.init(1) } as never, {
      ...{ to: "hf", out: folder, dtype: "bfloat16" },
    });
    const narrow = await loadEncoder([...folder.files], { device });
    const wide = await loadEncoder([...folder.files], { device, dtype: "float32" });
    expect(narrow.params.embedding.weight.dtype).toBe("bfloat16");
    expect(narrow.params.layers[0]!.attention.query.weight.dtype).toBe("bfloat16");
    expect(bits(narrow.apply(narrow.params, ids))).toEqual(bits(wide.apply(wide.params, ids)));
  });

  test.each(["int8", "int4"] as const)(
    "quantizing 16-bit weights to %s equals quantizing float32 weights",
    async (kind) => {
      const files = await filesOf({}, "bfloat16");
      const narrow = await load(files, { device, quantize: kind });
      const wide = await load(files, { device, quantize: kind, dtype: "float32" });
      expect(narrow.params.embedding.weight.dtype).toBe("bfloat16");
      expect(isQuantized(narrow.params.layers[0]!.attention.query.weight)).toBe(true);
      expect(narrow.quantization!.errors).toEqual(wide.quantization!.errors);
      expect(logitsOf(narrow)).toEqual(logitsOf(wide));
      // Also for a loaded model, on either device.
      const later = quantize(await load(files, { device }), { kind });
      expect(later.report.errors).toEqual(narrow.quantization!.errors);
      expect(logitsOf(later.model)).toEqual(logitsOf(narrow));
    },
  );

  test("training or other operations on 16-bit weights give an error whose fix widens them", async () => {
    const model = await load(await filesOf({}, "bfloat16"), { device });
    const { weight } = model.params.layers[0]!.attention.query;
    expect(() => linear(weight, weight)).toThrow(/this type is for storage: `cast\(x, "float32"\)` first/);
    expect(() => adam({ learningRate: 0.1 }).init(model.params)).toThrow(
      /is "bfloat16", expected float32 or float64.*\nFix: train a float32 copy/,
    );
    await expect(load([], { dtype: "bfloat16" as never })).rejects.toThrow(
      /load: `dtype` is "bfloat16", expected "auto" or "float32"/,
    );
  });

  test("an export writes the loaded 16-bit weights", async () => {
    const files = await filesOf({}, "bfloat16");
    const model = await load(files, { device });
    const folder = memoryFolder();
    await exportModel(model, { to: "hf", out: folder, dtype: "bfloat16" });
    const tensorsFile = (all: readonly File[]) => all.find(({ name }) => name.endsWith(".safetensors"))!;
    const [again, first] = await Promise.all(
      [folder.files, files].map((all) => tensorsFile(all).arrayBuffer()),
    );
    expect(new Uint8Array(again!)).toEqual(new Uint8Array(first!));
  });
});

/** A Llama of one layer in bfloat16, in two shards, as files that record the ranges read from them. */
function shards({ F, V, C = 64 }: { F: number; V: number; C?: number }) {
  const config = {
    ...{ model_type: "llama", vocab_size: V, hidden_size: C, intermediate_size: F, num_hidden_layers: 1 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 512, rms_norm_eps: 1e-5 },
    ...{ tie_word_embeddings: true },
  };
  const layer = "model.layers.0";
  const shapes: [name: string, shape: number[]][] = [
    ["model.embed_tokens.weight", [V, C]],
    ["model.norm.weight", [C]],
    [`${layer}.input_layernorm.weight`, [C]],
    [`${layer}.post_attention_layernorm.weight`, [C]],
    [`${layer}.self_attn.q_proj.weight`, [C, C]],
    [`${layer}.self_attn.k_proj.weight`, [C / 2, C]],
    [`${layer}.self_attn.v_proj.weight`, [C / 2, C]],
    [`${layer}.self_attn.o_proj.weight`, [C, C]],
    [`${layer}.mlp.gate_proj.weight`, [F, C]],
    [`${layer}.mlp.up_proj.weight`, [F, C]],
    [`${layer}.mlp.down_proj.weight`, [C, F]],
  ];
  const reads: { name: string; start: number; end: number }[] = [];
  class NotedFile extends File {
    override slice(start = 0, end = this.size): Blob {
      reads.push({ name: this.name, start, end });
      return super.slice(start, end);
    }
  }
  const headers: Record<string, number> = {};
  const files = [0, 1].map((part) => {
    const own = shapes.filter((_, i) => i % 2 === part);
    const header = writeSafetensorsHeader(own.map(([name, shape]) => ({ name, shape, dtype: "BF16" })));
    const count = own.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    // Values of about 0.03 with different bits.
    const numbers = Uint16Array.from({ length: count }, (_, i) => 0x3c80 + ((i * 7919) % 128));
    const name = `model-${part}.safetensors`;
    headers[name] = header.length;
    return new NotedFile([header as Uint8Array<ArrayBuffer>, numbers], name);
  });
  const text = (name: string, value: unknown) => new File([JSON.stringify(value)], name);
  const weight_map = Object.fromEntries(shapes.map(([name], i) => [name, `model-${i % 2}.safetensors`]));
  return {
    reads,
    headers,
    size: files.reduce((sum, file) => sum + file.size, 0),
    source: [text("config.json", config), text("model.safetensors.index.json", { weight_map }), ...files],
  };
}

const bytesIn = (message: string) => Number(/expected (\d+) bytes/.exec(message)![1]);

/** Expects a number of bytes. The device rounds the size of each of `tensors` tensors up to a multiple of 64. */
function expectNear(counted: number, held: number): void {
  expect(counted).toBeLessThanOrEqual(held);
  expect(counted).toBeGreaterThan(held - 64 * 40);
}

/** Bytes on a device while a model is referenced. */
async function bytesHeld(sizes: Parameters<typeof shards>[0], quantize?: "int8" | "int4"): Promise<number> {
  const device = await wasm({ threads: 1 });
  const model = await load(shards(sizes).source, { device, ...(quantize && { quantize }) });
  const { bytes } = device.memory();
  // Garbage collection frees unreferenced tensors: this use keeps the model alive until here.
  expect(model.params.embedding.weight.device).toBe(device);
  return bytes!;
}

describe("the memory of a load", () => {
  test("64 MB in shards take 64 MB on the device, and are read once, a few megabytes at a time", async () => {
    const device = await wasm({ threads: 1 });
    const { source, size, reads } = shards({ V: 100_000, F: 130_000 });
    expect(size).toBeGreaterThan(60e6);
    const model = await load(source, { device });
    const { bytes, peakBytes } = device.memory();
    expect(peakBytes).toBeLessThan(1.01 * size);
    expect(bytes).toBe(peakBytes);
    expect(device.memory().grownBytes).toBeLessThan(size + 2 ** 25 + 2 ** 21);
    expect(Math.max(...reads.map(({ start, end }) => end - start))).toBeLessThanOrEqual(2 ** 22);
    const ranges = reads.sort((a, b) => a.name.localeCompare(b.name) || a.start - b.start || a.end - b.end);
    ranges.forEach(({ name, start, end }, i) => {
      const before = ranges[i - 1];
      if (before?.name === name && before.end > start) expect(end - start).toBeLessThan(4096); // only the header
    });
    expect(model.params.embedding.weight.dtype).toBe("bfloat16");
  });

  test.each(["int8", "int4"] as const)(
    "rounded to %s as it is read, it takes what the rounded model takes",
    async (quantize) => {
      const device = await wasm({ threads: 1 });
      const { source, size } = shards({ V: 64, F: 20_000 });
      await load(source, { device, quantize });
      expect(device.memory().peakBytes).toBeLessThan((quantize === "int8" ? 0.56 : 0.35) * size);
    },
  );

  const limit = 3 * 2 ** 20;
  const large = { V: 100, F: 9000 };

  test("a model larger than the memory is refused before any weight is read, with the required bytes", async () => {
    const device = await wasm({ threads: 1, maxBytes: limit });
    const before = device.memory().bytes;
    const { source, reads, headers } = shards(large);
    const error = await load(source, { device }).then(
      () => undefined,
      (error: unknown) => error as DeviceError,
    );
    expect(error).toBeInstanceOf(DeviceError);
    const needed = bytesIn(error!.message);
    // Keys and values of 256 tokens in one layer, two heads of 16.
    const cache = 4 * 256 * 2 * 2 * 16;
    expectNear(needed, (await bytesHeld(large)) + cache);
    expect(error!.message).toMatch(
      /load: `device` is "wasm,threads=1.*, which has 3 MiB left of 3 MiB", expected \d+ bytes: 4 MiB for the weights, and 1 MiB for keys and values of 256 tokens\.\nFix: `quantize: "int8"` needs 2 MiB; `quantize: "int4"` needs 2 MiB; .*nothing of the weights was read/,
    );
    expect(reads.every(({ name, end }) => end <= headers[name]!)).toBe(true);
    expect(device.memory().bytes).toBe(before);
    // The quantization in the error's fix loads, and needs the bytes that the error states.
    const model = await load(source, { device, quantize: "int8" });
    for (const quantize of ["int8", "int4"] as const) {
      const short = await wasm({ threads: 1, maxBytes: 2 ** 20 });
      const refused = await load(source, { device: short, quantize }).catch((error: unknown) =>
        String(error),
      );
      expectNear(bytesIn(String(refused)), (await bytesHeld(large, quantize)) + cache);
    }
    expect(model.apply(model.params, [1]).shape).toEqual([1, 1, 100]);
  });

  test("memory of other tensors counts, and float32 counts twice", async () => {
    const device = await wasm({ threads: 1, maxBytes: limit });
    const { source } = shards({ V: 100, F: 4000 });
    await expect(load(source, { device, dtype: "float32" })).rejects.toThrow(/which has 3 MiB left of 3 MiB/);
    const model = await load(source, { device });
    await expect(load(source, { device })).rejects.toThrow(
      /which has 2 MiB left of 3 MiB.* 2 MiB for the weights/,
    );
    expect(model.params.embedding.weight.dtype).toBe("bfloat16");
  });
});
