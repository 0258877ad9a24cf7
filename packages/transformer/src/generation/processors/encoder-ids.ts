import type { Checks } from "@qkv/core";
import { checkTokenIds } from "./logits-processor.js";

/** Checks lists of encoder ids, one per prompt, and returns a function from a prompt index to its list. */
export function checkEncoderIds(
  check: Checks,
  encoderIds: readonly (readonly number[])[],
): (prompt: number) => readonly number[] {
  check.each(
    { encoderIds },
    (value) => Array.isArray(value) && value.length > 0,
    "a list of token ids for each prompt",
    "write [ids] for one prompt.",
  );
  encoderIds.forEach((ids, prompt) => checkTokenIds(check, { [`encoderIds[${prompt}]`]: ids }));
  return (prompt) =>
    encoderIds[prompt] ??
    check.refuse({
      argument: "encoderIds",
      received: `${encoderIds.length} lists`,
      expected: `one for each prompt, and prompt ${prompt} has none`,
      fix: "give as many lists as prompts.",
    });
}
