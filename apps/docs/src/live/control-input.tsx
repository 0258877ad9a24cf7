import type { ControlValue } from "@qkv/page";
import type { ReactNode } from "react";
import styles from "./live.module.css";
import type { Control } from "./message-gate";

/** A slider, a text field or a file button of an example. Without `move` it is disabled. */
export function ControlInput({
  control,
  move,
}: {
  control: Control;
  move?: (value: ControlValue) => void;
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
  if (control.type === "files") {
    const { label, names } = control;
    return (
      <label className={styles.field}>
        <span>{label}</span>
        <input
          type="file"
          multiple
          disabled={!move}
          onChange={(event) => move?.([...(event.target.files ?? [])])}
        />
        {names.length > 0 && <output>{names.join(", ")}</output>}
      </label>
    );
  }
  if (control.type === "choice") {
    const { label, options, value } = control;
    return (
      <label className={styles.select}>
        <span>{label}</span>
        <select value={value} disabled={!move} onChange={(event) => move?.(event.target.value)}>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
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
