import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { Figure } from "../figures/figure";
import { ConfigBox } from "./config-box";
import styles from "./gallery.module.css";
import { configFromHash, hashWithConfig } from "./link-config";
import { ModelTable } from "./model-table";

const name = "model-stack";

/** Comparisons of models that differ in one property. */
const comparisons = [
  { state: "model=llama-2-7b&compare=llama-3.1-8b", text: "MHA and GQA: Llama 2 7B, Llama 3.1 8B" },
  { state: "model=llama-3.1-70b&compare=gemma-3-27b", text: "Full and sliding: Llama 3.1 70B, Gemma 3 27B" },
  { state: "model=llama-3.1-405b&compare=deepseek-v3", text: "GQA and MLA: Llama 3.1 405B, DeepSeek-V3" },
  {
    state: "model=qwen3-30b-a3b&compare=qwen3-next-80b-a3b",
    text: "Cache and state: Qwen3 30B-A3B, Qwen3-Next 80B-A3B",
  },
] as const;

/** The figure of a model's layers, a field for a custom model, and the table of all known ones. */
export function ModelGallery(): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [config, setConfig] = useState<string>();
  const [given, setGiven] = useState<string>();
  const [note, setNote] = useState<string>();

  useEffect(() => {
    void configFromHash(location.hash).then(setGiven);
  }, []);

  const open = useCallback((state: string) => {
    const figure = place.current?.querySelector<HTMLElement & { state: string }>(`qkv-${name}`);
    if (!figure) return;
    figure.state = state;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place.current?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }, []);
  const draw = useCallback(
    async (text: string) => {
      // A new figure reads its state from the address, which a shared link contains.
      if (text !== given) {
        const hash = await hashWithConfig(text);
        setNote(
          hash === ""
            ? "This config is too long for a link, so the address of this page does not carry it."
            : "The address of this page now carries your config. Copy it to share the figure.",
        );
        const address = new URL(location.href);
        address.searchParams.set(name, "model=own");
        address.hash = hash;
        history.replaceState(history.state, "", address);
      }
      setConfig(text);
    },
    [given],
  );

  return (
    <>
      <div ref={place} className={styles.place}>
        <Figure key={config} name={name} {...(config !== undefined && { config })} />
      </div>
      <ConfigBox given={given} note={note} onConfig={(text) => void draw(text)} />
      <p className={styles.compare}>
        <span>Compare</span>
        {comparisons.map(({ state, text }) => (
          <button key={state} type="button" onClick={() => open(state)}>
            {text}
          </button>
        ))}
      </p>
      <ModelTable onOpen={(id) => open(`model=${id}`)} />
    </>
  );
}
