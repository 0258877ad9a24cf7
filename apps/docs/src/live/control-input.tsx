import type { ReactNode } from "react";
import styles from "./live.module.css";
import type { Control } from "./session";

/** A slider or a text field beside an example. Without `move` it is there to be seen. */
export function ControlInput({
  control,
  move,
}: {
  control: Control;
  move?: (value: number | string) => void;
}): ReactNode {
  if (control.type === "field") {
    const { label, value } = control;
    return (
      <label className={styles.field}>
        <span>{label}</span>
        <textarea
          rows={2}
          spellCheck={false}
          value={value}
          readOnly={!move}
          onChange={(event) => move?.(event.target.value)}
        />
      </label>
    );
  }
  const { label, min, max, step, value } = control;
  return (
    <label className={styles.slider}>
      <span>{label}</span> <output>{value}</output>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={!move}
        onChange={(event) => move?.(Number(event.target.value))}
      />
    </label>
  );
}
