import useBaseUrl from "@docusaurus/useBaseUrl";
import { useLocation } from "@docusaurus/router";
import type { Message } from "@qkv/page";
import manifest from "@site/.cache/manifest.json";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useCovered } from "../course/predict";
import { note, pageOf } from "../course/progress";
import { edited, hunksOf, isMade, resultOf, type Change } from "./change";
import { ChangeList } from "./change-list";
import { CodeButtons } from "./code-buttons";
import { compile } from "./compile";
import { ControlInput } from "./control-input";
import { DeviceSelect, useFit } from "./device-select";
import type { Exercise } from "./exercise";
import { ExerciseHelp } from "./exercise-help";
import { isExercise } from "./is-exercise";
import { lateEditor, type LateEditor } from "./late-editor";
import { codeFromHash, hashWith, valuesFromHash } from "./link-code";
import { chosenDevice, deviceLabels, fitting, whyNoAdapter, type Unfit } from "./live-device";
import { Outputs } from "./outputs";
import { LiveSession, type LiveState } from "./session";
import { standaloneCode } from "./standalone-code";
import { StaticCode } from "./static-code";
import { useBuilt } from "./use-built";
import styles from "./live.module.css";

type Props = {
  example: string;
  code: string;
  /** From the build; not under `npm start`. */
  output: Message[] | undefined;
  changes: readonly Change[];
  exercise?: Exercise | undefined;
  unfit: Unfit;
};

/** The code, its buttons and its output, loaded when JavaScript runs. */
export default function LiveEditor({ example, code: file, changes, exercise, ...given }: Props): ReactNode {
  const original = file.trimEnd();
  const base = useBaseUrl("/");
  const codePlace = useRef<HTMLDivElement>(null);
  const editor = useRef<LateEditor>(undefined);
  const session = useRef<LiveSession>(undefined);
  const [state, setState] = useState<LiveState>();
  const [code, setCode] = useState(original);
  const [edits, setEdits] = useState(false); // whether the editor is loaded
  const [fromLink, setFromLink] = useState(false);
  const [folded, setFolded] = useState(true); // only on narrow pages
  // The reader's own changes show results without a prediction.
  const covered = useCovered() && code === original;
  const { pathname } = useLocation();

  const ended = state?.status !== undefined && !["idle", "running"].includes(state.status);
  const { output, unfit } = useBuilt(example, given, ended);
  const fit = useFit(code, unfit);
  const device = useRef(fit.device);
  const givenHere = useRef(given);
  useEffect(() => void (device.current = fit.device), [fit.device]);

  const run = (on = device.current) => {
    setFromLink(false);
    void session.current?.run(editor.current?.code() ?? original, on);
  };

  useEffect(() => {
    const root = new URL(base, location.href);
    const modules = Object.fromEntries(
      Object.entries(manifest.modules).map(([name, file]) => [name, new URL(file, root).href]),
    );
    const live = new LiveSession(
      {
        createWorker: () => new Worker(new URL(manifest.runner, root), { type: "module" }),
        compile: (source) => compile(source, modules),
        changed: setState,
      },
      givenHere.current.output ?? [],
    );
    session.current = live;
    live.begin(valuesFromHash(location.hash, example));
    setState(live.state);

    // Code and values from a link may be anybody's: they are shown, and run on request.
    const linked = codeFromHash(location.hash, example);
    const changed = (next: string) => {
      setCode(next);
      keepInLink(example, next === original ? undefined : next, live);
    };
    const view = lateEditor(codePlace.current!, {
      code: linked ?? original,
      label: `Code of the example ${example}. Control or Command with Enter runs it; Tab leaves it.`,
      changed,
      run: () => run(),
      types: async () => {
        const { typesOfEditor } = await import("./types-of-editor");
        const { worker, declarations } = manifest.types;
        return typesOfEditor({ worker: new URL(worker, root).href, types: new URL(declarations, root).href });
      },
      ready: () => setEdits(true),
    });
    editor.current = view;
    setCode(view.code());
    const ownCode = linked === undefined || linked === original;
    setFromLink(!ownCode || live.valuesChanged);
    if (!ownCode) void view.load();
    else if (!live.valuesChanged) {
      const chosen = chosenDevice();
      const first = (noAdapter?: string) =>
        session.current === live &&
        void live.run(original, fitting(original, chosen, givenHere.current.unfit, noAdapter).device);
      if (chosen === "webgpu") void whyNoAdapter().then(first);
      else first();
    }

    const follow = () => {
      const code = codeFromHash(location.hash, example);
      const values = valuesFromHash(location.hash, example);
      const nothing = code === undefined && Object.keys(values).length === 0;
      const same =
        (code ?? original) === view.code() && JSON.stringify(values) === JSON.stringify(live.values);
      if (nothing || same) return;
      live.stop();
      live.begin(values);
      view.setCode(code ?? original);
      setFromLink(true);
    };
    addEventListener("hashchange", follow);
    return () => {
      removeEventListener("hashchange", follow);
      view.destroy();
      setEdits(false);
      session.current = undefined;
      live.dispose();
    };
  }, [base, example, original]);

  const failure = state?.failure;
  useEffect(() => editor.current?.markError(failure?.line), [failure]);

  // An exercise is solved if all of its checks hold.
  const checks = (state?.outputs ?? []).filter((output) => output.type === "check");
  const solved =
    isExercise(example) &&
    state?.status === "done" &&
    checks.length > 0 &&
    checks.every(({ holds }) => holds);
  useEffect(() => {
    if (solved) note(pageOf(pathname), "solved", example);
  }, [solved, pathname, example]);

  /** The part of an address with the current code and values, if they differ from the file's. */
  const ownState = () => {
    const live = session.current;
    return hashWith("", example, {
      ...(code !== original && { code }),
      ...(live && { values: live.values }),
    });
  };
  const frame = () => {
    const own = ownState();
    const src = new URL(`embed/#example=${example}${own && `&${own.slice(1)}`}`, new URL(base, location.href))
      .href;
    return `<iframe src="${src}" width="100%" height="560" style="border:0" title="${example}, a live example of qkv"></iframe>`;
  };
  const link = () => new URL(location.pathname + ownState(), location.href).href;
  /** Sets code and values of controls, and runs. */
  const put = (next: string, set: Change["set"] = {}) => {
    session.current?.begin(set);
    editor.current?.setCode(next);
    if (session.current) keepInLink(example, next === original ? undefined : next, session.current);
    run();
  };
  const reset = () => put(original);
  const running = state?.status === "running";
  const changed = code !== original || (session.current?.valuesChanged ?? false);
  const made = fromLink
    ? undefined
    : changes.find((change) => isMade(change, original, { code, values: session.current?.values ?? {} }));
  useEffect(() => {
    const lines = hunksOf(original, made?.edits).flatMap(({ line, added }) => added.map((_, i) => line + i));
    editor.current?.markChanged(lines);
  }, [made, original]);
  const changedValues = Object.entries(session.current?.values ?? {}).map(
    ([label, value]) => `${label} to ${JSON.stringify(value)}`,
  );

  return (
    <div
      className={styles.live}
      data-live={example}
      data-status={state?.status ?? "idle"}
      data-runs={state?.runs ?? 0}
      data-folded={folded}
      data-covered={covered || undefined}
      data-solved={isExercise(example) ? solved : undefined}
    >
      <div className={styles.bar}>
        <span className={styles.name}>{example}.ts</span>
        <span className={styles.status} role="status">
          {fromLink ? "from the link, not run yet" : statusText(state)}
        </span>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={!folded}
          onClick={() => setFolded(!folded)}
        >
          {folded ? "Show code" : "Hide code"}
        </button>
        <DeviceSelect
          fit={fit}
          chosen={(name) => {
            device.current = name;
            // Code from a link waits for the Run button.
            if (!fromLink) run(name);
          }}
        />
        <CodeButtons code={() => standaloneCode(code)} link={link} frame={frame} />
        <button type="button" onClick={reset} disabled={!changed}>
          Reset
        </button>
        <button type="button" onClick={() => session.current?.stop()} disabled={!running}>
          Stop
        </button>
        <button
          type="button"
          className={styles.run}
          onClick={() => run()}
          title="Run the code (Ctrl+Enter or Cmd+Enter in the editor)"
        >
          Run
        </button>
      </div>
      {fromLink && (
        <p className={styles.note}>
          {code !== original && "This code comes from the link. "}
          {changedValues.length > 0 && `The link sets ${changedValues.join(", ")}. `}
          Read it before you press Run. Reset restores the original example.
        </p>
      )}
      <ChangeList
        changes={changes}
        code={original}
        made={made}
        state={made && (output ? outcomeOf(made, state, output) : "running")}
        make={covered ? undefined : ({ edits, set }) => put(edited(original, edits), set)}
        undo={reset}
      />
      <div className={styles.body}>
        <div className={styles.code} ref={codePlace} data-code>
          {!edits && <StaticCode code={code} />}
        </div>
        <div className={styles.output}>
          {(fromLink ? [] : (state?.controls ?? [])).map((control) => (
            <ControlInput
              key={control.label}
              control={control}
              move={(value) => {
                session.current?.move(control.label, value);
                if (session.current)
                  keepInLink(example, code === original ? undefined : code, session.current);
              }}
            />
          ))}
          {!fromLink && <Outputs outputs={state?.outputs ?? []} exercise={isExercise(example)} />}
          {failure && (
            <div className={styles.failure} role="alert">
              <pre>{failure.text}</pre>
              {failure.line !== undefined && (
                <button type="button" onClick={() => editor.current?.goTo(failure.line ?? 1)}>
                  Line {failure.line}
                </button>
              )}
            </div>
          )}
        </div>
      </div>
      {exercise && (
        <ExerciseHelp exercise={exercise} original={original} code={code} solved={solved} put={put} />
      )}
    </div>
  );
}

/** Compares the promised outcome of a change with the run's output. */
function outcomeOf(change: Change, state: LiveState | undefined, output: readonly Message[]) {
  if (state?.status === "error" || state?.status === "stopped") return "failed";
  if (state?.status !== "done") return "running";
  try {
    const [after, before] = [resultOf(state.outputs), resultOf(output)];
    if (!change.outcome(after, before)) return "differs";
    return (change.timing?.(after, before) ?? true) ? "holds" : "timing differs";
  } catch {
    return "differs"; // the check reads a line that was not printed
  }
}

/** Writes the code and the values of controls to the page's address. */
function keepInLink(example: string, code: string | undefined, { values }: LiveSession): void {
  const hash = hashWith(location.hash, example, { code, values });
  history.replaceState(history.state, "", hash || location.pathname + location.search);
}

function statusText(state: LiveState | undefined): string {
  if (state?.status === "done")
    return `done in ${Math.max(1, Math.round(state.timeMs ?? 0))} ms on your device${
      state.device && state.device !== "js" ? `, ${deviceLabels[state.device]}` : ""
    }`;
  return (
    { idle: "", running: "running …", stopped: "stopped", error: "error" }[state?.status ?? "idle"] ?? ""
  );
}
