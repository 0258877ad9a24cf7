import type { HTMLAttributes, RefAttributes } from "react";
import type { AttentionCallElement } from "./attention-call.js";
import type { CachesAtWorkElement } from "./caches-at-work.js";
import type { EncoderDecoderAttentionElement } from "./encoder-decoder-attention.js";
import type { EvolutionElement } from "./evolution.js";
import type { FlashAttentionElement } from "./flash-attention.js";
import type { GenerationElement } from "./generation.js";
import type { HeadConstructionsElement } from "./head-constructions.js";
import type { HeadsAndKeysElement } from "./heads-and-keys.js";
import type { LinkedMatricesElement } from "./linked-matrices.js";
import type { ModelStackElement } from "./model-stack.js";
import type { TokenizationElement } from "./tokenization.js";
import type { TransformerBlockElement } from "./transformer-block.js";
import type { WrittenStateElement } from "./written-state.js";

/** The elements of the figures, by their names. */
export type FigureElements = {
  "qkv-attention-call": AttentionCallElement;
  "qkv-caches-at-work": CachesAtWorkElement;
  "qkv-encoder-decoder-attention": EncoderDecoderAttentionElement;
  "qkv-evolution": EvolutionElement;
  "qkv-flash-attention": FlashAttentionElement;
  "qkv-generation": GenerationElement;
  "qkv-head-constructions": HeadConstructionsElement;
  "qkv-heads-and-keys": HeadsAndKeysElement;
  "qkv-linked-matrices": LinkedMatricesElement;
  "qkv-model-stack": ModelStackElement;
  "qkv-tokenization": TokenizationElement;
  "qkv-transformer-block": TransformerBlockElement;
  "qkv-written-state": WrittenStateElement;
};

/** Attributes of some figures, in addition to `state`. */
type OwnAttributes = {
  "qkv-attention-call": { text?: string };
  "qkv-model-stack": { config?: string };
};

/**
 * Props of a figure as an element in JSX. React 19 sets `model` and `ask` as properties; for React 18 a `ref` does.
 */
export type FigureElementProps<Name extends keyof FigureElements> = HTMLAttributes<HTMLElement> &
  RefAttributes<FigureElements[Name]> &
  Partial<Pick<FigureElements[Name], "model" | "ask" | "state">> & {
    /** Called when the step, the focused cell or a choice changes; they are in the `state` of the element. */
    onstatechange?: (event: Event) => void;
  } & (Name extends keyof OwnAttributes ? OwnAttributes[Name] : unknown);

type Elements = { [Name in keyof FigureElements]: FigureElementProps<Name> };

declare module "react" {
  // React's types of elements are extended in this way.
  /* eslint-disable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type */
  namespace JSX {
    interface IntrinsicElements extends Elements {}
  }
}
