import type { Checks } from "@qkv/core";

/** The symbol under which a model in a worker holds its connection, equal in all copies of `@qkv/worker`. */
const workerKey: unique symbol = Symbol.for("@qkv/worker connection");

/** Refuses a value that is not a model from `load`; with `causal`, also bidirectional models. */
export function checkModel(check: Checks, model: unknown, { causal = false } = {}): void {
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
