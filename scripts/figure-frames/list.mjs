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
];
