import type { Tokenizer } from "@qkv/tokenizer";

/** The text that a token adds to a stream with stop texts. */
export type TextStep = {
  /** Text that can be shown: "" while it may be the start of a stop text, or an incomplete character. */
  text: string;
  /** True if no text is held back. */
  settled: boolean;
  /** True if a stop text is complete. It is not shown, nor is anything after it. */
  stopped: boolean;
  /** The stop text that was found. */
  stopText?: string;
};

/** Decodes tokens as they are generated. */
export type TextStream = {
  push(id: number): TextStep;
  /** Ends the stream and returns the text that was held back. An incomplete character becomes U+FFFD. */
  end(): string;
};

/**
 * Decodes generated tokens incrementally, with stop texts.
 *
 * @param tokenizer - Without a tokenizer, every text is empty.
 * @param prompt - Ids of the prompt, whose last character may be completed by generated tokens.
 * @param stops - Stop texts, which need not end at token boundaries.
 */
export function textStream(
  tokenizer: Tokenizer | undefined,
  prompt: readonly number[],
  stops: readonly string[],
): TextStream {
  if (!tokenizer) {
    return { push: () => ({ text: "", settled: true, stopped: false }), end: () => "" };
  }
  const decoder = tokenizer.decodeStream();
  for (const id of prompt) decoder.push(id);
  let heldBack = "";
  return {
    push(id) {
      const piece = decoder.push(id);
      heldBack += piece;
      const end = firstStop(heldBack, stops);
      if (end) {
        const text = heldBack.slice(0, end.at);
        heldBack = "";
        return { text, settled: true, stopped: true, stopText: end.stop };
      }
      const overlapLength = Math.max(0, ...stops.map((stop) => overlap(heldBack, stop)));
      const text = heldBack.slice(0, heldBack.length - overlapLength);
      heldBack = heldBack.slice(heldBack.length - overlapLength);
      // A token that ends inside a character also does so if it is decoded alone.
      const isComplete = piece !== "" && !tokenizer.decode([id]).endsWith("\uFFFD");
      return { text, settled: heldBack === "" && isComplete, stopped: false };
    },
    end() {
      const text = heldBack + decoder.end();
      heldBack = "";
      return text.slice(0, firstStop(text, stops)?.at);
    },
  };
}

/** The stop text that begins first, and its index. */
function firstStop(text: string, stops: readonly string[]): { stop: string; at: number } | undefined {
  const ends = stops.map((stop) => ({ stop, at: text.indexOf(stop) })).filter(({ at }) => at >= 0);
  return ends.sort((a, b) => a.at - b.at)[0];
}

/** Length of the longest suffix of a text that is a prefix of another. */
function overlap(text: string, other: string): number {
  for (let length = Math.min(text.length, other.length - 1); length > 0; length--) {
    if (text.endsWith(other.slice(0, length))) return length;
  }
  return 0;
}
