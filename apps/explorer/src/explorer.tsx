import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
  type RefObject,
} from "react";
import { LensClient, noWork } from "./client";
import { ComparePanel } from "./compare-panel";
import { exportedCode } from "./exported-code";
import { HeadPanel, strongestKey } from "./head-panel";
import { rankedHeads, sortedHeads } from "./head-ranking";
import { HeadsPanel } from "./heads-panel";
import { LayerSwitches, LensPanel, lensPositions, PartsPanel } from "./layers-panel";
import { ModelChoice } from "./model-choice";
import { ModelFigure } from "./model-figure";
import { AblationResult, NextTokens } from "./next-tokens";
import { followEdit } from "./other-text";
import type { ShownPatches } from "./patch-map";
import {
  ablationTargets,
  beginning,
  readPlace,
  switchedIn,
  switchedOver,
  writePlace,
  type Place,
} from "./place";
import type { ModelFacts, ModelSource } from "./protocol";
import { Section, SwitchedOff } from "./section";
import type { ChosenHead } from "./source-name";
import { visible, withPositions } from "./text-of";
import { useAnswer } from "./use-answer";
import { WhichLayer } from "./which-layer";
import styles from "./explorer.module.css";

/** A model that the page begins with, in place of the small one. */
export type GivenModel = { readonly name: string; readonly place: string };

const smallModel = "Our small model";

/** Below this work of a pass everything follows what is typed, without a press. Unit: parameters times tokens. */
const fastPass = 1e9;

/** The explorer: a model in a worker, a text, and views that look into them. */
export function Explorer({
  createWorker,
  given,
}: {
  /** Starts the worker of `explorer/worker`. */
  createWorker: () => Worker;
  given?: GivenModel;
}): ReactNode {
  const [client, setClient] = useState<LensClient>();
  const [place, setPlace] = useState<Place>(beginning);
  const [draft, setDraft] = useState(beginning.text);
  const [source, setSource] = useState<{ name: string; source: ModelSource }>();
  const [loaded, setLoaded] = useState<{ of: ModelSource; facts: ModelFacts }>();
  const [failure, setFailure] = useState<string>();
  const create = useRef(createWorker);

  const change = useCallback(
    (change: Partial<Place>) => setPlace((before) => ({ ...before, ...change })),
    [],
  );

  useEffect(() => {
    const client = new LensClient(create.current());
    setClient(client);
    const follow = () => {
      const place = readPlace(location.hash);
      setPlace(place);
      setDraft(place.text);
      setSource(sourceOf(place.model, given));
    };
    follow();
    addEventListener("hashchange", follow);
    return () => {
      removeEventListener("hashchange", follow);
      client.end();
    };
    // The model that the page begins with does not change.
  }, []);

  const isSet = source !== undefined;
  useEffect(() => {
    if (!isSet) return;
    const hash = writePlace(place);
    history.replaceState(history.state, "", hash === "" ? location.pathname + location.search : `#${hash}`);
  }, [place, isSet]);

  useEffect(() => {
    if (!client || !source) return;
    const loading = new AbortController();
    setFailure(undefined);
    client.load(source.source, loading.signal).then(
      (facts) => setLoaded({ of: source.source, facts }),
      (error: Error) => !loading.signal.aborted && setFailure(error.message),
    );
    return () => loading.abort();
  }, [client, source]);

  const facts = source && loaded?.of === source.source ? loaded.facts : undefined;
  const ready = facts ? client : undefined;
  const began = useRef(0);
  const [passMs, setPassMs] = useState(0);
  const { text } = place;
  const run = useAnswer(ready, "run", text === "" ? undefined : { text });
  useEffect(() => {
    if (run.isOpen) began.current = performance.now();
    else if (began.current > 0) setPassMs(performance.now() - began.current);
  }, [run.isOpen]);
  const length = Math.max(place.text.length / 4, run.answer?.tokens.length ?? 0);
  const isFast = (facts?.parameters ?? 0) * length < fastPass;
  // Questions about a text follow the pass that reads it.
  const asking = run.isOpen || run.failure !== undefined ? undefined : ready;

  // The run with nothing switched off, and the one without what is: the page shows the second once it is there.
  const whole = run.answer;
  const tokens = whole?.next.map(({ id }) => id) ?? [];
  const changed = useAnswer(
    asking,
    "run",
    place.off.length > 0 && whole ? { text, without: ablationTargets(place.off), tokens } : undefined,
  );
  const isOfText = changed.answer?.ids.join() === whole?.ids.join();
  const answer = (isOfText && changed.answer) || whole;
  const off = useMemo(
    () => (isOfText && changed.answer ? switchedIn(changed.question?.without) : []),
    [isOfText, changed.answer, changed.question],
  );
  const without = off.length > 0 ? { without: ablationTargets(off) } : {};
  const sorted = useMemo(() => (answer ? sortedHeads(answer, place.score) : []), [answer, place.score]);
  const tried = sorted.map(({ layer, head }) => ({ layer, head }));
  const copies = place.score === "induction" && sorted.length > 0;
  const copying = useAnswer(asking, "copying", copies ? { text, ...without, heads: tried } : undefined);
  const ranked = rankedHeads(
    sorted,
    answer?.uniform[place.score] ?? 0,
    copying.isOpen ? undefined : copying.answer,
  );
  const chosen = (answer && place.head) ?? ranked[0] ?? { layer: 0, head: 0 };
  const T = answer?.tokens.length ?? 0;
  const query = Math.min(place.query ?? T - 1, T - 1);
  const labels = useMemo(() => withPositions(answer?.tokens ?? []), [answer?.tokens]);
  const hasHead = answer !== undefined && answer.layers.includes(chosen.layer);
  // A head has the weights and scores that the layers below it give it.
  const below = ablationTargets(off).filter(({ layer }) => layer < chosen.layer);
  const weights = useAnswer(
    asking,
    "head",
    hasHead ? { text, layer: chosen.layer, head: chosen.head, ...(below.length > 0 && without) } : undefined,
  );
  const data = weights.answer?.weights;
  const key =
    place.key !== undefined
      ? Math.min(place.key, Math.max(query, 0))
      : isFast && data?.length === T * T && T > 0
        ? strongestKey(data, T, query)
        : undefined;
  const reasons = useAnswer(
    asking,
    "scoreParts",
    hasHead && key !== undefined && !weights.isOpen
      ? {
          ...{ text, layer: chosen.layer, head: chosen.head, query, key },
          ...(below.length > 0 && { without: below }),
        }
      : undefined,
  );
  const [first, second] = answer?.next ?? [];
  const lens = useAnswer(
    asking,
    "logitLens",
    answer && first ? { text, ...without, positions: lensPositions(T), tokens: [first.id] } : undefined,
  );
  const parts = useAnswer(
    asking,
    "logitParts",
    answer && first ? { text, ...without, token: first.id, ...(second && { minus: second.id }) } : undefined,
  );
  const headHeading = useRef<HTMLHeadingElement>(null);
  const headsHeading = useRef<HTMLHeadingElement>(null);
  // Heads whose reasons led to the one that is shown, the first one first.
  const [trail, setTrail] = useState<readonly Pick<Place, "head" | "query" | "key">[]>([]);
  useEffect(() => setTrail([]), [text, source]);
  const patches = useRef<ShownPatches>({});
  const keepPatches = useCallback((shown: ShownPatches) => void (patches.current = shown), []);

  const visit = useCallback(
    (head: ChosenHead, query: number | undefined) => {
      change({ head: { layer: head.layer, head: head.head }, query, key: undefined });
      // It may be off the screen, and the button that opened it goes with the old reasons.
      goTo(headHeading);
    },
    [change],
  );
  const open = useCallback(
    (head: ChosenHead) => {
      setTrail([]);
      visit(head, place.query);
    },
    [visit, place.query],
  );
  const trace = (head: ChosenHead, position: number) => {
    setTrail([...trail, { head: { layer: chosen.layer, head: chosen.head }, query, key }]);
    visit(head, position);
  };
  const last = trail.at(-1);
  const back = last?.head && {
    head: last.head,
    go() {
      setTrail(trail.slice(0, -1));
      change(last);
      goTo(headHeading);
    },
  };
  const ablated = whole && (
    <AblationResult
      next={whole.next}
      without={changed.isOpen ? undefined : changed.answer}
      off={place.off}
      switchAllOn={() => change({ off: [] })}
    />
  );
  const begin = (model: string, chosen: { name: string; source: ModelSource }) => {
    // Another model has other heads.
    change({ model, head: undefined, query: undefined, key: undefined, off: [], measure: undefined });
    setSource(chosen);
  };
  const write = (text: string) => {
    setDraft(text);
    const source = followEdit(place.text, text, place.source);
    change({ text, source, query: undefined, key: undefined, measure: undefined });
  };
  const [seed, setSeed] = useState(() => Math.floor(Math.random() * 1e9));
  const random = useAnswer(ready, "repeatedTokens", whole && { seed });
  // The reader's own texts before the random one.
  const [own, setOwn] = useState<Pick<Place, "text" | "source"> & { random: string }>();
  const isRandom = own !== undefined && own.random === text;
  const isOffered = random.answer !== undefined && random.failure === undefined && !random.isOpen;
  const repeatTokens = () => {
    const { text, source } = isRandom ? own : place;
    setOwn({ text, source, random: random.answer! });
    write(random.answer!);
    setSeed(seed + 1);
  };
  const toOwnText = () => {
    setDraft(own!.text);
    change({ text: own!.text, source: own!.source, query: undefined, key: undefined, measure: undefined });
  };
  const code = () => {
    return exportedCode(place, {
      head: chosen,
      query,
      key: key ?? 0,
      next: first && second && [first.id, second.id],
      patches: patches.current,
      model: source && "small" in source.source ? undefined : source?.name,
      isOpened: source !== undefined && "files" in source.source,
    });
  };

  return (
    <SwitchedOff value={off}>
      <div className={styles.explorer} data-explorer={facts ? (run.isOpen ? "running" : "ready") : "loading"}>
        <ModelChoice
          model={source?.name ?? given?.name ?? smallModel}
          first={given?.name ?? smallModel}
          facts={facts}
          chooseName={(model) => begin(model, sourceOf(model, given))}
          chooseFiles={({ name, files }) => begin("", { name, source: { files } })}
        />
        <form
          className={styles.row}
          onSubmit={(event) => {
            event.preventDefault();
            write(draft);
          }}
        >
          <label className={`${styles.field} ${styles.grows}`}>
            <span>Text</span>
            <textarea
              rows={2}
              value={draft}
              spellCheck={false}
              placeholder="Type a text"
              onChange={({ target }) => (isFast ? write(target.value) : setDraft(target.value))}
            />
          </label>
          <button type="submit">Run</button>
        </form>
        <Status
          client={client}
          failure={failure}
          isLoading={source !== undefined && !facts}
          passMs={text === "" ? 0 : passMs}
        />
        <div className={styles.beside}>
          <Section title="Next token" of={place.off.length > 0 ? changed : run} isOfRun={false}>
            {whole ? (
              <NextTokens
                next={whole.next}
                without={isOfText ? changed.answer : undefined}
                off={place.off}
                append={(token) => write(text + token)}
                switchOn={(one) => change({ off: one === undefined ? [] : switchedOver(place.off, one) })}
              />
            ) : (
              <div className={styles.space} />
            )}
          </Section>
          <Section title="Heads" of={run} heading={headsHeading}>
            {answer ? (
              answer.layers.length === 0 ? (
                <p className={styles.quiet}>No layer of this model has attention weights.</p>
              ) : (
                <HeadsPanel
                  {...{ ranked, copying, place, chosen, change, open }}
                  repeatTokens={isOffered ? repeatTokens : undefined}
                  ownText={own?.text === text ? undefined : own?.text}
                  toOwnText={toOwnText}
                  isRandom={isRandom}
                  run={answer}
                />
              )
            ) : (
              <div className={styles.space} />
            )}
          </Section>
        </div>
        {answer && hasHead && (
          <HeadPanel
            {...{ chosen, query, weights, reasons, place, change, trace, back }}
            heading={headHeading}
            client={asking}
            of={{ text, ...(below.length > 0 && { without: below }) }}
            toAll={() => goTo(headsHeading)}
            texts={answer.tokens}
            tokens={labels}
            keyAt={key}
          >
            {ablated}
          </HeadPanel>
        )}
        {answer && (
          <>
            <WhichLayer
              {...{ client: asking, text, run: answer, off, lens, parts }}
              label={visible(labels.at(-1) ?? "")}
            />
            <LensPanel lens={lens} tokens={labels} />
            <PartsPanel parts={parts} open={(head) => visit(head, undefined)} />
            <LayerSwitches {...{ numLayers: answer.numLayers, place, change }}>{ablated}</LayerSwitches>
            <ComparePanel
              {...{ client: asking, run: answer, off, place, labels, isFast, change }}
              onPatches={keepPatches}
            />
            <ModelFigure client={ready} text={text} model={source?.name ?? ""} />
            <Section title="Share and save" isOfRun={false}>
              <div className={styles.row}>
                <CopyButton label="Copy a link to this page as it is" text={() => location.href} />
                <CopyButton label="Copy code that computes this" text={code} />
                <button type="button" data-save-code="" onClick={() => saveText("explorer.mjs", code())}>
                  Export as code
                </button>
              </div>
              <p className={styles.quiet}>
                The link opens the same model, text, head and switches; files that you opened are not in it.
                The code is a module for Node, explorer.mjs, that computes the same numbers. Each picture has
                buttons that save it as SVG or PNG and show its numbers as a table.
              </p>
            </Section>
          </>
        )}
      </div>
    </SwitchedOff>
  );
}

/** The question under way, with a button that cancels it. */
function Status({
  client,
  failure,
  isLoading,
  passMs,
}: {
  client: LensClient | undefined;
  failure: string | undefined;
  isLoading: boolean;
  passMs: number;
}): ReactNode {
  const work = useSyncExternalStore(client?.subscribe ?? noSubscription, client?.work ?? idle, idle);
  return (
    <div
      className={styles.status}
      data-status={work.isOpen ? "busy" : "idle"}
      data-worker={work.isFree ? "free" : "busy"}
    >
      {failure !== undefined && (
        <p role="alert" className={styles.failure}>
          The model could not be loaded. {failure}
        </p>
      )}
      <p role="status">
        {failure !== undefined
          ? ""
          : work.isOpen
            ? isLoading
              ? "Loading the model"
              : "Computing"
            : passMs > 0
              ? `The text was read in ${passMs.toFixed(0)} ms on your device just now.`
              : ""}
      </p>
      <progress max={1} value={work.part} aria-label="part of the pass that is done" hidden={!work.isOpen} />
      <button type="button" hidden={!work.isOpen} onClick={() => client?.cancel()}>
        Cancel
      </button>
    </div>
  );
}

/** Moves the focus to a heading, and the page so that what it heads is seen: at once, as some readers want no motion. */
function goTo({ current: heading }: RefObject<HTMLHeadingElement | null>): void {
  heading?.focus({ preventScroll: true });
  heading?.scrollIntoView();
}

const noSubscription = () => () => undefined;
const idle = () => noWork;

function CopyButton({ label, text }: { label: string; text: () => string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  return (
    <button
      type="button"
      onClick={() => {
        void navigator.clipboard.writeText(text()).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        });
      }}
    >
      <span className={styles.swapped}>
        <span aria-hidden={isCopied || undefined}>{label}</span>
        <span aria-hidden={!isCopied || undefined}>Copied</span>
      </span>
    </button>
  );
}

function saveText(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function sourceOf(model: string, given: GivenModel | undefined): { name: string; source: ModelSource } {
  if (model !== "") return { name: model, source: { place: model } };
  if (given) return { name: given.name, source: { place: given.place } };
  return { name: smallModel, source: { small: true } };
}
