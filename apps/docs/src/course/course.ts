/** A lesson of the course: its path and its question. */
export type Lesson = { slug: string; title: string; question: string };

/** The course, in order: each lesson builds on the ones before it. */
export const course: readonly Lesson[] = [
  {
    slug: "next-word",
    title: "Next-word prediction",
    question: "How does next-word prediction become a sentence?",
  },
  {
    slug: "looking-back",
    title: "Attention before transformers",
    question: "How did attention work before transformers?",
  },
  {
    slug: "query-key-value",
    title: "Query, key, value",
    question: "What are they for, and do you need the transpose?",
  },
  {
    slug: "why-values",
    title: "Why values?",
    question: "What are values for, and could we do without them?",
  },
  {
    slug: "not-looking-ahead",
    title: "Causal masking",
    question: "What does a causal mask change, and where does it go wrong?",
  },
  {
    slug: "what-is-a-head",
    title: "What is a head?",
    question: "Is it a slice of the embedding, a slice of the weights, or a model of its own?",
  },
  {
    slug: "why-heads-differ",
    title: "Why do heads differ?",
    question: "Same loss, same data: why do heads not become identical?",
  },
  {
    slug: "norms-and-residuals",
    title: "Norms and residuals",
    question: "What are LayerNorm and residual connections for?",
  },
  {
    slug: "the-kv-cache",
    title: "The KV cache",
    question: "Why is generating text slow, and what does a cache cost?",
  },
  {
    slug: "fewer-keys",
    title: "MQA and GQA",
    question: "Why is multi-query attention faster than multi-head attention?",
  },
  {
    slug: "fitting-on-the-machine",
    title: "Memory, speed and sequence length",
    question: "Will a model fit on your GPU, and what does sequence length change?",
  },
  {
    slug: "before-the-tokens",
    title: "Tokenization",
    question: "What is a token, and why not simply a word?",
  },
];
