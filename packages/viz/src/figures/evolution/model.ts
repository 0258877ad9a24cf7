/** Weights `[query][key]`, `null` where the query does not see the key. The map implied by a state may have weights below 0. */
export type WeightMap = readonly (readonly (number | null)[])[];

/** One mechanism of the evolution: its picture, its words and its cost. */
export type EvolutionStep = {
  /** As "multi-query". */
  id: string;
  /** As "2019", or "2020–23". */
  year: string;
  /** For the timeline: "Multi-query". */
  name: string;
  title: string;
  paper: { title: string; authors: string; url: string };
  /** Shortcoming of the step before. */
  problem: string;
  change: string;
  formula: string;
  /** Lines of code that were removed ("- …") and added ("+ …"). */
  diff: readonly string[];
  /** The picture in a sentence. */
  seen: string;
  drawing: {
    /** True of an encoder–decoder: queries are the words written so far, and each encoder state is both key and value. */
    decoder?: boolean;
    /** True if a small network computes the score of a query and a key. */
    network?: boolean;
    /** If more than one, the heads are drawn at the side, each with its map. */
    numHeads: number;
    numKvHeads: number;
    /** Window size: the cache keeps this many of the newest keys. Unit: tokens. */
    window?: number;
    /** Rows whose words are written into a state and dropped, each with the numbers of its state, `[K][V]`. */
    states?: readonly (readonly (readonly number[])[] | null)[];
    /** True if keys and values are computed from one latent. */
    latent?: boolean;
    /** Indices of the words that the newest query attends to, for each KV head. */
    chosen?: readonly (readonly number[])[];
    /** Meaning of the rows of keys, of the queries beside them and of the maps. Default "head". */
    rows?: "head" | "layer";
    /** Names above the rows, in two lines. Default: the number of KV heads, and the part that is kept. */
    names?: readonly [string, string];
  };
  /** A map for each head. */
  weights: readonly WeightMap[];
  /** For the reference model. */
  cacheBytesPerToken: number;
  flopsPerToken: number;
  /** Formulas of the two, as "2 · H · D numbers". */
  cacheText: string;
  workText: string;
};

/** Numbers of the figure. */
export type EvolutionModel = {
  words: readonly string[];
  /** The translation. Its first `written` words are the queries of an encoder–decoder. */
  translation: readonly string[];
  written: number;
  steps: readonly EvolutionStep[];
  /** The reference model of all costs, in words. */
  reference: string;
};

/** Settings that a reader chooses. */
export type EvolutionChoices = {
  /** Id of the step to compare with, or "" for none. */
  compare: string;
};
