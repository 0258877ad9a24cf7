import type { FigureName } from "../figures/list";

/**
 * Questions of viewers, numbered as in our list, with their answers. `page` is the path of a page and `anchor` a heading on
 * it. `proof` asserts the claim: an example, which throws if its page is wrong, or a test. `figure` is on the page and
 * illustrates the answer.
 */
export type Lab = {
  row: number;
  asked: string;
  page: string;
  anchor?: string;
  figure?: FigureName;
  proof: readonly string[];
};

export const labs: readonly Lab[] = [
  {
    row: 1,
    asked: "Is latency high with MHA and low with MQA?",
    page: "/learn/fewer-keys/",
    figure: "heads-and-keys",
    proof: ["examples/kv-heads-latency.ts"],
  },
  {
    row: 2,
    asked: "Is the slide wrong, or am I?",
    page: "/proof/errata/",
    anchor: "is-mqa-slower-than-mha",
    proof: ["examples/errata.ts"],
  },
  {
    row: 3,
    asked: "Where is a proper explanation, simple and to the point?",
    page: "/learn/",
    anchor: "how-to-read-it",
    proof: ["course.test.ts"],
  },
  {
    row: 4,
    asked: "What does fitting on a GPU have to do with sequence length?",
    page: "/learn/fitting-on-the-machine/",
    figure: "flash-attention",
    proof: ["examples/cost-of-a-model.ts"],
  },
  {
    row: 5,
    asked: "What about key-value caches?",
    page: "/learn/the-kv-cache/",
    anchor: "with-and-without-a-cache",
    figure: "generation",
    proof: ["examples/kv-cache-lab.ts"],
  },
  {
    row: 6,
    asked: "I teach hardware–software co-design: where is the roofline model?",
    page: "/learn/fitting-on-the-machine/",
    proof: ["examples/roofline-here.ts"],
  },
  {
    row: 7,
    asked: "How did attention evolve, step by step?",
    page: "/learn/evolution/",
    figure: "evolution",
    proof: ["evolution.test.ts"],
  },
  {
    row: 8,
    asked: "Can it be dense without information overload?",
    page: "/learn/",
    anchor: "how-to-read-it",
    proof: ["course.test.ts"],
  },
  {
    row: 9,
    asked: "I join an AI team next week: where do I start?",
    page: "/learn/",
    anchor: "how-to-read-it",
    proof: ["course.test.ts"],
  },
  { row: 10, asked: "Can I learn it actively?", page: "/learn/query-key-value/", proof: ["course.test.ts"] },
  {
    row: 11,
    asked: "Does it complement the video and 3Blue1Brown?",
    page: "/learn/companion/",
    proof: ["course.test.ts"],
  },
  {
    row: 12,
    asked: "Values are unclear: are they a kind of normalization?",
    page: "/learn/why-values/",
    figure: "attention-call",
    proof: ["examples/what-values-do.ts"],
  },
  {
    row: 13,
    asked: "What are the shapes at each step?",
    page: "/learn/query-key-value/",
    figure: "attention-call",
    proof: ["examples/query-key-value.ts"],
  },
  {
    row: 14,
    asked: "Are mask, scores and weights the same thing?",
    page: "/proof/glossary/",
    anchor: "scores",
    proof: ["examples/glossary.ts"],
  },
  {
    row: 15,
    asked: "Do you need the transpose?",
    page: "/proof/errata/",
    anchor: "is-the-transpose-necessary",
    proof: ["examples/errata.ts"],
  },
  {
    row: 16,
    asked: "Could attention do without values?",
    page: "/learn/without-values/",
    proof: ["examples/without-values.ts"],
  },
  {
    row: 17,
    asked: "Did Bahdanau attention reuse the query as values?",
    page: "/learn/looking-back/",
    figure: "encoder-decoder-attention",
    proof: ["examples/date-translation.ts"],
  },
  {
    row: 18,
    asked: "Can I train a translation model from scratch?",
    page: "/learn/looking-back/",
    figure: "encoder-decoder-attention",
    proof: ["examples/date-translation.ts", "examples/number-spelling.ts"],
  },
  {
    row: 19,
    asked: "Are the weights split, or the embeddings?",
    page: "/learn/what-is-a-head/",
    figure: "head-constructions",
    proof: ["examples/split-what.ts"],
  },
  {
    row: 20,
    asked: "Are projecting then splitting, and one matrix per head, the same?",
    page: "/reference/attention/multi-head/",
    figure: "head-constructions",
    proof: ["examples/multi-head.ts"],
  },
  {
    row: 21,
    asked: "What about full-size heads that are added?",
    page: "/reference/attention/multi-head/",
    figure: "head-constructions",
    proof: ["examples/multi-head.ts"],
  },
  {
    row: 22,
    asked: "Do FLOPs depend on the number of heads?",
    page: "/learn/fewer-keys/",
    anchor: "do-more-query-heads-cost-more",
    proof: ["examples/heads-cost.ts"],
  },
  {
    row: 23,
    asked: "512 / 8 = 64: can I choose these numbers?",
    page: "/learn/what-is-a-head/",
    anchor: "exercise",
    proof: ["examples/exercise-heads.ts"],
  },
  {
    row: 24,
    asked: "What actually is a head?",
    page: "/learn/what-is-a-head/",
    anchor: "one-head-under-a-microscope",
    figure: "head-constructions",
    proof: ["examples/one-head.ts"],
  },
  {
    row: 25,
    asked: "Why do we need more than one attention map?",
    page: "/learn/one-head-two-lookups/",
    proof: ["examples/two-lookups.ts"],
  },
  {
    row: 26,
    asked: "How do you make one head focus on grammar?",
    page: "/learn/heads-with-names/",
    proof: ["examples/heads-with-names.ts"],
  },
  {
    row: 27,
    asked: "Can I see BERT's heads?",
    page: "/learn/bert-beside-gpt/",
    figure: "linked-matrices",
    proof: ["examples/bert-beside-gpt.ts"],
  },
  {
    row: 28,
    asked: "If all heads start the same, are their updates not the same?",
    page: "/learn/why-heads-differ/",
    proof: ["examples/heads-that-differ.ts"],
  },
  {
    row: 29,
    asked: "What do the layer norms and residuals do that the video left out?",
    page: "/learn/norms-and-residuals/",
    figure: "transformer-block",
    proof: ["examples/signal-through-depth.ts", "examples/put-them-back.ts"],
  },
  {
    row: 30,
    asked: "Is it token embedding or word embedding?",
    page: "/learn/token-embedding/",
    proof: ["examples/word-and-token-embedding.ts"],
  },
  {
    row: 31,
    asked: "How do subwords, byte pairs and characters compare?",
    page: "/learn/watch-merges/",
    figure: "tokenization",
    proof: ["examples/watch-merges.ts"],
  },
  {
    row: 32,
    asked: "How does a model know word positions?",
    page: "/learn/beyond-the-training-length/",
    proof: ["examples/beyond-the-training-length.ts"],
  },
  {
    row: 33,
    asked: "Can a transformer read bytes instead of tokens?",
    page: "/learn/byte-latent-patches/",
    figure: "tokenization",
    proof: ["examples/byte-latent-patches.ts"],
  },
  {
    row: 34,
    asked: "Is any of it outdated?",
    page: "/learn/why-values/",
    anchor: "source",
    proof: ["course.test.ts"],
  },
  {
    row: 35,
    asked: "What happens when you throw data at next-word prediction?",
    page: "/learn/next-word/",
    anchor: "train-a-transformer-on-the-same-text",
    figure: "generation",
    proof: ["examples/next-word-trained.ts"],
  },
  {
    row: 36,
    asked: "Can I add a lesson or a mechanism?",
    page: "/guides/add-a-mechanism/",
    proof: ["course.test.ts"],
  },
  {
    row: 37,
    asked: "What does a layer without a map attend to?",
    page: "/learn/attention-without-a-map/",
    figure: "written-state",
    proof: ["examples/map-of-a-state.ts"],
  },
  {
    row: 38,
    asked: "When is a state enough?",
    page: "/learn/when-is-a-state-enough/",
    proof: ["examples/recall-of-a-key.ts"],
  },
];
