/**
 * The figures of the site: the page on which each appears first, and a step in the middle of its story. A figure whose initial
 * state is in the middle has the title of its `end`.
 *
 * @type {{ name: string, path: string, step: string, end?: string }[]}
 */
export const figures = [
  { name: "attention-call", path: "learn/query-key-value/", step: "score-1" },
  { name: "caches-at-work", path: "reference/kv-cache/kinds/", step: "4-append-b" },
  { name: "encoder-decoder-attention", path: "learn/looking-back/", step: "context-0" },
  { name: "evolution", path: "learn/evolution/", step: "multi-query" },
  { name: "flash-attention", path: "learn/fitting-on-the-machine/", step: "tile-2-2" },
  { name: "generation", path: "learn/next-word/", step: "top-p-1" },
  { name: "head-constructions", path: "learn/what-is-a-head/", step: "split" },
  { name: "heads-and-keys", path: "learn/fewer-keys/", step: "tokens-16" },
  { name: "linked-matrices", path: "learn/bert-beside-gpt/", step: "weights" },
  { name: "tokenization", path: "learn/before-the-tokens/", step: "bytes" },
  { name: "written-state", path: "learn/attention-without-a-map/", step: "token-4" },
  { name: "transformer-block", path: "learn/norms-and-residuals/", step: "heads" },
  {
    name: "model-stack",
    path: "learn/models-of-today/",
    step: "tokens-8192",
    end: "1,048,576 tokens of context",
  },
];
