/**
 * Creates a `tokenizer.json` whose tokens are the characters of a text, in the order of their code points. Other characters
 * become `<unk>`, token 0.
 */
export function characterTokenizerJson(text: string): string {
  const unknown = "<unk>";
  const vocab = Object.fromEntries(
    [unknown, ...[...new Set(text)].sort(byCodePoint)].map((token, id) => [token, id]),
  );
  return JSON.stringify({
    version: "1.0",
    added_tokens: [
      {
        id: 0,
        content: unknown,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    model: { type: "BPE", unk_token: unknown, vocab, merges: [] },
  });
}

const byCodePoint = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;
