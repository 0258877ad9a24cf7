import type { Fields } from "./config-fields.js";
import type { HeadsAttention, Norm } from "./model-shape.js";
/** A property of an architecture: a constant, or the field of the configuration that decides. */
export type Rule = boolean | ((fields: Fields) => boolean);
/** What the name of an architecture says beyond the sizes: where it has biases, norms, tables. */
export type Traits = {
  readonly norm: Norm;
  /** Norms of the model's width in a layer. */
  readonly norms: number | ((fields: Fields, layer: number) => number);
  readonly queryKeyNorm:
    HeadsAttention["queryKeyNorm"] | ((fields: Fields) => HeadsAttention["queryKeyNorm"]);
  readonly biases: {
    readonly query: Rule;
    readonly key?: Rule;
    readonly output: Rule;
  };
  readonly mlpBias: Rule;
  readonly gated: Rule;
  /** The hidden width where the configuration leaves it out, in widths of the model; `null`: it must be given. */
  readonly hiddenTimes: number | null;
  /** The part of a head that turns with its position. */
  readonly rotary: number;
  readonly tied: boolean;
  readonly outputBias: boolean;
  /** A learned row for each position, and how many more rows than positions; `null`: none. */
  readonly positions: {
    readonly extra: number;
  } | null;
  readonly embeddingNorm: boolean;
  readonly finalNorm: boolean;
  /** Which layers see a window, where the configuration has one and no list of its layers. */
  readonly windowed: (layer: number, fields: Fields) => boolean;
  readonly form: "decoder" | "encoder" | "t5" | "bart" | "whisper";
  /** Kinds of tokens with a row of their own, in encoders. */
  readonly tokenTypes: number;
  readonly pooler: boolean;
  readonly sinks: boolean;
  readonly routerBias: boolean;
  readonly expertBias: boolean;
  readonly sharedGate: boolean;
  /** Whether a shared expert as wide as the others is always there. */
  readonly sharedExpert: boolean;
  /** Whether a second half of the query projection opens and closes the output. */
  readonly outputGate: boolean;
};
/** Every architecture that can be read, by its `model_type`. */
export declare const architectures: Readonly<Record<string, Traits>>;
