import { checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";

/** The call to which a form is applied. */
export type ScoreCall = {
  /** `[B, H, T, D]` */
  readonly query: Tensor;
  /** `[B, H, S, D]`: each key-value head as often as query heads share it. */
  readonly key: Tensor;
  /** Factor of the dot products. */
  readonly scale: number;
  /** bool `[B, H, T, S]`: true where the query sees the key. */
  readonly visible: Tensor;
};

/**
 * Replaces or changes stages of attention, on whole tensors `[B, H, T, S]`: for mechanisms that a score mod cannot express, since they
 * need the vectors, other keys or other heads. A form has one or more stages; its gradients are those of its tensor operations.
 */
export type ScoreForm = {
  /** The call that created it: `topKScores(64)`. */
  readonly name: string;
  /** Replaces `scale · Q Kᵀ`. */
  dots?(call: ScoreCall): Tensor;
  /** Changes scores, after bias and before the mask. */
  scores?(scores: Tensor, call: ScoreCall): Tensor;
  /** Replaces softmax. Masked scores are −∞, and their weights are set to 0 afterwards. */
  normalize?(scores: Tensor, call: ScoreCall): Tensor;
  /** Changes weights, after the weight mod. Masked ones are 0. */
  weights?(weights: Tensor, call: ScoreCall): Tensor;
};

const stages = ["dots", "scores", "normalize", "weights"] as const;

/** Returns a list of forms. Refuses other values, and two forms that replace the same stage. */
export function checkForms(fn: string, forms: readonly ScoreForm[]): readonly ScoreForm[] {
  const check = checks(fn);
  const isForm = (form: unknown) =>
    typeof form === "object" &&
    form !== null &&
    stages.some((stage) => typeof (form as ScoreForm)[stage] === "function");
  const fix = "write `forms: [topKScores(64)]`.";
  check.list({ forms }, "score forms", isForm, fix);
  for (const stage of ["dots", "normalize"] as const) {
    const replacing = forms.filter((form) => form[stage]);
    if (replacing.length > 1) {
      check.refuse({
        argument: "forms",
        received: replacing.map(({ name }) => name).join(", "),
        expected: `one form that replaces ${stage === "dots" ? "the dot products" : "softmax"}`,
        fix: "leave one of them out.",
      });
    }
  }
  return forms;
}
