import { ShapeError, type Checks } from "@qkv/core";
import { checkFields, type PictureData } from "./check-data.js";

const short = (value: number) => String(Number(value.toPrecision(3))).replace("-", "−");

const fix = "give the traced scores of the same call, or none where a sink takes part in the softmax.";
const tolerance = 1e-2; // of weights in half precision

/**
 * The formula of each weight, by its index: `e^(1 − 2.1) / 1.33, the softmax of its row`.
 *
 * @throws {ShapeError} If scores have another shape than weights.
 * @throws {ArgumentError} If weights are not the softmax of these scores.
 */
export function softmaxFormula(
  check: Checks,
  weights: PictureData,
  scores: PictureData,
): (i: number) => string {
  checkFields(check, { scores }, fix);
  const { data, shape } = scores;
  if (shape.join() !== weights.shape.join() || data.length !== weights.data.length) {
    const expected = `the shape of the weights, [${weights.shape.join(", ")}]`;
    check.refuse({ argument: "scores", received: shape, expected, fix }, ShapeError);
  }
  const S = shape.at(-1)!;
  const rows = Array.from({ length: data.length / S }, (_, row) => {
    const rowScores = Array.from({ length: S }, (_, s) => data[row * S + s]!);
    const largest = Math.max(...rowScores);
    return { largest, total: rowScores.reduce((sum, score) => sum + Math.exp(score - largest), 0) };
  });
  Array.from(weights.data, (weight, i) => {
    const { largest, total } = rows[Math.floor(i / S)]!;
    const made = data[i] === -Infinity ? 0 : Math.exp(data[i]! - largest) / total;
    if (Math.abs(made - weight) <= tolerance) return;
    check.refuse({
      argument: `scores.data[${i}]`,
      received: data[i],
      expected: `a score whose softmax is the weight ${weight}`,
      fix,
    });
  });
  return (i) => {
    const { largest, total } = rows[Math.floor(i / S)]!;
    const subtraction = `${largest < 0 ? "+" : "−"} ${short(Math.abs(largest))}`;
    return `e^(${short(data[i]!)} ${subtraction}) / ${short(total)}, the softmax of its row`;
  };
}
