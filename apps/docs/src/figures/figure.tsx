import useBaseUrl from "@docusaurus/useBaseUrl";
import stills from "@site/.cache/figures.json";
import type { FigureElement } from "@qkv/viz/figures";
import { createElement, useEffect, useRef, type ReactNode } from "react";
import { whenNear } from "../when-near";
import styles from "./figure.module.css";
import { figures, type FigureName } from "./list";

type Host = FigureElement<unknown, Record<string, string | number | boolean>>;

/**
 * A figure in a page: a static picture of its last state until it is near the viewport and its code is loaded, and without
 * JavaScript. Its step is stored in the address, unless the page stores it.
 */
export function Figure({
  name,
  state,
  ask,
  text,
  config,
  loading = "eager",
}: {
  name: FigureName;
  /** Current step, stored by the page. */
  state?: string;
  /** Computes its data. Default: the figure's own example, or our small model on `text`. */
  ask?: Host["ask"];
  text?: string;
  /** Text of a `config.json`, for figures of models. */
  config?: string;
  /** Loading of the static picture: "lazy" for figures below the first screen. */
  loading?: "eager" | "lazy";
}): ReactNode {
  const host = useRef<Host>(null);
  const latestAsk = useRef(ask);
  const still = stills[name];
  const folder = useBaseUrl("live/figures/");
  const storesState = state === undefined;

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    if (storesState) element.state = new URLSearchParams(location.search).get(name) ?? "";
    const keep = () => {
      const address = new URL(location.href);
      if (element.state) address.searchParams.set(name, element.state);
      else address.searchParams.delete(name);
      history.replaceState(history.state, "", address);
    };
    if (storesState) element.addEventListener("statechange", keep);
    const stopWaiting = whenNear(element, () => {
      if (latestAsk.current) element.ask = latestAsk.current;
      void figures[name]();
    });
    return () => {
      stopWaiting();
      element.removeEventListener("statechange", keep);
    };
  }, [name, storesState]);

  useEffect(() => {
    latestAsk.current = ask;
    if (ask && host.current) host.current.ask = ask;
  }, [ask]);
  useEffect(() => {
    if (state !== undefined && host.current) host.current.state = state;
  }, [state]);

  return (
    <figure className={styles.figure} data-figure={name}>
      {createElement(
        `qkv-${name}`,
        { ref: host, ...(text !== undefined && { text }), ...(config !== undefined && { config }) },
        ask === undefined && text === undefined && config === undefined ? (
          <picture>
            <source media="(max-width: 640px)" srcSet={`${folder}${name}-narrow.svg`} {...still.narrowSize} />
            <img
              src={`${folder}${name}-wide.svg`}
              alt={`${still.title}. ${still.description}`}
              {...still.size}
              loading={loading}
              fetchPriority={loading === "eager" ? "high" : "auto"}
            />
          </picture>
        ) : (
          <p className={styles.waiting}>Loading “{still.title}” …</p>
        ),
      )}
    </figure>
  );
}
