import type { ReactNode } from "react";
import { hunksOf, type Change, type Edit } from "./change";
import styles from "./live.module.css";

/** Lines that edits remove from code and add to it. */
export function DiffLines({ code, edits }: { code: string; edits: readonly Edit[] }): ReactNode {
  if (edits.length === 0) return null;
  return (
    <pre className={styles.diff} tabIndex={0} aria-label="The edited lines">
      {hunksOf(code, edits).map(({ line, removed, added }) => (
        <div key={line}>
          {removed.map((text, i) => (
            <del key={i}>
              {"− "}
              {text}
              {"\n"}
            </del>
          ))}
          {added.map((text, i) => (
            <ins key={i}>
              {"+ "}
              {text}
              {"\n"}
            </ins>
          ))}
        </div>
      ))}
    </pre>
  );
}

/** The edits of a change, and the controls that it sets. */
function ChangeDiff({ change, code }: { change: Change; code: string }): ReactNode {
  return (
    <>
      <DiffLines code={code} edits={change.edits ?? []} />
      {Object.entries(change.set ?? {}).map(([label, value]) => (
        <p key={label}>
          {label}: <strong>{value}</strong>
        </p>
      ))}
    </>
  );
}

/**
 * Changes that the lesson suggests for an example, as buttons, with the diff and the outcome of the applied one. Without
 * JavaScript all are shown as text.
 */
export function ChangeList({
  changes,
  code,
  made,
  state,
  make,
  undo,
}: {
  changes: readonly Change[];
  /** The example's original code. */
  code: string;
  /** The change that is currently applied. */
  made?: Change | undefined;
  /**
   * State of the run of that change: running, ended as promised, otherwise, as promised except for times, or with an
   * error.
   */
  state?: "running" | "holds" | "differs" | "timing differs" | "failed" | undefined;
  make?: ((change: Change) => void) | undefined;
  undo?: () => void;
}): ReactNode {
  if (changes.length === 0) return null;
  return (
    <div className={styles.changes} role="group" aria-label="Changes to try">
      <div className={styles.changeButtons}>
        <span>{changes.length > 1 ? "Try these changes:" : "Try this change:"}</span>
        {changes.map((change) => (
          <button
            key={change.label}
            type="button"
            data-change
            aria-pressed={change === made}
            disabled={!make}
            onClick={() => (change === made ? undo?.() : make?.(change))}
          >
            {change.label}
          </button>
        ))}
        {made && (
          <button type="button" className={styles.undo} onClick={undo}>
            Undo
          </button>
        )}
      </div>
      {make ? (
        <div aria-live="polite" data-outcome={made && state}>
          {made && (
            <>
              <ChangeDiff change={made} code={code} />
              {state === "running" && <p>Running …</p>}
              {state === "holds" && <p className={styles.says}>{made.says}</p>}
              {(state === "differs" || state === "timing differs") && (
                <p className={styles.says}>
                  Usually: {made.says} This run on your device gave a different result.
                </p>
              )}
            </>
          )}
        </div>
      ) : (
        changes.map((change) => (
          <div key={change.label} data-explanation hidden>
            <p>
              <strong>{change.label}.</strong>
            </p>
            <ChangeDiff change={change} code={code} />
            <p>{change.says}</p>
          </div>
        ))
      )}
    </div>
  );
}
