import { denseSegment } from "@qkv/attention-contract";
import { checks } from "@qkv/core";
import { growingCache, type KvCache } from "@qkv/kv-cache";
import type { Tensor, TypedArray } from "@qkv/tensor";
import type { Model } from "@qkv/transformer";
import type { CacheOperation } from "@qkv/viz/figures/caches-at-work";
import { tokenText } from "../token-text.js";

/** The conversation that runs on all caches, with the keys and logits of a cache of all tokens in float32. */
export type Conversation = {
  operations: CacheOperation[];
  /** Token ids that each operation appends: all of a prompt or request, one of an append, none of a fork. */
  given: (readonly number[])[];
  /** Token ids of A, B and C after all operations. */
  ids: number[][];
  texts: string[][];
  /** Logits after each operation, `[V]`; undefined after a fork. */
  logits: (TypedArray | undefined)[];
  /** Attention of the last token after each operation, mean of all heads and layers. */
  attention: number[][];
  /** Keys of layer 0 `[1, Hkv, T, D]` of A, B and C. */
  keys: (Tensor | undefined)[];
};

/** Runs the model with a growing cache and greedy decoding. The fork starts with the second most probable token. */
export async function conversation(
  model: Model,
  operations: string,
  signal: AbortSignal | undefined,
): Promise<Conversation> {
  const kinds = readOperations(operations);
  const caches: KvCache[] = [];
  const ids: number[][] = [[], [], []];
  const last: (TypedArray | undefined)[] = [];
  const result: Pick<Conversation, "operations" | "given" | "logits" | "attention"> = {
    operations: [],
    given: [],
    logits: [],
    attention: [],
  };
  let forked = false;
  for (const { kind, sequence } of kinds) {
    signal?.throwIfAborted();
    let given: number[] = [];
    if (kind === "fork") {
      caches[1] = caches[0]!.fork();
      ids[1] = [...ids[0]!];
      last[1] = last[0];
      forked = true;
    } else {
      const isBranching = kind === "append" && sequence === 1 && forked;
      if (isBranching) forked = false;
      given =
        kind === "append"
          ? [likelyToken(model, last[sequence]!, isBranching ? 1 : 0)]
          : model.tokenizer!.encode(
              // The other request shares a prefix with the prompt.
              `The cat sat on the mat. ${kind === "prompt" ? "Then it" : "The dog"}`,
              { addSpecialTokens: false },
            );
      caches[sequence] ??= growingCache({ numLayers: model.config.numLayers });
      ids[sequence]!.push(...given);
    }
    result.operations.push({ kind, sequence, lengths: ids.map((sequenceIds) => sequenceIds.length) });
    result.given.push(given);
    if (kind === "fork") {
      result.logits.push(undefined);
      result.attention.push([]);
      continue;
    }
    const tensors: Record<string, Tensor> = {};
    const { config, params } = model;
    const options = { cache: caches[sequence]!, last: 1 };
    const logits = await model
      .apply(params, given, { ...options, trace: { names: ["weights"], tensors } })
      .read();
    last[sequence] = logits;
    result.logits.push(logits);
    result.attention.push(meanWeights(tensors, config.numLayers, ids[sequence]!.length));
    await new Promise((resolve) => setTimeout(resolve));
  }
  return {
    ...result,
    ids,
    texts: ids.map((own) => own.map((id) => tokenText(model, id))),
    keys: ids.map((own, s) => (own.length > 0 ? denseSegment(caches[s]!.read(0).key[0]!, 1) : undefined)),
  };
}

/** Parses operations, one letter each as in the choices, and puts the prompt before them. */
function readOperations(operations: string): Pick<CacheOperation, "kind" | "sequence">[] {
  const check = checks("cachesAtWorkModel");
  check.type({ operations }, "string");
  const hasBegun = [true, false, false];
  const refuse = (expected: string) =>
    check.refuse({
      argument: "operations",
      received: operations,
      expected,
      fix: 'as "aafbn": append twice to A, fork it, append to B, make a new request.',
    });
  if (operations.length > 24) refuse("at most 24 letters");
  const list = Array.from(operations, (letter): Pick<CacheOperation, "kind" | "sequence"> => {
    const starts = { f: 1, n: 2 }[letter];
    if (starts !== undefined) {
      if (hasBegun[starts]) refuse(`"${letter}" once`);
      hasBegun[starts] = true;
      return { kind: letter === "f" ? "fork" : "request", sequence: starts };
    }
    const sequence = "abc".indexOf(letter);
    if (sequence < 0) refuse("letters a, b, c, f and n");
    if (!hasBegun[sequence]) refuse(`"${letter}" after "${sequence === 1 ? "f" : "n"}"`);
    return { kind: "append", sequence };
  });
  return [{ kind: "prompt", sequence: 0 }, ...list];
}

/** The token with the `rank`-th largest logit, from 0, without stop tokens. */
function likelyToken({ config }: Model, logits: TypedArray, rank: number): number {
  const order = Array.from(logits, (logit, id) => ({ logit: Number(logit), id }))
    .filter(({ id }) => !config.stopIds.includes(id))
    .sort((a, b) => b.logit - a.logit);
  return order[rank]!.id;
}

/** Weights of the last query over T keys, the mean of all heads and layers. */
function meanWeights(tensors: Readonly<Record<string, Tensor>>, numLayers: number, T: number): number[] {
  const mean = new Array<number>(T).fill(0);
  for (let layer = 0; layer < numLayers; layer++) {
    const { data, shape } = tensors[`layers.${layer}.attention.weights`]!;
    const [, H, rows] = shape as [number, number, number];
    for (let head = 0; head < H; head++)
      for (let s = 0; s < T; s++)
        mean[s]! += Number(data[(head * rows + rows - 1) * T + s]) / (H * numLayers);
  }
  return mean;
}
