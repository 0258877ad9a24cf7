import { checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import type { ChatMessage, ChatTemplate, ChatTextOptions } from "@qkv/tokenizer/chat";
import type { TrainingExample } from "./training-example.js";

/** Options of {@link answerExample}. */
export type AnswerOptions = Omit<ChatTextOptions, "addGenerationPrompt"> & {
  /** The model's chat template: `chatTemplate(tokenizerConfig)`. */
  template: ChatTemplate;
  tokenizer: Pick<Tokenizer, "encoding">;
  /** Assistant messages whose tokens are targets: `"all"` (default), or the `"last"` one, with the others as context. */
  answers?: "all" | "last";
};

/**
 * A conversation as an example for supervised fine-tuning, with the loss on the answers of the assistant only. The model reads the
 * whole text of the chat template; targets are the tokens of the answers, including their end tokens.
 *
 * @param messages - The conversation, with at least one message of the assistant. Messages after the last one are ignored.
 * @returns Tokens, and targets that are -100 outside answers.
 * @throws {ArgumentError} If there is no answer, or the template formats an earlier message differently when the conversation
 *   continues, as templates do that remove the reasoning of earlier answers: use `answers: "last"` then.
 *
 * @example
 * ```ts
 * import { composeTokenizer, decodeSteps, joinWithSpacesStep, whitespaceSplit, wordLevel } from "@qkv/tokenizer";
 * import { chatTemplate } from "@qkv/tokenizer/chat";
 * import { answerExample } from "@qkv/transformer/data";
 *
 * const template = chatTemplate(
 *   "{% for m in messages %}{{ m.role }} {{ m.content }} end {% endfor %}" +
 *     "{% if add_generation_prompt %}assistant {% endif %}",
 * );
 * const tokenizer = composeTokenizer({
 *   preTokenizers: [whitespaceSplit],
 *   model: wordLevel({ vocab: ["user", "assistant", "end", "hi", "hello"] }),
 *   decoder: decodeSteps([joinWithSpacesStep]),
 * });
 * const messages = [
 *   { role: "user", content: "hi" },
 *   { role: "assistant", content: "hello" },
 * ];
 * const { ids, targets } = answerExample(messages, { template, tokenizer });
 * ids; // => [0, 3, 2, 1, 4]
 * targets; // => [-100, -100, -100, 4, 2]
 * ```
 */
export function answerExample(messages: readonly ChatMessage[], options: AnswerOptions): TrainingExample {
  const check = checks("answerExample");
  const { template, tokenizer, answers = "all", ...given } = check.options(options, names);
  check.list({ messages }, "messages with their `role` and `content`", isMessage);
  check.oneOf({ answers }, ["all", "last"]);
  const isTemplate = (value: unknown) => typeof (value as ChatTemplate | undefined)?.render === "function";
  check.each({ template }, isTemplate, "a chat template", "write `chatTemplate(tokenizerConfig)`.");
  const answerIndices = messages.flatMap(({ role }, i) => (role === "assistant" ? [i] : []));
  if (answerIndices.length === 0) {
    check.refuse({
      argument: "messages",
      received: `the roles ${messages.map(({ role }) => role).join(", ")}`,
      expected: "one message of the assistant or more, whose tokens are targets",
      fix: 'name the role "assistant", or leave the conversation out.',
    });
  }
  const spans: { start: number; end: number }[] = [];
  let text = "";
  for (const index of answers === "all" ? answerIndices : answerIndices.slice(-1)) {
    const prompt = template.render(messages.slice(0, index), { ...given, addGenerationPrompt: true });
    const textWithAnswer = template.render(messages.slice(0, index + 1), given);
    if (!prompt.startsWith(text) || !textWithAnswer.startsWith(prompt))
      refuseTemplate(index, prompt.startsWith(text));
    spans.push({ start: prompt.length, end: textWithAnswer.length });
    text = textWithAnswer;
  }
  const { ids, offsets } = tokenizer.encoding(text, { addSpecialTokens: false, specialTokens: "allowed" });
  const isTarget = offsets.map(([start, end]) => spans.some((span) => start < span.end && end > span.start));
  return {
    ids: ids.slice(0, -1),
    targets: ids.slice(1).map((id, n) => (isTarget[n + 1] ? id : -100)),
  };

  function refuseTemplate(index: number, keepsEarlier: boolean): never {
    return check.refuse({
      argument: "template",
      received: keepsEarlier
        ? `a template whose text for message ${index} does not begin with its generation prompt`
        : `a template that writes messages before message ${index} in another way once the conversation goes on`,
      expected: "one whose text only grows",
      fix: keepsEarlier
        ? "set the variables with which the two agree, as `variables: { enable_thinking: false }`."
        : 'train on the last answer alone: `answers: "last"`.',
    });
  }
}

const isMessage = (value: unknown): boolean => typeof (value as ChatMessage | null)?.role === "string";

const names = ["template", "tokenizer", "answers", "tools", "variables", "now"] as const;
