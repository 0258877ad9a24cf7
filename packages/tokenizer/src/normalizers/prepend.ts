import { checks } from "@qkv/core";
import { defineNormalizer, type Normalizer } from "./normalizer.js";

/** Prepends `prefix` to a text that is not empty. */
export function prepend(prefix: string): Normalizer {
  checks("prepend").type({ prefix }, "string");
  return defineNormalizer(
    `prepend ${JSON.stringify(prefix)}`,
    (text) => (text === "" ? [] : [[0, 0, prefix]]),
    {
      json: { type: "Prepend", prepend: prefix },
    },
  );
}
