import {
  createElement,
  useEffect,
  useRef,
  type FunctionComponent,
  type ReactNode,
  type RefObject,
} from "react";
import { defineAttentionCall, type AttentionCallElement } from "./attention-call.js";
import { defineCachesAtWork } from "./caches-at-work.js";
import { defineEncoderDecoderAttention } from "./encoder-decoder-attention.js";
import { defineEvolution } from "./evolution.js";
import { defineFlashAttention } from "./flash-attention.js";
import { defineGeneration } from "./generation.js";
import { defineHeadConstructions } from "./head-constructions.js";
import { defineHeadsAndKeys } from "./heads-and-keys.js";
import { defineLinkedMatrices, type LinkedMatricesElement } from "./linked-matrices.js";
import { defineModelStack } from "./model-stack.js";
import { defineTokenization } from "./tokenization.js";
import { defineTransformerBlock } from "./transformer-block.js";
import { defineWrittenState } from "./written-state.js";

/** Props of a figure that computes its own numbers. */
export type FigureProps = {
  /** Step, focused cell and choices, as in a permalink: `step=score-2&token=3`. */
  state?: string;
  /** Called with `state` when the step, the focused cell or a choice changes. */
  onStateChange?: (state: string) => void;
  /** Shown until the figure has numbers, such as the SVG of `figureSvg`. */
  children?: ReactNode;
};

/** Props of {@link AttentionCall}. */
export type AttentionCallProps = FigureProps & {
  /** Text for the small model. Default: the example of six tokens. */
  text?: string;
  /** Numbers of your own. Default: those of the text. */
  ask?: AttentionCallElement["ask"];
};

/**
 * *One attention call* in React: `<AttentionCall text="The cat sat on the mat." />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { AttentionCall } from "@qkv/figures/react";
 *
 * createElement(AttentionCall, { state: "step=score-1" }).type === AttentionCall; // => true
 * ```
 */
export const AttentionCall: FunctionComponent<AttentionCallProps> = ({
  text,
  ask,
  state,
  onStateChange,
  children,
}) => {
  const place = useRef<AttentionCallElement>(null);
  useEffect(() => {
    if (ask && place.current) place.current.ask = ask;
    defineAttentionCall();
    if (ask && place.current) place.current.ask = ask;
  }, [ask]);
  useStateChange(place, onStateChange);
  return createElement("qkv-attention-call", { ref: place, key: text, text, state }, children);
};

/**
 * *Writing, token by token* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { Generation } from "@qkv/figures/react";
 *
 * createElement(Generation, { state: "temperature=1.2" }).type === Generation; // => true
 * ```
 */
export const Generation: FunctionComponent<FigureProps> = figureComponent("qkv-generation", defineGeneration);

/**
 * *KV cache size: MHA, GQA, MQA and MLA* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { HeadsAndKeys } from "@qkv/figures/react";
 *
 * createElement(HeadsAndKeys, { state: "model=gemma-2b" }).type === HeadsAndKeys; // => true
 * ```
 */
export const HeadsAndKeys: FunctionComponent<FigureProps> = figureComponent(
  "qkv-heads-and-keys",
  defineHeadsAndKeys,
);

/**
 * *The evolution of attention* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { Evolution } from "@qkv/figures/react";
 *
 * createElement(Evolution, { state: "step=multi-query" }).type === Evolution; // => true
 * ```
 */
export const Evolution: FunctionComponent<FigureProps> = figureComponent("qkv-evolution", defineEvolution);

/**
 * *KV caches at work* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { CachesAtWork } from "@qkv/figures/react";
 *
 * createElement(CachesAtWork, { state: "kind=quantized" }).type === CachesAtWork; // => true
 * ```
 */
export const CachesAtWork: FunctionComponent<FigureProps> = figureComponent(
  "qkv-caches-at-work",
  defineCachesAtWork,
);

/**
 * *FlashAttention, tile by tile* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { FlashAttention } from "@qkv/figures/react";
 *
 * createElement(FlashAttention, { state: "mask=window" }).type === FlashAttention; // => true
 * ```
 */
export const FlashAttention: FunctionComponent<FigureProps> = figureComponent(
  "qkv-flash-attention",
  defineFlashAttention,
);

/**
 * *Before transformers* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { EncoderDecoderAttention } from "@qkv/figures/react";
 *
 * const state = "source=21 January 1918";
 * createElement(EncoderDecoderAttention, { state }).type === EncoderDecoderAttention; // => true
 * ```
 */
export const EncoderDecoderAttention: FunctionComponent<FigureProps> = figureComponent(
  "qkv-encoder-decoder-attention",
  defineEncoderDecoderAttention,
);

/**
 * *What is a head?* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { HeadConstructions } from "@qkv/figures/react";
 *
 * createElement(HeadConstructions, { state: "numHeads=4" }).type === HeadConstructions; // => true
 * ```
 */
export const HeadConstructions: FunctionComponent<FigureProps> = figureComponent(
  "qkv-head-constructions",
  defineHeadConstructions,
);

/**
 * *From text to tokens* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { Tokenization } from "@qkv/figures/react";
 *
 * createElement(Tokenization, { state: "view=patches" }).type === Tokenization; // => true
 * ```
 */
export const Tokenization: FunctionComponent<FigureProps> = figureComponent(
  "qkv-tokenization",
  defineTokenization,
);

/**
 * *Inside a block* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { TransformerBlock } from "@qkv/figures/react";
 *
 * createElement(TransformerBlock, { state: "step=heads&layer=2" }).type === TransformerBlock; // => true
 * ```
 */
export const TransformerBlock: FunctionComponent<FigureProps> = figureComponent(
  "qkv-transformer-block",
  defineTransformerBlock,
);

/** Props of {@link ModelStack}. */
export type ModelStackProps = FigureProps & {
  /** Text of a `config.json`: the model `own`. */
  config?: string;
};

/**
 * *How a model attends* in React: `<ModelStack config={text} state="model=own" />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { ModelStack } from "@qkv/figures/react";
 *
 * createElement(ModelStack, { state: "model=deepseek-v3" }).type === ModelStack; // => true
 * ```
 */
export const ModelStack: FunctionComponent<ModelStackProps> = ({
  config,
  state,
  onStateChange,
  children,
}) => {
  const place = useRef<Host>(null);
  useEffect(defineModelStack, []);
  useStateChange(place, onStateChange);
  return createElement("qkv-model-stack", { ref: place, key: config, config, state }, children);
};

/** Props of {@link LinkedMatrices}. */
export type LinkedMatricesProps = FigureProps & {
  /** Numbers of your own, from `linkedMatricesModel`. Default: BERT and GPT in small. */
  model?: LinkedMatricesElement["model"];
};

/**
 * *Matrices that answer* in React: `<LinkedMatrices model={await linkedMatricesModel(trace)} />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { LinkedMatrices } from "@qkv/figures/react";
 *
 * createElement(LinkedMatrices, { state: "model=gpt" }).type === LinkedMatrices; // => true
 * ```
 */
export const LinkedMatrices: FunctionComponent<LinkedMatricesProps> = ({
  model,
  state,
  onStateChange,
  children,
}) => {
  const place = useRef<LinkedMatricesElement>(null);
  useEffect(() => {
    if (model && place.current) place.current.model = model;
    defineLinkedMatrices();
    if (model && place.current) place.current.model = model;
  }, [model]);
  useStateChange(place, onStateChange);
  return createElement("qkv-linked-matrices", { ref: place, state }, children);
};

type Host = HTMLElement & { state: string };

function figureComponent(tag: string, define: () => void): FunctionComponent<FigureProps> {
  return function FigureComponent({ state, onStateChange, children }) {
    const place = useRef<Host>(null);
    useEffect(define, []);
    useStateChange(place, onStateChange);
    return createElement(tag, { ref: place, state }, children);
  };
}

function useStateChange(place: RefObject<Host | null>, onStateChange: FigureProps["onStateChange"]): void {
  useEffect(() => {
    const host = place.current;
    if (!host || !onStateChange) return;
    const hear = () => onStateChange(host.state);
    host.addEventListener("statechange", hear);
    return () => host.removeEventListener("statechange", hear);
  }, [place, onStateChange]);
}

/**
 * *A state that is written and erased* in React.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { WrittenState } from "@qkv/figures/react";
 *
 * createElement(WrittenState, { state: "rule=add" }).type === WrittenState; // => true
 * ```
 */
export const WrittenState: FunctionComponent<FigureProps> = figureComponent(
  "qkv-written-state",
  defineWrittenState,
);
