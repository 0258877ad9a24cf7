// The key frames of each figure. A state is what the figure's address says.
const text = { text: "The old dog was happy because it found a bone." };
const dark = { themes: ["dark"] };
const light = { themes: ["light"] };

export const figures = [
  {
    name: "attention-call",
    entry: "@qkv/figures/attention-call",
    define: "defineAttentionCall",
    frames: [
      { id: "1-whole", state: "" },
      { id: "2-input", state: "step=embed", ...light },
      { id: "3-project", state: "step=project-q&at=0.55", ...light },
      { id: "4-transpose", state: "step=arrange&at=0.5", ...light },
      { id: "5-score", state: "step=score-1&at=0.7" },
      { id: "6-mask", state: "step=mask", ...dark },
      { id: "7-softmax", state: "step=normalize" },
      { id: "8-mixture", state: "step=mix-1&at=0.5", ...light },
      { id: "9-cell", state: "cell=s%3A5%3A1", ...light },
      { id: "a-model-whole", state: "head=6&token=5", attributes: text },
      { id: "b-model-score", state: "head=6&token=5&step=scores-row", attributes: text, ...light },
      { id: "c-model-softmax", state: "head=6&token=5&step=normalize", attributes: text, ...dark },
      { id: "d-model-cell", state: "head=6&token=5&cell=s%3A5%3A2", attributes: text, ...light },
    ],
  },
  {
    name: "heads-and-keys",
    entry: "@qkv/figures/heads-and-keys",
    define: "defineHeadsAndKeys",
    frames: [
      { id: "1-whole", state: "" },
      { id: "2-first-token", state: "step=tokens-1&at=0.3&model=transformer-base", ...light },
      { id: "3-write", state: "step=tokens-6&at=0.35&model=transformer-base" },
      { id: "4-read", state: "step=tokens-12&at=0.75&model=transformer-base" },
      { id: "5-one-by-one", state: "step=tokens-16", ...light },
      { id: "6-doubling", state: "step=tokens-512&at=0.3", ...dark },
      { id: "7-query-head", state: "step=tokens-12&cell=gqa%3A0%3A5&model=transformer-base" },
      { id: "8-kv-head", state: "step=tokens-4096&cell=gqa%3A1%3A2", ...light },
      { id: "9-many-heads", state: "model=llama-3.1-70b", ...dark },
    ],
  },
  {
    name: "evolution",
    entry: "@qkv/figures/evolution",
    define: "defineEvolution",
    frames: [
      { id: "1-whole", state: "" },
      { id: "2-additive", state: "step=additive", ...light },
      { id: "3-dot-product", state: "step=dot-product&at=0.4", ...light },
      { id: "4-self", state: "step=self-attention" },
      { id: "5-causal", state: "step=causal", ...dark },
      { id: "6-multi-head", state: "step=multi-head&at=0.6", ...light },
      { id: "7-multi-query", state: "step=multi-query&at=0.4" },
      { id: "8-grouped-query", state: "step=grouped-query", ...dark },
      { id: "9-compare", state: "step=multi-head&compare=grouped-query" },
    ],
  },
];
