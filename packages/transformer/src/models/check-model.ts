import type { Checks } from "@qkv/core";
import { kindOf } from "./model-kinds.js";
import type { ModelKind } from "./model.js";

/** The symbol under which a model in a worker holds its connection, equal in all copies of `@qkv/worker`. */
const workerKey: unique symbol = Symbol.for("@qkv/worker connection");

/** Each kind of model, and what it is for. */
const kinds: Readonly<Record<ModelKind, readonly [name: string, use: string]>> = {
  decoder: ["a decoder", "generate with it, or read its logits: `apply`."],
  encoder: ["an encoder", "call `embed`, or take a task of encoders: `pipeline`."],
  "encoder-decoder": ["an encoder–decoder", "call `generate` with what its `encode` returns."],
  vision: ["a vision transformer", 'call its `apply`, or `pipeline("image-classification", model)`.'],
  "dual-encoder": ["a dual encoder", "call its `embedTexts` and `embedImages`."],
  speech: ["a speech model", "call `transcribe`."],
};

/** Refuses a model of another kind than a function takes. */
export function checkKind(
  check: Checks,
  model: object,
  taken: readonly ModelKind[],
  { fix }: { fix?: string } = {},
): void {
  const kind = kindOf(model);
  if (taken.includes(kind)) return;
  const [received, use] = kinds[kind];
  const expected = taken.map((one) => kinds[one][0]).join(" or ");
  check.refuse({ argument: "model", received, expected, fix: fix ?? use });
}

/**
 * Refuses a value that is not a model of one of the kinds; with `causal`, also bidirectional models.
 *
 * @param options - `fix`: for a model of another kind. Default: what its kind is for.
 */
export function checkModel(
  check: Checks,
  model: unknown,
  taken: readonly ModelKind[],
  { causal = false, fix }: { causal?: boolean; fix?: string } = {},
): void {
  const other = fix === undefined ? {} : { fix };
  if (isObject(model) && "embedTexts" in model) checkKind(check, model, taken, other);
  const { config, params, apply } = (model ?? {}) as Record<string, unknown>;
  const isModel = isObject(config) && isObject(params) && typeof apply === "function";
  if (!isModel) {
    if (isObject(model) && workerKey in model) refuseWorkerModel(check);
    check.refuse({
      argument: "model",
      received: model,
      expected: "a model: { config, params, apply, tokenizer }",
      fix: "load one with `load`, or make it of `decoder(config)`: { ...decoder(config), params, tokenizer }.",
    });
  }
  checkKind(check, model as object, taken, other);
  if (!causal || !(config as { bidirectional?: boolean }).bidirectional) return;
  check.refuse({
    argument: "model",
    received: "a model that is bidirectional",
    expected: "a causal one, whose tokens see no later ones",
    fix: "such a model embeds texts: call its `apply` with all tokens at once.",
  });
}

/** Refuses a model in a worker, because the functions of this package need its weights. */
function refuseWorkerModel(check: Checks): never {
  const isInWorkerPackage = check.fn === "generate" || check.fn === "embed";
  return check.refuse({
    argument: "model",
    received: "a model in a worker",
    expected: "a model in this thread",
    fix: isInWorkerPackage
      ? `import \`${check.fn}\` from where its \`load\` comes from: @qkv/worker, or qkv/worker.`
      : "load it with `load` of @qkv/transformer or qkv: a worker has `generate` and `embed` alone.",
  });
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
