/** Weights of one map, `[query][key]`; `null` where the query may not see the key. A state's may be below 0. */
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
  /** Lines of code that went ("- …") and came ("+ …"). */
  diff: readonly string[];
  /** The picture in a sentence. */
  seen: string;
  drawing: {
    /** True of an encoder–decoder: queries are the words written so far, and each encoder state is key and value in one. */
    decoder?: boolean;
    /** A small network between query and key. */
    network?: boolean;
    /** More than one: heads stand at the side, each with a map. */
    numHeads: number;
    numKvHeads: number;
    /** Keys kept, counted from the last. */
    window?: number;
    /** Rows whose words are written into a state and dropped, each with the numbers of its state, `[K][V]`. */
    states?: readonly (readonly (readonly number[])[] | null)[];
    /** Keys and values are one latent. */
    latent?: boolean;
    /** Words that the newest query reads, for each KV head. */
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
  /** Origin of the two, as "2 · H · D numbers". */
  cacheText: string;
  workText: string;
};

/** Numbers of the figure. */
export type EvolutionModel = {
  words: readonly string[];
  /** Their translation; the first `written` of them are the queries of an encoder–decoder. */
  translation: readonly string[];
  written: number;
  steps: readonly EvolutionStep[];
  /** Sizes that all costs are counted at. */
  reference: string;
};

/** Settings that a reader chooses. */
export type EvolutionChoices = {
  /** Id of a step that is shown beside, or "" for none. */
  compare: string;
};
