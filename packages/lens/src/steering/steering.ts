import { checks, type Checks } from "@qkv/core";
import { add, checkTensor, mean, mul, reshape, slice, stack, sub, type Tensor } from "@qkv/tensor";
import { checkModel, checkRowsName, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type Hooks, type TraceNames } from "../run-with-trace.js";

/**
 * A steering vector: the mean of a tensor's last row over texts with a property minus its mean over texts without it.
 *
 * @param options - `positive`, `negative`: texts or ids, one or more each. `name`: full name of a tensor `[B, T, C]`, such as
 *   `layers.4.output`.
 * @returns `[C]`, for {@link steer}.
 * @throws {ArgumentError} If a list is empty, or the model has no tensor of this name.
 * @see "Steering Llama 2 via Contrastive Activation Addition" (2023), arXiv:2312.06681
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { steeringVector } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const pair = { positive: [[3, 1, 4]], negative: [[3, 1, 5]], name: "layers.0.output" };
 * steeringVector(model, pair).shape; // => [8]
 * ```
 */
export function steeringVector(
  model: LensModel,
  options: {
    readonly positive: readonly TokenInput[];
    readonly negative: readonly TokenInput[];
    readonly name: string;
  },
): Tensor {
  checkModel(vectorChecks, model);
  const { positive, negative, name } = vectorChecks.options(options, ["positive", "negative", "name"]);
  checkRowsName(vectorChecks, model, name);
  const lastRow = (input: TokenInput): Tensor => {
    const { ids, length } = oneText(vectorChecks, model, input);
    const { tensors } = runWithTrace(model, ids, { names: [name] as unknown as TraceNames });
    const row = slice(tensors[name]!, 1, length - 1, length);
    return reshape(row, [row.shape[2]!]);
  };
  const meanRow = (texts: readonly TokenInput[]) => mean(stack(texts.map(lastRow), 0), { axis: 0 });
  for (const [argument, texts] of Object.entries({ positive, negative })) {
    vectorChecks.list({ [argument]: texts }, "texts");
    vectorChecks.each({ [argument]: texts }, (list) => (list as unknown[]).length > 0, "one text or more");
  }
  return sub(meanRow(positive), meanRow(negative));
}

/**
 * Steers a model: hooks that add a vector to a tensor at every position.
 *
 * @param options - `name`: full name of a tensor `[B, T, C]`. `vector`: `[C]`. `scale`: its factor, default 1.
 * @returns Hooks for {@link runWithTrace}.
 * @throws {ArgumentError} If an option has the wrong type; when the model runs, if the width of the vector does not fit.
 * @see "Steering Language Models With Activation Engineering" (2023), arXiv:2308.10248
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { steer } from "@qkv/lens";
 *
 * const hooks = steer({ name: "layers.0.output", vector: ones([8]), scale: 4 });
 * Object.keys(hooks); // => ["layers.0.output"]
 * ```
 */
export function steer(options: {
  readonly name: string;
  readonly vector: Tensor;
  readonly scale?: number;
}): Hooks {
  const { name, vector, scale = 1 } = steerChecks.options(options, ["name", "vector", "scale"]);
  steerChecks.type({ name }, "string");
  steerChecks.finite({ scale });
  const added = mul(checkTensor("steer", "vector", vector), scale);
  const vectorWidth = added.shape.at(-1) ?? 1;
  return {
    [name](x) {
      const expected = `[${x.shape.at(-1)}], the width of ${name}`;
      const fix = "take the vector from the same tensor: `steeringVector(model, { name, … })`.";
      steerChecks.each(
        { vector: vector.shape },
        () => vectorWidth === 1 || vectorWidth === x.shape.at(-1),
        expected,
        fix,
      );
      return add(x, added);
    },
  };
}

const vectorChecks: Checks = /* @__PURE__ */ checks("steeringVector");
const steerChecks: Checks = /* @__PURE__ */ checks("steer");
