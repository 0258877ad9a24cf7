import type { Tokenizer } from "@qkv/tokenizer";

/** Chat format of a model without a chat template. */
export type ChatFormat = {
  /** The user's message, up to the start of the assistant's. */
  userMessage(text: string): string;
  /** Text after the assistant's message. */
  readonly endOfMessage: string;
  /** Texts that end the assistant's message. */
  readonly stop: readonly string[];
};

/** Known chat formats, by a special token that identifies their vocabularies. */
const formats: readonly (readonly [token: string, format: ChatFormat])[] = [
  [
    "<|im_start|>",
    {
      userMessage: (text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
      endOfMessage: "<|im_end|>\n",
      stop: ["<|im_end|>"],
    },
  ],
  [
    "<|start_header_id|>",
    {
      userMessage: (text) =>
        `<|start_header_id|>user<|end_header_id|>\n\n${text}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
      endOfMessage: "<|eot_id|>",
      stop: ["<|eot_id|>"],
    },
  ],
  [
    "<start_of_turn>",
    {
      userMessage: (text) => `<start_of_turn>user\n${text}<end_of_turn>\n<start_of_turn>model\n`,
      endOfMessage: "<end_of_turn>\n",
      stop: ["<end_of_turn>"],
    },
  ],
  [
    "<|assistant|>",
    {
      userMessage: (text) => `<|user|>\n${text}<|end|>\n<|assistant|>\n`,
      endOfMessage: "<|end|>\n",
      stop: ["<|end|>"],
    },
  ],
];

/** Format for a model without chat tokens: it continues the text, and each line is appended. */
const continuation: ChatFormat = { userMessage: (text) => text, endOfMessage: "\n", stop: [] };

/** The chat format whose special token the vocabulary has, with this token; otherwise plain continuation. */
export function chatFormat(tokenizer: Pick<Tokenizer, "id">): ChatFormat & { readonly token?: string } {
  const found = formats.find(([token]) => tokenizer.id(token) !== undefined);
  return found ? { token: found[0], ...found[1] } : continuation;
}

/** Ids that end the assistant's message in the vocabulary's chat format; empty without one. */
export function endOfMessageIds(tokenizer: Pick<Tokenizer, "id">): number[] {
  return chatFormat(tokenizer).stop.flatMap((text) => tokenizer.id(text) ?? []);
}
