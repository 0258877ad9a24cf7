import { checks, isQkvError, type Checks } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import type { ModelTrace } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import { checkModel, tokenIds, type LensModel, type TokenInput } from "./lens-model.js";

/** Called with a tensor of a run and its full name. A tensor that it returns replaces x; undefined leaves x unchanged. */
export type Hook = (x: Tensor, name: string) => Tensor | undefined;

/**
 * Hooks by names of tensors: a full name, `layers.1.attentionOutput`, or the end of names for all layers, `attentionOutput`.
 */
export type Hooks = Readonly<Record<string, Hook>>;

/** Names of tensors to trace: full names or ends of names. */
export type TraceNames = ModelTrace["names"];

export type RunOptions = {
  /** Tensors to return: full names, or ends of names for all layers: `["weights", "layers.0.output"]`. Default: all. */
  readonly names?: TraceNames;
  /** Functions that read and replace tensors during the run. Default: none. */
  readonly hooks?: Hooks;
  /** Computes logits for this number of last positions. Default: all. */
  readonly last?: number;
};

/** The logits of a run, and its traced tensors. */
export type TracedRun = {
  /** `[B, T, V]`, or `[B, last, V]`. */
  readonly logits: Tensor;
  /** Traced tensors by full name: `layers.0.attention.weights`. */
  readonly tensors: Readonly<Record<string, Tensor>>;
};

/**
 * Runs a model and returns its tensors by name; hooks read and replace them during the run. Combines `run_with_cache` and
 * `run_with_hooks` of TransformerLens.
 *
 * @param input - A text, a list of ids, or ids `[B, T]`.
 * @param options - `names`: tensors to return, default all of {@link tensorNames}. `hooks`: functions by the name of a tensor.
 *   `last`: the number of last positions whose logits are computed, default all.
 * @returns Logits `[B, T, V]` and tensors by full name.
 * @throws {ArgumentError} If the model has no tensor of a given name.
 *
 * @example
 * ```ts
 * import { mul } from "@qkv/tensor";
 * import { decoder } from "@qkv/transformer";
 * import { runWithTrace } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const { logits, tensors } = runWithTrace(model, [3, 1, 4], {
 *   names: ["weights"],
 *   hooks: { "layers.0.feedForwardOutput": (x) => mul(x, 0) },
 * });
 * logits.shape; // => [1, 3, 11]
 * Object.keys(tensors); // => ["layers.0.attention.weights", "layers.1.attention.weights"]
 * ```
 */
export function runWithTrace(model: LensModel, input: TokenInput, options?: RunOptions): TracedRun {
  checkModel(check, model);
  const [name, hook] = Object.entries(options ?? {})[0] ?? [];
  if (typeof hook === "function" && name !== "names" && name !== "hooks" && name !== "last") {
    const fix = "give hooks as an option of that name: `{ hooks: ablate(targets) }`.";
    check.refuse({
      argument: "options",
      received: `a hook of ${name}`,
      expected: "{ names, hooks, last }",
      fix,
    });
  }
  const given = check.options(options, ["names", "hooks", "last"]);
  const { names = tensorNames(model.config) as TraceNames, hooks = {}, last } = given;
  if (last !== undefined) check.whole({ last }, { min: 1, unit: "tokens" });
  const ids = tokenIds(check, model, input);
  const tensors: Record<string, Tensor> = {};
  const interventions = resolveHooks(model, hooks);
  try {
    const trace = { names, tensors, interventions };
    const logits = model.apply(model.params, ids, { trace, ...(last !== undefined && { last }) });
    return { logits, tensors };
  } catch (error) {
    // The model's errors name its own arguments, `trace.names`; this one names the option.
    const argument = isQkvError(error) ? traceArguments[error.argument] : undefined;
    if (!isQkvError(error) || argument === undefined) throw error;
    const { received, expected } = error;
    const isInside = argument === "hooks" && /\.(dots|capped|scores|lse)$/.test(String(received));
    const fix = isInside ? "replace the `query`, the `key` or the `weights` of that layer." : error.fix;
    return check.refuse({ argument, received, expected, fix, cause: error });
  }
}

/** Our options by the arguments of the model. */
const traceArguments: Readonly<Record<string, string>> = {
  "trace.names": "names",
  "trace.interventions": "hooks",
};

/** Thrown to end a pass early. */
class EndOfPass extends Error {}

/**
 * Runs a model up to one tensor, and returns the result of `read` for it. The rest of the pass is not computed.
 *
 * @param name - Full name of the tensor.
 * @param hooks - Read and replace tensors before it.
 */
export function runUntil<T>(
  model: LensModel,
  input: TokenInput,
  name: string,
  read: (x: Tensor) => T,
  hooks: Hooks = {},
): T {
  return runUntilEnd((end) => {
    const at = (x: Tensor): never => end(read(x));
    runWithTrace(model, input, { names: [], last: 1, hooks: { ...hooks, [name]: at } });
  });
}

/** Runs `f` until it calls `end`, and returns the argument of `end`. */
export function runUntilEnd<T>(f: (end: (result: T) => never) => void): T {
  let found: [T] | undefined;
  try {
    f((result) => {
      found = [result];
      throw new EndOfPass();
    });
  } catch (error) {
    if (!(error instanceof EndOfPass)) throw error;
  }
  return found![0];
}

/** Expands hooks to interventions by full name: a hook for the end of a name applies to every tensor whose name ends so. */
export function resolveHooks(model: LensModel, hooks: Hooks): Interventions {
  const isHooks = (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((hook) => typeof hook === "function");
  check.each({ hooks }, isHooks, "functions by the name of a tensor");
  const allNames = tensorNames(model.config);
  const interventions: Record<string, (x: Tensor) => Tensor> = {};
  for (const [name, hook] of Object.entries(hooks)) {
    const full = allNames.filter((one) => one === name || one.endsWith(`.${name}`));
    // An unknown name is passed on: the model refuses it and suggests the nearest name.
    for (const fullName of full.length > 0 ? full : [name]) {
      const before = interventions[fullName];
      interventions[fullName] = (x) => {
        const input = before ? before(x) : x;
        const replacement = hook(input, fullName);
        if (!replacement) return input;
        const isLike = (y: unknown) => isTensor(y) && y.shape.join() === input.shape.join();
        const expected = `a tensor [${input.shape.join(", ")}], as it was given, or undefined`;
        const fix = "return one, without `async`.";
        check.each({ [`hooks["${fullName}"]`]: replacement }, isLike, expected, fix);
        return replacement;
      };
    }
  }
  return interventions;
}

const check: Checks = /* @__PURE__ */ checks("runWithTrace");
