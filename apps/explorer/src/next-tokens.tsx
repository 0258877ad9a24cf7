import type { Prediction } from "@qkv/lens/session";
import { useRef, type ReactNode } from "react";
import { Bar } from "./bar";
import { switchedText, switchedTexts, type Switched } from "./place";
import { percent, percents, visible } from "./text-of";
import styles from "./explorer.module.css";

/** The likeliest next tokens, and how likely they are with parts switched off. */
export function NextTokens({
  next,
  without,
  off,
  append,
  switchOn,
}: {
  next: readonly Prediction[];
  /** With the parts switched off: the likeliest, and those of `next`. */
  without: { readonly next: readonly Prediction[]; readonly watched: readonly Prediction[] } | undefined;
  off: readonly Switched[];
  append: (text: string) => void;
  switchOn: (one: Switched | undefined) => void;
}): ReactNode {
  const tokens = useRef<HTMLTableElement>(null);
  const after = new Map(without?.watched.map(({ id, probability }) => [id, probability]));
  const isOff = off.length > 0 && without !== undefined;
  const newcomer = isOff ? without.next.find(({ id }) => !next.some((one) => one.id === id)) : undefined;
  const most = Math.max(...next.map(({ probability }) => probability), 1e-9);
  const least = Math.min(...next.map(({ probability }) => probability));
  const rows = [...next, ...(newcomer ? [{ ...newcomer, probability: 0, isNew: true }] : [])];
  return (
    <>
      <p className={styles.quiet}>Press a token to append it to the text.</p>
      <table ref={tokens} tabIndex={-1} className={styles.bars}>
        <thead>
          <tr>
            <th scope="col">next token</th>
            <th scope="col">probability</th>
            {isOff && <th scope="col">with parts switched off</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => {
            const isNew = "isNew" in one;
            const now = isNew ? newcomer!.probability : after.get(one.id);
            return (
              <tr key={one.id}>
                <th scope="row">
                  <button type="button" className={styles.token} onClick={() => append(one.text)}>
                    {visible(one.text)}
                  </button>
                </th>
                <td>
                  {isNew ? (
                    `< ${percent(least)}`
                  ) : (
                    <>
                      <Bar part={one.probability / most} />
                      {percent(one.probability)}
                    </>
                  )}
                </td>
                {isOff && (
                  <td>
                    <Bar part={Math.min(1, (now ?? 0) / most)} look={styles.after} />
                    {now === undefined ? "…" : percent(now)}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
      {off.length > 0 && (
        <p className={styles.off} data-off={off.join()}>
          Switched off:{" "}
          {off.map((one) => (
            <button
              key={one}
              type="button"
              onClick={({ currentTarget }) => {
                // The button goes: the focus moves to the next one, or to the table of tokens.
                const at = off.indexOf(one);
                const others = [...currentTarget.parentElement!.querySelectorAll("button")].slice(
                  0,
                  off.length,
                );
                (others[at + 1] ?? others[at - 1] ?? tokens.current)?.focus();
                switchOn(one);
              }}
            >
              {switchedText(one)} <span aria-hidden="true">×</span>
              <span className={styles.hidden}>, switch on</span>
            </button>
          ))}
          {off.length > 1 && (
            <button
              type="button"
              onClick={() => {
                tokens.current?.focus();
                switchOn(undefined);
              }}
            >
              all on
            </button>
          )}
        </p>
      )}
    </>
  );
}

/** The change of the answer by what is switched off, in one line beside a switch. */
export function AblationResult({
  next,
  without,
  off,
  switchAllOn,
}: {
  next: readonly Prediction[];
  /** Undefined while it is computed. */
  without: { readonly next: readonly Prediction[]; readonly watched: readonly Prediction[] } | undefined;
  off: readonly Switched[];
  switchAllOn: () => void;
}): ReactNode {
  const first = next[0];
  if (off.length === 0 || !first) return null;
  const now = without?.watched.find(({ id }) => id === first.id)?.probability;
  const [before, after] = percents(first.probability, now ?? first.probability);
  const likeliest = without?.next[0];
  return (
    <div className={styles.off} aria-live="polite" data-change={without ? "ready" : "open"}>
      <span>
        Without {switchedTexts(off).join("; ")}: <b>{visible(first.text)}</b> {before} →{" "}
        {now === undefined ? "…" : after}
        {likeliest &&
          (likeliest.id === first.id
            ? ", still the most probable."
            : `; the most probable is now ${visible(likeliest.text)}, ${percent(likeliest.probability)}.`)}
        {without && ` Changed most: ${mostChanged(next, without.watched).join(", ")}.`}
      </span>
      <button
        type="button"
        onClick={({ currentTarget }) => {
          // The button goes: the focus moves to a switch beside it.
          const section = currentTarget.closest("section");
          section?.querySelector<HTMLElement>("button[aria-pressed], input[type=checkbox]")?.focus();
          switchAllOn();
        }}
      >
        Switch all on
      </button>
    </div>
  );
}

/** The three listed tokens whose probability changed most, with it before and after. */
function mostChanged(next: readonly Prediction[], watched: readonly Prediction[]): string[] {
  const after = new Map(watched.map(({ id, probability }) => [id, probability]));
  return next
    .map(({ id, text, probability }) => ({ text, before: probability, after: after.get(id) ?? probability }))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))
    .slice(0, 3)
    .map(({ text, before, after }) => `${visible(text)} ${percents(before, after).join(" → ")}`);
}
