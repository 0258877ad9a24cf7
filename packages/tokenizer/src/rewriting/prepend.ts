import { checks } from "@qkv/core";
import { defineRewrite, type Rewrite } from "./rewrite.js";

/** Writes `prefix` in front of a text that is not empty. */
export function prepend(prefix: string): Rewrite {
  checks("prepend").type({ prefix }, "string");
  return defineRewrite(`prepend ${JSON.stringify(prefix)}`, (text) => (text === "" ? [] : [[0, 0, prefix]]), {
    json: { type: "Prepend", prepend: prefix },
  });
}
