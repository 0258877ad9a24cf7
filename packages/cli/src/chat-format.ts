import type { Tokenizer } from "@qkv/tokenizer";

/** How turns of a talk are written for a model. */
export type ChatFormat = {
  /** The turn of the user, up to where the model begins. */
  turn(text: string): string;
  /** What follows the model's turn. */
  readonly after: string;
  /** Where the model's turn ends. */
  readonly stop: readonly string[];
};

/** Formats by the token that shows that a vocabulary was made for them. */
const formats: readonly (readonly [token: string, format: ChatFormat])[] = [
  [
    "<|im_start|>",
    {
      turn: (text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
      after: "<|im_end|>\n",
      stop: ["<|im_end|>"],
    },
  ],
  [
    "<|start_header_id|>",
    {
      turn: (text) =>
        `<|start_header_id|>user<|end_header_id|>\n\n${text}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
      after: "<|eot_id|>",
      stop: ["<|eot_id|>"],
    },
  ],
  [
    "<start_of_turn>",
    {
      turn: (text) => `<start_of_turn>user\n${text}<end_of_turn>\n<start_of_turn>model\n`,
      after: "<end_of_turn>\n",
      stop: ["<end_of_turn>"],
    },
  ],
  [
    "<|assistant|>",
    {
      turn: (text) => `<|user|>\n${text}<|end|>\n<|assistant|>\n`,
      after: "<|end|>\n",
      stop: ["<|end|>"],
    },
  ],
];

/** Of a model that was trained for no talk: what is said is a text, which it continues, and the next line goes on. */
const continuation: ChatFormat = { turn: (text) => text, after: "\n", stop: [] };

/** The format that a vocabulary has tokens for, with the token that tells; where there is none, a text is continued. */
export function chatFormat(tokenizer: Pick<Tokenizer, "id">): ChatFormat & { readonly token?: string } {
  const found = formats.find(([token]) => tokenizer.id(token) !== undefined);
  return found ? { token: found[0], ...found[1] } : continuation;
}

/** Ids at which a model's turn ends, by the format that its vocabulary was made for: none where it was made for none. */
export function turnEnds(tokenizer: Pick<Tokenizer, "id">): number[] {
  return chatFormat(tokenizer).stop.flatMap((text) => tokenizer.id(text) ?? []);
}
