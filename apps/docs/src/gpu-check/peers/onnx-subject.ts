import type { AttentionInputs, Subject } from "@qkv/device/check";
import { addedToScores, seenOf, swapFirstAxes } from "./seen";

type OnnxTensor = { getData(): Promise<ArrayLike<number>>; dispose(): void };
type Session = {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
};

/** The part of ONNX Runtime Web's API that a check uses. */
export type Onnx = {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { executionProviders: readonly string[]; logSeverityLevel: number },
    ): Promise<Session>;
  };
};

/** A builder of ONNX models: `graph` of benchmarks/peers/onnx.mjs. */
type Graph = {
  input(name: string, shape: readonly number[]): string;
  output(name: string, shape: readonly number[]): string;
  op(
    type: string,
    operands: readonly string[],
    attributes: Record<string, number>,
    options: { domain?: string; to: readonly string[] },
  ): unknown;
  bytes(): Uint8Array;
};

type Feeds = Record<string, readonly [data: Float32Array, shape: readonly number[]]>;

/** ONNX Runtime Web: `MatMul`, and its operator `MultiHeadAttention` with an additive mask. */
export function onnxSubject(name: string, provider: string, onnx: Onnx, graph: () => Graph): Subject {
  const run = async (model: Uint8Array, feeds: Feeds) => {
    const session = await onnx.InferenceSession.create(model, {
      executionProviders: [provider],
      logSeverityLevel: 3,
    });
    try {
      const inputs = Object.entries(feeds).map(
        ([name, [data, shape]]) => [name, new onnx.Tensor("float32", data, shape)] as const,
      );
      const output = (await session.run(Object.fromEntries(inputs)))[session.outputNames[0]!]!;
      return await output.getData();
    } finally {
      await session.release();
    }
  };
  const inputsOf = (g: Graph, feeds: Feeds) =>
    Object.entries(feeds).map(([name, [, shape]]) => g.input(name, shape));
  return {
    name,
    matmul({ M, K, N, a, b }) {
      const g = graph();
      const feeds: Feeds = { a: [a, [M, K]], b: [b, [K, N]] };
      g.op("MatMul", inputsOf(g, feeds), {}, { to: [g.output("y", [M, N])] });
      return run(g.bytes(), feeds);
    },
    async attention(inputs) {
      const { H, T, D } = inputs;
      const g = graph();
      const feeds = feedsOf(inputs);
      const [query, key, value, added] = inputsOf(g, feeds) as [string, string, string, string?];
      // Omitted inputs between value and attention_bias: the bias of projections, and the padding mask.
      const operands = [query, key, value, ...(added ? ["", "", added] : [])];
      const y = g.output("y", [1, T, H * D]);
      g.op("MultiHeadAttention", operands, { num_heads: H }, { domain: "com.microsoft", to: [y] });
      return swapFirstAxes(await run(g.bytes(), feeds), T, H, D);
    },
  };
}

function feedsOf(inputs: AttentionInputs): Feeds {
  const { H, T, S, D, query, key, value } = inputs;
  const seen = seenOf(inputs);
  const rows = (data: Float32Array, length: number) =>
    [swapFirstAxes(data, H, length, D), [1, length, H * D]] as const;
  return {
    query: rows(query, T),
    key: rows(key, S),
    value: rows(value, S),
    ...(seen && { added: [addedToScores(seen), [1, 1, T, S]] as const }),
  };
}
