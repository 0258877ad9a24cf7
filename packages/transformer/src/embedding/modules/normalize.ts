import { checks } from "@qkv/core";
import { unitLength } from "../../models/mean-pooling.js";
import type { SentenceModule } from "../../models/sentence-config.js";

/**
 * A module that scales vectors to norm 1, so that dot products are cosines.
 *
 * @param name - Default `normalize`.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { normalizeModule } from "@qkv/transformer";
 *
 * normalizeModule().apply({ vectors: tensor([[0, 2]]), promptLength: 0 }).toNested(); // => [[0, 1]]
 * ```
 */
export function normalizeModule(name = "normalize"): SentenceModule {
  checks("normalizeModule").type({ name }, "string");
  return { name, apply: ({ vectors }) => unitLength(vectors) };
}
