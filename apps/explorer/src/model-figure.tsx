import type { TransformerBlockElement } from "@qkv/figures/transformer-block";
import { createElement, useContext, useEffect, useRef, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import { Section, SwitchedOff } from "./section";
import styles from "./explorer.module.css";

/** The figure *Inside a block* on the model of the page, once it is opened. */
export function ModelFigure({
  client,
  text,
  model,
}: {
  client: LensClient | undefined;
  text: string;
  model: string;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<TransformerBlockElement>(null);
  const off = useContext(SwitchedOff);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    if (!isOpen || !client) return;
    const element = place.current;
    setFailure(undefined);
    const draw = async () => {
      const { defineTransformerBlock } = await import("@qkv/figures/transformer-block");
      const ask: TransformerBlockElement["ask"] = ({ text, removed }) => client.figure(text, removed, model);
      if (element) element.ask = ask;
      defineTransformerBlock();
      if (element) element.ask = ask;
    };
    draw().catch((error: Error) => {
      setFailure(`The figure could not be loaded: ${error.message} Reload the page to try again.`);
    });
  }, [isOpen, client, model]);
  return (
    <Section title="The whole model" isOfRun={false}>
      {off.length > 0 && (
        <p className={styles.badge} data-without="">
          the model with nothing switched off
        </p>
      )}
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>From token ids to probabilities, as a figure: press a part to open it</summary>
        {failure !== undefined && (
          <p role="alert" className={styles.failure}>
            {failure}
          </p>
        )}
        {isOpen &&
          createElement("qkv-transformer-block", {
            ...{ ref: place, key: `${model} ${text}` },
            state: new URLSearchParams({ text }).toString(),
          })}
      </details>
    </Section>
  );
}
