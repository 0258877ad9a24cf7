import { checks, type Checks } from "@qkv/core";
import type { DecodeStream, Tokenizer } from "@qkv/tokenizer";

/** Receives tokens as they are generated: first the prompt, then one token per call, as in Transformers.js. */
export type TokenStreamer = {
  /** Receives ids of a single sequence, `[[id, …]]`. */
  put(ids: bigint[][]): void;
  /** Called when the sequence has ended. */
  end(): void;
};

/** Options of {@link TextStreamer}, with the names of Transformers.js. */
export type TextStreamerOptions = {
  /** True: the prompt is not passed on. Default false. */
  skip_prompt?: boolean;
  /** True: special tokens are removed. Default true. */
  skip_special_tokens?: boolean;
  /** Receives text as soon as its characters are complete. Default: writes to standard output, or the console of a page. */
  callback_function?: (text: string) => void;
  /** Receives the ids of each call. Default: nothing. */
  token_callback_function?: (ids: bigint[]) => void;
};

const check: Checks = /* @__PURE__ */ checks("TextStreamer");
const names = ["skip_prompt", "skip_special_tokens", "callback_function", "token_callback_function"] as const;

/**
 * Streams generated text, for the option `streamer` of {@link pipeline}. Each call of `callback_function` receives the text that a token
 * completes, never part of a character. Concatenated, the calls are the whole text.
 *
 * @throws {ArgumentError} If the tokenizer or an option is invalid; by `put`, if it receives more than one sequence.
 *
 * @example
 * ```ts
 * import { loadTokenizer } from "@qkv/tokenizer";
 * import { TextStreamer } from "@qkv/transformer";
 *
 * const vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n";
 * const tokenizer = loadTokenizer({ "vocab.txt": new TextEncoder().encode(vocabulary) });
 * let text = "";
 * const streamer = new TextStreamer(tokenizer, { skip_prompt: true, callback_function: (piece) => (text += piece) });
 * streamer.put([[2n, 5n]]); // the prompt
 * streamer.put([[5n]]);
 * streamer.put([[6n]]);
 * streamer.end();
 * text; // => " hello world"
 * ```
 */
export class TextStreamer implements TokenStreamer {
  readonly tokenizer: Tokenizer;
  readonly #skipPrompt: boolean;
  readonly #decoder: DecodeStream;
  readonly #text: ((text: string) => void) | undefined;
  readonly #ids: ((ids: bigint[]) => void) | undefined;
  #isPrompt = true;

  constructor(tokenizer: Tokenizer, options?: TextStreamerOptions) {
    check.each(
      { tokenizer },
      (value) => typeof (value as Partial<Tokenizer> | null | undefined)?.decodeStream === "function",
      "a tokenizer",
      "give that of the pipeline: `generator.tokenizer`.",
    );
    const { skip_prompt = false, skip_special_tokens = true, ...callbacks } = check.options(options, names);
    const { callback_function, token_callback_function } = callbacks;
    check.type({ skip_prompt, skip_special_tokens }, "boolean");
    if (callback_function !== undefined) check.type({ callback_function }, "function");
    if (token_callback_function !== undefined) check.type({ token_callback_function }, "function");
    this.tokenizer = tokenizer;
    this.#skipPrompt = skip_prompt;
    this.#decoder = tokenizer.decodeStream({ skipSpecialTokens: skip_special_tokens });
    this.#text = callback_function;
    this.#ids = token_callback_function;
  }

  /** Receives the ids of the prompt, then those of each token. */
  put(ids: bigint[][]): void {
    const [sequence = []] = ids;
    if (ids.length !== 1) {
      check.refuse({
        argument: "ids",
        received: `${ids.length} sequences`,
        expected: "one sequence",
        fix: "give one text, without `num_return_sequences`.",
      });
    }
    let text = "";
    // The prompt is decoded even if it is not passed on, so that the space before the next word is part of the continuation.
    for (const id of sequence) text += this.#decoder.push(Number(id));
    const isSkipped = this.#isPrompt && this.#skipPrompt;
    this.#isPrompt = false;
    if (isSkipped) return;
    this.#ids?.(sequence);
    this.#write(text);
  }

  /** Ends the text, including an incomplete character, and resets the streamer for another sequence. */
  end(): void {
    const lastText = this.#decoder.end();
    this.#isPrompt = true;
    this.#write(this.#text ? lastText : `${lastText}\n`);
  }

  #write(text: string): void {
    if (text === "") return;
    if (this.#text) this.#text(text);
    else writeOut(text);
  }
}

/** Writes to standard output of Node, or to the console, which adds a line break to each text. */
function writeOut(text: string): void {
  const { process } = globalThis as { process?: { stdout?: { write?(text: string): unknown } } };
  if (process?.stdout?.write) process.stdout.write(text);
  // eslint-disable-next-line no-console -- a page has no other standard output
  else console.log(text);
}

/** Refuses a streamer for several texts, whose tokens would be interleaved. */
export function refuseStreamer(check: Checks, count: number): never {
  check.refuse({
    argument: "streamer",
    received: `a streamer of ${count} texts`,
    expected: "one for one text",
    fix: "call the pipeline for each text.",
  });
}
