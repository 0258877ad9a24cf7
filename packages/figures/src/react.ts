import { createElement, useEffect, useRef, type FunctionComponent, type ReactNode } from "react";
import { defineAttentionCall, type AttentionCallElement } from "./attention-call.js";

/** Props of {@link AttentionCall}. */
export type AttentionCallProps = {
  /** Text that our small model reads. Default: the example of six tokens. */
  text?: string;
  /** Numbers of your own. Default: those of the text. */
  ask?: AttentionCallElement["ask"];
  /** Place in the story, as in an address. */
  state?: string;
  /** Hears of each other place or choice. */
  onStateChange?: (state: string) => void;
  /** Seen until the figure has numbers, as a still of `figureSvg`. */
  children?: ReactNode;
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
  useEffect(() => {
    const host = place.current;
    if (!host || !onStateChange) return;
    const hear = () => onStateChange(host.state);
    host.addEventListener("statechange", hear);
    return () => host.removeEventListener("statechange", hear);
  }, [onStateChange]);
  return createElement("qkv-attention-call", { ref: place, key: text, text, state }, children);
};
