import { checks, type Checks } from "@qkv/core";
import { linear } from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";
import { activationFunction, type Activation } from "../../layers/activation.js";
import { checkParams } from "../../layers/check-params.js";
import type { SentenceModule } from "../../models/sentence-config.js";

/**
 * A dense module: a linear layer and an activation.
 *
 * @param params - `weight` `[out, in]`, and optionally `bias` `[out]`.
 * @param options - `activation`: default none. `name`: default `dense`.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { denseModule } from "@qkv/transformer";
 *
 * const dense = denseModule({ weight: tensor([[1, -1]]) }, { activation: "relu" });
 * dense.apply({ vectors: tensor([[3, 1]]), promptLength: 0 }).toNested(); // => [[2]]
 * ```
 */
export function denseModule(
  params: LinearParams,
  options?: { activation?: Activation; name?: string },
): SentenceModule {
  const check: Checks = checks("denseModule");
  const { activation, name = "dense" } = check.options(options, ["activation", "name"]);
  checkParams(check, params, ["weight"]);
  const activate = activation === undefined ? undefined : activationFunction("denseModule", activation);
  return {
    name,
    apply({ vectors }) {
      const projected = linear(vectors, params.weight, params.bias);
      return activate ? activate(projected) : projected;
    },
  };
}
