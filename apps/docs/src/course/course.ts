/** A lesson of the course: where it is, and the question that it answers. */
export type Lesson = { slug: string; title: string; question: string };

/** The course, in the order in which nothing looks ahead. */
export const course: readonly Lesson[] = [
  {
    slug: "next-word",
    title: "What does a model predict?",
    question: "How does next-word prediction become a sentence?",
  },
  {
    slug: "looking-back",
    title: "Looking back",
    question: "What did attention look like before transformers?",
  },
  {
    slug: "query-key-value",
    title: "Query, key, value",
    question: "What are the three for, and is the transpose needed?",
  },
  { slug: "why-values", title: "Why values?", question: "Could we do without them?" },
  {
    slug: "not-looking-ahead",
    title: "Not looking ahead",
    question: "What does a causal mask change, and where do people get it wrong?",
  },
  {
    slug: "what-is-a-head",
    title: "What is a head?",
    question: "A slice of the embedding, of the weights, or a model of its own?",
  },
  {
    slug: "why-heads-differ",
    title: "Why do heads differ?",
    question: "Same loss, same data: why not the same head?",
  },
  {
    slug: "norms-and-residuals",
    title: "Norms and residuals",
    question: "What was left out of the picture?",
  },
  {
    slug: "the-kv-cache",
    title: "The KV cache",
    question: "Why is generating slow, and what does remembering cost?",
  },
  {
    slug: "fewer-keys",
    title: "Fewer keys",
    question: "Why is multi-query faster than multi-head, and what does GQA buy?",
  },
  {
    slug: "fitting-on-the-machine",
    title: "Fitting on the machine",
    question: "What has sequence length to do with a machine?",
  },
  {
    slug: "before-the-tokens",
    title: "Before the tokens",
    question: "Words, characters, pairs, bytes, patches: what is a token?",
  },
];
