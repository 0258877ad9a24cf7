// The models of the `encoders` rows: shapes of well-known models, with random weights, the same in every process.
import { weightsOf } from "../lm/shapes.mjs";

/** C width, F hidden, L layers, H heads. `post`: norms after each part, otherwise before it. */
export const shapes = {
  /** all-MiniLM-L6-v2 with a small vocabulary, since embedding lookups take little time. */
  minilm: { C: 384, F: 1536, L: 6, H: 12, V: 2048, tokens: 128, post: true, eps: 1e-12 },
  /** ViT-Ti/16 at 224 × 224: 196 patches and the class token. */
  vitTiny: { C: 192, F: 768, L: 12, H: 3, image: 224, patch: 16, classes: 1000, post: false, eps: 1e-6 },
};

export const patches = ({ image, patch }) => (image / patch) ** 2;

/** Weights by name; matrices are [out, in]; names of layer i end with `.i`. */
export function weights({ C, F, L, V, tokens, image, patch, classes }) {
  const shapesOf = new Map();
  const biased = (name, ...shape) => {
    shapesOf.set(name, shape);
    shapesOf.set(`${name}.bias`, shape.slice(0, 1));
  };
  if (image === undefined) {
    shapesOf.set("embedding", [V, C]).set("positions", [tokens, C]).set("types", [2, C]);
    biased("embeddingNorm", C);
  } else {
    biased("patches", C, 3 * patch * patch);
    shapesOf.set("class", [1, 1, C]).set("positions", [1, patches({ image, patch }) + 1, C]);
    biased("finalNorm", C);
    biased("head", classes, C);
  }
  for (let layer = 0; layer < L; layer++) {
    for (const name of ["query", "key", "value", "output"]) biased(`${name}.${layer}`, C, C);
    biased(`attentionNorm.${layer}`, C);
    biased(`up.${layer}`, F, C);
    biased(`down.${layer}`, C, F);
    biased(`feedForwardNorm.${layer}`, C);
  }
  return weightsOf(shapesOf, 0.08);
}

/** Ids of the special tokens of the small vocabulary, before its words. */
export const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const wordIds = ({ V, tokens }, text) =>
  Array.from(
    { length: tokens - 2 },
    (_, i) => special.length + (((text * tokens + i) * 7919 + 13) % (V - special.length)),
  );

/** The ids of `count` texts, each between the begin and end tokens. */
export const ids = (shape, batch) =>
  Array.from({ length: batch }, (_, text) => [2, ...wordIds(shape, text), 3]);

/** The texts with these ids, of words in the vocabulary. */
export const texts = (shape, batch) =>
  Array.from({ length: batch }, (_, text) =>
    wordIds(shape, text)
      .map((id) => `w${id}`)
      .join(" "),
  );

/** A tokenizer.json of this vocabulary. */
export function tokenizerJson({ V }) {
  const words = Array.from({ length: V }, (_, id) => special[id] ?? `w${id}`);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [named("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, named("[SEP]")],
      pair: [
        named("[CLS]"),
        { Sequence: { id: "A", type_id: 0 } },
        named("[SEP]"),
        { Sequence: { id: "B", type_id: 1 } },
      ],
      special_tokens: Object.fromEntries(
        [2, 3].map((id) => [special[id], { id: special[id], ids: [id], tokens: [special[id]] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  };
}

const named = (id) => ({ SpecialToken: { id, type_id: 0 } });
