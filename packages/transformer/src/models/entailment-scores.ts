import { checks, ShapeError, type Checks } from "@qkv/core";
import { checkTensor, concat, reshape, slice, softmax, type Tensor } from "@qkv/tensor";
import type { TaskHeadConfig } from "./task-head.js";

/**
 * Scores of candidate labels from a model for natural language inference. Each row is a text as premise with a sentence about
 * one candidate label as hypothesis.
 *
 * @param head - The head of the model, with a label that begins with "entail".
 * @param logits - `[N, labels]`, a row for each candidate.
 * @param options - `multiLabel`: true if several candidates may apply; each is then scored against contradiction. Default
 *   false: scores sum to 1.
 * @returns `[N]`
 * @throws {ArgumentError} If the head has no entailment label.
 * @see "Benchmarking Zero-shot Text Classification" (2019), arXiv:1909.00161
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { entailmentScores } from "@qkv/transformer";
 *
 * const head = { task: "sequence", labels: ["contradiction", "neutral", "entailment"] } as const;
 * const logits = tensor([[0, 1, 2], [0, 1, 2]]);
 * entailmentScores(head, logits).toNested(); // => [0.5, 0.5]
 * ```
 */
export function entailmentScores(
  head: TaskHeadConfig,
  logits: Tensor,
  options?: { multiLabel?: boolean },
): Tensor {
  const check: Checks = checks("entailmentScores");
  const { multiLabel = false } = check.options(options, ["multiLabel"]);
  check.type({ multiLabel }, "boolean");
  const { shape } = checkTensor("entailmentScores", "logits", logits);
  const { labels } = head;
  if (shape.length !== 2 || shape[1] !== labels.length) {
    const expected = `[N, ${labels.length}], a row for each candidate`;
    const fix = "give what `taskLogits` returns for the pairs of a text.";
    check.refuse({ argument: "logits", received: shape, expected, fix }, ShapeError);
  }
  const entailment = labels.findIndex((label) => label.toLowerCase().startsWith("entail"));
  if (entailment < 0) {
    check.refuse({
      argument: "head.labels",
      received: labels.join(", "),
      expected: "a label that begins with entail",
      fix: "take a model that was trained for natural language inference (MNLI).",
    });
  }
  const column = (label: number) => slice(logits, 1, label, label + 1); // [N, 1]
  if (!multiLabel) return softmax(reshape(column(entailment), [shape[0]!]), { axis: 0 });
  const contradiction = entailment === 0 ? labels.length - 1 : 0;
  const probabilities = softmax(concat([column(contradiction), column(entailment)], 1), { axis: 1 });
  return reshape(slice(probabilities, 1, 1), [shape[0]!]);
}
