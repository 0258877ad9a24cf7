import { checks, type Checks } from "@qkv/core";
import { cast, concat, isTensor, linear, mul, slice, sub, take, tensor, type Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { partsAfterNorm } from "./norm-parts.js";
import { residualNames, residualStream } from "./residual-stream.js";
import { rowHooks } from "./row-hooks.js";
import { partSource, type PartSource } from "./residual-part.js";

export type LogitOptions = {
  /** Token whose logit is split. Default: the one with the highest logit. */
  readonly token?: number;
  /** Token whose logit is subtracted: parts of the logit difference. Default: none. */
  readonly minus?: number;
  /** Position of the prediction. Default: the last. */
  readonly position?: number;
  /** True: a part for each head. False: one for the attention of a layer. Default true. */
  readonly heads?: boolean;
  /**
   * True: a part for each head and key, `layers.1.heads.2.keys.0`: the weight of the key times its value. They sum to
   * the part of the head. Differential heads are not split. Default false.
   */
  readonly keys?: boolean;
};

/** The contribution of one source to a logit. */
export type LogitPart = PartSource & { readonly value: number };

/** A logit, or the difference of two, as a sum. */
export type LogitParts = {
  /** The sum of the parts. */
  readonly logit: number;
  readonly token: number;
  readonly position: number;
  /** In the order of the model. */
  readonly parts: readonly LogitPart[];
};

/**
 * Direct logit attribution: splits the logit of a token by what was added to the residual stream. The scale of the final norm is
 * frozen at that of the run, so the parts sum to the logit; a softcap of logits is a part of its own. With `keys`, heads are split
 * by the tokens that they read.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @param options - `token`, `minus`, `position`, `heads`, `keys`.
 * @throws {ArgumentError} If a token or position is out of range, or the output matrix is rounded to 8 or 4 bits.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { logitParts } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const { logit, parts } = logitParts({ config, params: init(1), apply }, [3, 1, 4], { token: 5, minus: 2 });
 * Math.abs(parts.reduce((sum, { value }) => sum + value, 0) - logit) < 1e-5; // => true
 * ```
 */
export function logitParts(model: LensModel, input: TokenInput, options?: LogitOptions): LogitParts {
  checkModel(check, model);
  const { ids, length } = oneText(check, model, input);
  const given = check.options(options, ["token", "minus", "position", "heads", "keys"]);
  const { position = length - 1, heads = true, keys = false } = given;
  check.whole({ position }, { min: 0, max: length - 1, fix: "count tokens from 0." });
  check.type({ heads, keys }, "boolean");
  const fix = "leave `heads` out, or `keys`.";
  check.each({ keys }, () => heads || !keys, "false, as `heads` is false", fix);
  const names = logitNames(model, keys);
  const { hooks, tensors: rowTensors } = rowHooks(names, [position], length);
  const last = length - position;
  const { logits, tensors: values } = runWithTrace(model, ids, { names: keys ? ["value"] : [], hooks, last });
  const row = Array.from(slice(logits, 1, 0, 1).data, Number);
  const run = { row, tensors: { ...values, ...rowTensors }, position };
  return splitLogit(model, run, { ...given, heads, keys });
}

/** Full names of the tensors that `splitLogit` needs; with `keys`, attention weights too. */
export function logitNames({ config }: LensModel, keys = false): string[] {
  const suffixes = [...residualNames, ...(keys ? (["weights"] as const) : [])].map((name) => `.${name}`);
  return tensorNames(config).filter((name) => suffixes.some((end) => `.${name}`.endsWith(end)));
}

/** One position of a run: its logits and the rows of its tensors. */
export type LogitRun = {
  /** Logits, `[V]`. */
  readonly row: ArrayLike<number>;
  /** Rows by full name, `[1, 1, C]`. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly position: number;
};

/** Splits a logit of a run that was traced. */
export function splitLogit(
  model: LensModel,
  { row, tensors, position }: LogitRun,
  { token: given, minus, heads = true, keys = false }: Omit<LogitOptions, "position">,
): LogitParts {
  const { config, params } = model;
  const { weight, bias } = params.output ?? { ...params.embedding, bias: undefined };
  const isMatrix = () => isTensor(weight);
  check.each({ "params.output.weight": weight }, isMatrix, "a tensor", "load the model without `quantize`.");
  // A classifier may have fewer or more outputs than its vocabulary has tokens.
  const numOutputs = weight.shape[0]!;
  for (const [name, id] of Object.entries({ token: given, minus })) {
    if (id !== undefined)
      check.whole({ [name]: id }, { min: 0, max: numOutputs - 1, fix: "give a token id." });
  }
  let token = given ?? 0;
  if (given === undefined) for (let id = 1; id < row.length; id++) if (row[id]! > row[token]!) token = id;

  const positions = [position];
  const final = residualStream(model, { tensors, positions, traced: "positions", heads, keys }).final();
  const parts = partsAfterNorm(config, params.norm, final.rows, final.parts, { name: "norm.bias" });
  const tokenRow = (table: Tensor) => {
    // 16-bit weights are converted: products are computed in the type of the stream.
    const { dtype } = final.rows;
    const rows = (id: number) => {
      const index = tensor([id], { dtype: "int32", device: table.device });
      return cast(take(table, 0, index), dtype);
    };
    return minus === undefined ? rows(token) : sub(rows(token), rows(minus));
  };
  const rows = concat(
    parts.map(({ value }) => value),
    0,
  ); // [P, 1, C]
  const { logitScale = 1, logitSoftcap } = config;
  const products = mul(linear(rows, tokenRow(weight)), logitScale).data; // [P]
  const contributions: LogitPart[] = parts.map((part, i) => ({ ...partSource(part), value: products[i]! }));
  if (bias)
    contributions.push({ name: "output.bias", kind: "bias", value: tokenRow(bias).data[0]! * logitScale });
  const logit = row[token]! - (minus === undefined ? 0 : row[minus]!);
  if (logitSoftcap !== undefined) {
    const before = contributions.reduce((sum, { value }) => sum + value, 0);
    contributions.push({ name: "softcap", kind: "softcap", value: logit - before });
  }
  return { logit, token, position, parts: contributions };
}

const check: Checks = /* @__PURE__ */ checks("logitParts");
