import useBaseUrl from "@docusaurus/useBaseUrl";
import type { Message } from "@qkv/page";
import manifest from "@site/.cache/manifest.json";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { createCodeEditor, type CodeEditor } from "./code-editor";
import { compile } from "./compile";
import { ControlInput } from "./control-input";
import { codeFromHash, hashWithCode } from "./link-code";
import { Outputs } from "./outputs";
import { LiveSession, type LiveState } from "./session";
import styles from "./live.module.css";

type Props = { example: string; code: string; output: Message[] };

/** The editor, its buttons and its output. The page loads this when JavaScript runs. */
export default function LiveEditor({ example, code: file, output }: Props): ReactNode {
  const original = file.trimEnd();
  const base = useBaseUrl("/");
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor>(undefined);
  const session = useRef<LiveSession>(undefined);
  const [state, setState] = useState<LiveState>();
  const [code, setCode] = useState(original);
  const [fromLink, setFromLink] = useState(false);
  const [folded, setFolded] = useState(true); // only a narrow page folds

  const run = () => {
    setFromLink(false);
    void session.current?.run(editor.current?.code() ?? original);
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
      output,
    );
    session.current = live;
    setState(live.state);

    // Code from a link is somebody else's: it is shown, and runs when the reader says so.
    const linked = codeFromHash(location.hash, example);
    const changed = (next: string) => {
      setCode(next);
      const hash = hashWithCode(location.hash, example, next === original ? undefined : next);
      history.replaceState(history.state, "", hash || location.pathname + location.search);
    };
    const view = createCodeEditor(place.current!, {
      code: linked ?? original,
      label: `Code of the example ${example}. Control or Command with Enter runs it; Tab leaves it.`,
      changed,
      run,
    });
    editor.current = view;
    setCode(view.code());
    setFromLink(linked !== undefined && linked !== original);
    if (linked === undefined || linked === original) void live.run(original);

    const follow = () => {
      const code = codeFromHash(location.hash, example);
      if (code === undefined || code === view.code()) return;
      live.stop();
      view.setCode(code);
      setFromLink(true);
    };
    addEventListener("hashchange", follow);
    return () => {
      removeEventListener("hashchange", follow);
      view.destroy();
      live.dispose();
    };
  }, [base, example, original]);

  const failure = state?.failure;
  useEffect(() => editor.current?.markError(failure?.line), [failure]);

  const reset = () => {
    session.current?.forgetValues();
    editor.current?.setCode(original);
    run();
  };
  const running = state?.status === "running";
  const changed = code !== original || (session.current?.valuesChanged ?? false);

  return (
    <div
      className={styles.live}
      data-live={example}
      data-status={state?.status ?? "idle"}
      data-runs={state?.runs ?? 0}
      data-folded={folded}
    >
      <div className={styles.bar}>
        <span className={styles.name}>{example}.ts</span>
        <span className={styles.status} role="status">
          {fromLink ? "from the link, not run" : statusText(state)}
        </span>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={!folded}
          onClick={() => setFolded(!folded)}
        >
          {folded ? "Show code" : "Hide code"}
        </button>
        <button type="button" onClick={reset} disabled={!changed}>
          Reset
        </button>
        <button type="button" onClick={() => session.current?.stop()} disabled={!running}>
          Stop
        </button>
        <button
          type="button"
          className={styles.run}
          onClick={run}
          title="Ctrl-Enter or Cmd-Enter in the editor"
        >
          Run
        </button>
      </div>
      {fromLink && (
        <p className={styles.note}>
          This code came with the link. Read it, then press Run. Reset brings back the page’s own.
        </p>
      )}
      <div className={styles.body}>
        <div className={styles.code} ref={place} />
        <div className={styles.output}>
          {(fromLink ? [] : (state?.controls ?? [])).map((control) => (
            <ControlInput
              key={control.label}
              control={control}
              move={(value) => session.current?.move(control.label, value)}
            />
          ))}
          {!fromLink && <Outputs outputs={state?.outputs ?? []} />}
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
    </div>
  );
}

function statusText(state: LiveState | undefined): string {
  if (state?.status === "done")
    return `done in ${Math.max(1, Math.round(state.timeMs ?? 0))} ms, on this device`;
  return (
    { idle: "", running: "running …", stopped: "stopped", error: "error" }[state?.status ?? "idle"] ?? ""
  );
}
