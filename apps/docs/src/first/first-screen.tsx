import useBaseUrl from "@docusaurus/useBaseUrl";
import manifest from "@site/.cache/manifest.json";
import prerendered from "@site/.cache/first-look.json";
import type { AttentionCallModel, AttentionCallOptions } from "@qkv/figures";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { Answers } from "./answers";
import { DeviceSwitch } from "./device-switch";
import { HeadDrawer } from "./head-drawer";
import { HeadGrid } from "./head-grid";
import { HeadsSwitch } from "./heads-switch";
import { weightsOf, type HeadDetail, type HeadPlace, type Look } from "./look";
import { NextTokens } from "./next-tokens";
import type { Place } from "./place";
import { firstHead, sentence, suggestions } from "./sentence";
import { TokenArcs } from "./token-arcs";
import type { LookAnswer } from "./worker";
import styles from "./first.module.css";

const before: Look = {
  ...prerendered,
  weights: Float32Array.from(atob(prerendered.weights), (letter) => letter.charCodeAt(0) / 255),
};

/** The reader's sentence, the attention of all heads of our model, and one head in detail. */
export function FirstScreen(): ReactNode {
  const base = useBaseUrl("/");
  const answers = useRef<Answers>(undefined);
  const [text, setText] = useState(sentence);
  const [kvHeads, setKvHeads] = useState<number>();
  const [look, setLook] = useState(before);
  const [live, setLive] = useState<Omit<LookAnswer, "look">>();
  const [on, setOn] = useState<Place>("fastest");
  const [changes, setChanges] = useState(0); // of the fastest device
  const [failure, setFailure] = useState<string>();
  const [chosen, setChosen] = useState<HeadPlace>(firstHead);
  const [query, setQuery] = useState<number>();
  const [detail, setDetail] = useState<HeadDetail>();
  const [open, setOpen] = useState(false);
  const drawer = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const root = new URL(base, location.href);
    const asker = new Answers(new Worker(new URL(manifest.first, root), { type: "module" }), () =>
      setChanges((count) => count + 1),
    );
    answers.current = asker;
    // An on-screen keyboard would cover the picture.
    if (matchMedia("(hover: hover)").matches) box.current?.focus({ preventScroll: true });
    return () => asker.end();
  }, [base]);

  const T = look.tokens.length;
  const asks = Math.min(query ?? T - 1, T - 1);

  useEffect(() => {
    if (text === "") return;
    void answers.current
      ?.ask<LookAnswer>({ type: "look", text, kvHeads, on })
      .then((answer) => {
        if (!answer) return;
        const { look, ...facts } = answer;
        setLook(look);
        setLive(facts);
        setFailure(undefined);
      })
      .catch((error: Error) => setFailure(error.message));
  }, [text, kvHeads, on, changes]);

  useEffect(() => {
    if (!open || text === "") return;
    void answers.current
      ?.ask<HeadDetail>({ type: "head", text, kvHeads, on, ...chosen, query: asks })
      .then((answer) => answer && setDetail(answer))
      .catch((error: Error) => setFailure(error.message));
  }, [open, text, kvHeads, on, chosen, asks]);

  const call = useCallback(
    async (options: AttentionCallOptions): Promise<AttentionCallModel> => {
      const made = await answers.current?.ask<AttentionCallModel>({
        type: "call",
        text,
        kvHeads,
        ...options,
      });
      // Replaced by a later request: the figure no longer waits for this one.
      return made ?? Promise.reject(new DOMException("asked again", "AbortError"));
    },
    [text, kvHeads],
  );
  const map = useMemo(() => weightsOf(look, chosen), [look, chosen]);
  useEffect(() => {
    if (open) drawer.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [open]);
  const write = (text: string) => {
    setText(text);
    setQuery(undefined);
  };

  return (
    <section
      className={styles.first}
      aria-label="Your sentence, every head"
      data-live-look={live ? "yes" : "no"}
    >
      <div className={styles.ask}>
        <label className={styles.box}>
          <span>Your sentence</span>
          <textarea
            ref={box}
            rows={2}
            value={text}
            maxLength={400}
            spellCheck={false}
            placeholder="Type a sentence"
            onChange={(event) => write(event.target.value)}
          />
        </label>
        {text === "" ? (
          <Suggestions choose={write} />
        ) : (
          <NextTokens next={look.next} append={(next) => write(text + next)} />
        )}
        {look.bytePieces > 0 && text !== "" && (
          <p className={styles.small}>
            {look.bytePieces === 1 ? "1 token is" : `${look.bytePieces} tokens are`} part of a character that
            is not in the vocabulary: the model reads its bytes, written as &lt;F0&gt;.
          </p>
        )}
        <p className={styles.small} role="status">
          {failure
            ? `The model could not read this: ${failure}`
            : live
              ? `${look.layers * look.heads} heads computed in ${live.timeMs.toFixed(0)} ms on your device just now.`
              : "Computed when this page was built. The model is loading."}
        </p>
        <DeviceSwitch on={on} choose={setOn} live={live} />
      </div>
      {text !== "" && (
        <div className={styles.see}>
          <TokenArcs look={look} place={chosen} weights={map} query={asks} choose={setQuery} />
          <HeadGrid
            look={look}
            chosen={chosen}
            choose={(place) => {
              setOpen(true);
              setChosen(place);
            }}
            open={open}
          />
        </div>
      )}
      <div ref={drawer} className={styles.wide}>
        {open && text !== "" && (
          <HeadDrawer
            look={look}
            chosen={chosen}
            query={asks}
            detail={detail}
            call={call}
            close={() => setOpen(false)}
          />
        )}
      </div>
      <HeadsSwitch look={look} kvHeads={kvHeads} choose={setKvHeads} drift={live?.drift ?? 0} />
    </section>
  );
}

/** Example sentences for an empty text box. */
function Suggestions({ choose }: { choose: (text: string) => void }): ReactNode {
  return (
    <div className={styles.next}>
      <p className={styles.says}>Type a sentence of up to 40 words, or start with one of these.</p>
      {suggestions.map((one) => (
        <button key={one} type="button" className={styles.candidate} onClick={() => choose(one)}>
          {one}
        </button>
      ))}
    </div>
  );
}
