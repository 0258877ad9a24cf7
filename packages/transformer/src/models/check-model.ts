import type { Checks } from "@qkv/core";

/** Refuses what is no model, as `load` gives it; with `causal`, one that generates nothing. */
export function checkModel(check: Checks, model: unknown, { causal = false } = {}): void {
  const { config, params, apply } = (model ?? {}) as Record<string, unknown>;
  const isModel = isObject(config) && isObject(params) && typeof apply === "function";
  if (!isModel) {
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

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
