import { isList, type Checks } from "@qkv/core";
import { checkIdList, isNested } from "../models/check-ids.js";
import type { GenerativeModel } from "../models/model.js";

/**
 * Encodes a prompt, or checks its ids. Refuses an empty prompt.
 *
 * @param vocabSize - Default: the model's.
 */
export function promptIds(
  check: Checks,
  { tokenizer, config }: Pick<GenerativeModel, "tokenizer" | "config">,
  prompt: string | readonly number[],
  vocabSize = config.vocabSize,
): readonly number[] {
  if (typeof prompt === "string" && !tokenizer) {
    const expected = "token ids, since the model has no tokenizer";
    check.refuse({
      argument: "prompt",
      received: prompt,
      expected,
      fix: "load the model with `tokenizer`.",
    });
  }
  if (typeof prompt !== "string") checkIdsOrMessages(check, prompt);
  const ids = typeof prompt === "string" ? tokenizer!.encode(prompt) : prompt;
  if (Array.isArray(ids) && ids.length === 0) {
    const fix = "begin with the tokenizer's bosId.";
    check.refuse({
      argument: "prompt",
      received: "no tokens",
      expected: "one token or more",
      fix,
    });
  }
  return checkIdList(check, ids, vocabSize, "prompt");
}

/** Refuses values that are neither text nor a list of ids. For chat messages, the error suggests a chat template. */
function checkIdsOrMessages(check: Checks, prompt: unknown): void {
  const isMessage = (value: unknown) => typeof (value as { role?: unknown } | null)?.role === "string";
  const expected = "a text, or a list of token ids";
  if (isMessage(prompt) || (Array.isArray(prompt) && isMessage(prompt[0]))) {
    check.refuse({
      argument: "prompt",
      received: "messages of a chat",
      expected,
      fix:
        "make a text of them by the model's chat template: " +
        "`chatTemplate(tokenizerConfig).render(messages, { addGenerationPrompt: true })` of @qkv/tokenizer/chat, " +
        '`apply_chat_template` elsewhere; `pipeline("text-generation", source)` takes messages as they are.',
    });
  }
  if (isNested(prompt) || (Array.isArray(prompt) && typeof prompt[0] === "string")) {
    check.refuse({
      argument: "prompt",
      received: "a list of prompts",
      expected,
      fix: "`generateBatch(model, prompts)` generates for several prompts at once.",
    });
  }
  const fix =
    'write a text: `generate(model, "Once upon a time")`, or ids as the tokenizer\'s `encode` returns them.';
  check.each({ prompt }, isList, expected, fix);
}
