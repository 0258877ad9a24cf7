import type { Tokenizer } from "@qkv/tokenizer";

/** What a token adds to a text that ends where one of some texts stands. */
export type TextStep = {
  /** What can be shown: nothing while it may be the beginning of a text to stop at, or half a character. */
  text: string;
  /** Whether nothing waits for later tokens. */
  settled: boolean;
  /** Whether a text to stop at is complete. It is not part of what was shown, nor is anything after it. */
  stopped: boolean;
};

/** Text of tokens as they come. */
export type TextStream = {
  push(id: number): TextStep;
  /** What waited, at the end: half a character becomes U+FFFD. */
  end(): string;
};

/**
 * The text of a reply, token by token.
 *
 * @param tokenizer - Without one every text is empty.
 * @param prompt - What stands before: its last character may lack bytes that the reply brings.
 * @param stops - Texts at which the reply ends, wherever the borders of tokens are.
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
  let held = "";
  return {
    push(id) {
      const piece = decoder.push(id);
      held += piece;
      const ends = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      if (ends.length > 0) {
        const text = held.slice(0, Math.min(...ends));
        held = "";
        return { text, settled: true, stopped: true };
      }
      const waiting = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
      const text = held.slice(0, held.length - waiting);
      held = held.slice(held.length - waiting);
      // A token whose bytes break off inside a character ends so when it stands alone, too.
      const whole = piece !== "" && !tokenizer.decode([id]).endsWith("\uFFFD");
      return { text, settled: held === "" && whole, stopped: false };
    },
    end() {
      const rest = held + decoder.end();
      held = "";
      const ends = stops.map((stop) => rest.indexOf(stop)).filter((at) => at >= 0);
      return ends.length > 0 ? rest.slice(0, Math.min(...ends)) : rest;
    },
  };
}

/** How much of the end of a text is the beginning of another. */
function overlap(text: string, other: string): number {
  for (let length = Math.min(text.length, other.length - 1); length > 0; length--) {
    if (text.endsWith(other.slice(0, length))) return length;
  }
  return 0;
}
