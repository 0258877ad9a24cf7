import useBaseUrl from "@docusaurus/useBaseUrl";
import manifest from "@site/.cache/manifest.json";
import type { PictureElement } from "@qkv/viz/elements";
import { createElement, useEffect, useRef, useState, type ReactNode } from "react";
import type { trainInTab } from "./run";
import panel from "../css/panel.module.css";

type State =
  | { status: "idle" | "running" }
  | { status: "done" | "stopped"; text: string }
  | { status: "failed"; reason: string };

/** Training of a model in the browser tab: start and stop buttons, the loss curve, and generated text. */
export function TrainingInTab(): ReactNode {
  const base = useBaseUrl("/");
  const curve = useRef<PictureElement<"qkv-training">>(null);
  const controller = useRef<AbortController>(undefined);
  const [state, setState] = useState<State>({ status: "idle" });
  useEffect(() => () => controller.current?.abort(), []);

  const start = async () => {
    const { signal } = (controller.current = new AbortController());
    setState({ status: "running" });
    try {
      const root = new URL(base, location.href);
      const address = (file: string) => new URL(file, root).href;
      const code = (await import(/* webpackIgnore: true */ address(manifest.training.run))) as {
        trainInTab: typeof trainInTab;
      };
      const gradients = address(manifest.training.gradients);
      const text = await code.trainInTab(curve.current!, { gradients, signal });
      setState({ status: signal.aborted ? "stopped" : "done", text });
    } catch (error) {
      setState({ status: "failed", reason: error instanceof Error ? error.message : String(error) });
    }
  };

  const running = state.status === "running";
  return (
    <section className={panel.panel} aria-label="Training in this tab" data-training={state.status}>
      <div className={panel.buttons}>
        <button type="button" className={panel.run} disabled={running} onClick={() => void start()}>
          Train
        </button>
        <button type="button" disabled={!running} onClick={() => controller.current?.abort()}>
          Stop
        </button>
      </div>
      <p role="status" className={panel.status}>
        {statusText(state)}
      </p>
      {createElement("qkv-training", { ref: curve })}
      {"text" in state && <p data-text>{state.text}</p>}
    </section>
  );
}

function statusText(state: State): string {
  switch (state.status) {
    case "idle":
      return "Nothing runs, and nothing is loaded, until you press the button.";
    case "running":
      return "Workers compute the gradients; the page stays free.";
    case "failed":
      return `It ended with an error: ${state.reason}`;
    case "stopped":
      return "Stopped. The model as it is writes:";
    case "done":
      return "The trained model writes:";
  }
}
