/** Form in which a cache holds a token. */
export type StoredAs = "float32" | "int8" | "latent" | "state" | "evicted";

/** A change of the conversation. Sequence 0 is A, its fork 1 is B, another request 2 is C. */
export type CacheOperation = {
  kind: "prompt" | "append" | "fork" | "request";
  sequence: number;
  /** Tokens of each sequence after it; 0 before a sequence begins. */
  lengths: readonly number[];
};

/** A token in a slot of memory. */
export type SlotToken = {
  sequence: number;
  position: number;
  /** Address of the slot that it was copied or moved from in this operation, as "0:2:1". */
  from?: string;
};

/** A contiguous part of memory: a buffer, or one block of it. */
export type CacheRegion = {
  /** Buffer and block, as "0:2". The same memory has the same id in every operation. */
  id: string;
  form: "buffer" | "block";
  /** Index of a block in its buffer. */
  block: number;
  stored: Exclude<StoredAs, "evicted">;
  /** Sequences that read it. */
  holders: readonly number[];
  /** Bytes of keys, values and scales, in all layers. */
  bytes: number;
  /** The token in each slot. A state has one slot, with the last token that changed it. */
  slots: readonly (SlotToken | undefined)[];
  /** Width of a drawn slot, in slots of one float32 token. Default 1. */
  span?: number;
};

/** A sequence as a cache holds it. */
export type CachedSequence = {
  /** Form of each token. */
  stored: readonly StoredAs[];
  /** Length of its prefix whose keys and values were already in the cache. Unit: tokens. */
  reused: number;
  /** Blocks of its tokens, in their order. */
  blocks: readonly number[];
};

/** A cache after an operation. */
export type CacheMoment = {
  /** A, B and C; undefined before they begin. */
  sequences: readonly (CachedSequence | undefined)[];
  regions: readonly CacheRegion[];
  /** Bytes allocated, in all layers. Shared memory counts once. */
  bytes: number;
  /** Bytes of slots that hold a token. */
  usedBytes: number;
  /** Tokens whose keys and values were computed in this operation. */
  computed: number;
  /** Tokens copied to other memory in this operation. */
  copied: number;
  /** Their bytes, in all layers. */
  copiedBytes: number;
  /** Tokens that were quantized to int8 in this operation. */
  rounded: number;
  /** The error message of the cache, if it refused the tokens and stayed unchanged. */
  refusal?: string;
  /** The most probable next token with all tokens in float32 (`exact`), and its probability with this cache. */
  next?: {
    text: string;
    exact: number;
    probability: number;
    /** Total variation distance of the two distributions: half the sum of absolute differences. 0: the same bits. */
    difference: number;
  };
};

/** The first numbers of a key, before and after quantization: `code × scale` approximates `exact`. */
export type RoundedKey = {
  exact: readonly number[];
  codes: readonly number[];
  scales: readonly number[];
};

/** One kind of cache, and its content after each operation. */
export type CacheKind = {
  /** As "paged". */
  id: string;
  /** As "Paged". */
  name: string;
  /** One sentence about how it stores tokens. */
  description: string;
  /** Names of its buffers and blocks, as "ring buffer" and "page". */
  names: { buffer: string; block: string };
  /** Weights of its layers: random where the model has no layers of its form. Default: the model's. */
  weights?: "random";
  /** A size that the reader chooses: tokens of a page or of a window. */
  budget?: { label: string; options: readonly { value: CacheBudget; tokens: number }[] };
  /** One for each operation. */
  moments: readonly CacheMoment[];
  /** Quantized keys of layer 0 and KV head 0, by sequence and position: "0:3". */
  rounded: Readonly<Record<string, RoundedKey>>;
  /** The largest quantization error of layer 0, in units of the scale. */
  largestError: number;
};

export type CacheBudget = "small" | "medium" | "large";

/** Numbers of the figure: one conversation on every kind of cache. */
export type CachesAtWorkModel = {
  operations: readonly CacheOperation[];
  /** Texts of the tokens of A, B and C, to the end. */
  texts: readonly (readonly string[])[];
  /**
   * Attention of the last token over all tokens in float32, mean of all heads and layers: one list for each operation,
   * empty after a fork.
   */
  attention: readonly (readonly number[])[];
  numLayers: number;
  numKvHeads: number;
  headDim: number;
  /** Bytes of a token's keys and values in float32, in all layers. */
  bytesPerToken: number;
  kinds: readonly CacheKind[];
};

/** Settings that a reader chooses. */
export type CachesAtWorkChoices = {
  /** Id of a kind. */
  kind: string;
  budget: CacheBudget;
  /** After the prompt: `a`, `b`, `c` append a token to a sequence, `f` forks A, `n` is a new request. */
  operations: string;
};

/** The chosen kind of cache, else the first. */
export const chosenKind = ({ kinds }: CachesAtWorkModel, { kind }: CachesAtWorkChoices): CacheKind =>
  kinds.find(({ id }) => id === kind) ?? kinds[0]!;

export const sequenceName = (sequence: number): string => "ABC"[sequence]!;

/** "A", "A and B", "A, B and C". */
export const namesText = (sequences: readonly number[]): string => {
  const names = sequences.map(sequenceName);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
};

/** A number of tokens in words. */
export const tokensText = (count: number): string => `${count} ${count === 1 ? "token" : "tokens"}`;

/** Positions that an operation evicted. */
export function newlyEvicted(model: CachesAtWorkModel, { moments }: CacheKind, index: number): number[] {
  const { sequence } = model.operations[index]!;
  const [before, after] = [index - 1, index].map((i) => moments[i]?.sequences[sequence]?.stored ?? []);
  return after!.flatMap((form, position) =>
    form === "evicted" && before![position] !== "evicted" ? [position] : [],
  );
}

/** Number of tokens of all sequences that are stored in a form. */
export const countStored = ({ sequences }: CacheMoment, form: StoredAs): number =>
  sequences.reduce((sum, own) => sum + (own?.stored.filter((each) => each === form).length ?? 0), 0);
