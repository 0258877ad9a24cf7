import type { ReactNode } from "react";
import { sourceText } from "./text-of";
import styles from "./explorer.module.css";

/** A head of the model. */
export type ChosenHead = { readonly layer: number; readonly head: number };

/** The head that wrote a source of a sum. Undefined: the source is no head. */
export function headOf(name: string): ChosenHead | undefined {
  const [, layer, head] = /^layers\.(\d+)\.heads\.(\d+)/.exec(name) ?? [];
  return layer === undefined ? undefined : { layer: Number(layer), head: Number(head) };
}

/** A source of a sum in words; a head is a button that opens it. */
export function SourceName({ name, open }: { name: string; open: (head: ChosenHead) => void }): ReactNode {
  const head = headOf(name);
  if (!head) return sourceText(name);
  return (
    <button type="button" className={styles.source} onClick={() => open(head)}>
      {sourceText(name)}
    </button>
  );
}
