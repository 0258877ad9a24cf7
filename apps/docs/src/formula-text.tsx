import type { ReactNode } from "react";

/** Renders a plain-text formula, such as `W_O^h` or `e^(a − b)`, with subscripts and superscripts. */
export function FormulaText({ children }: { children: string }): ReactNode {
  const parts = children.split(/([_^](?:\([^)]*\)|[A-Za-z\d]+))/);
  return parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const inner = <FormulaText>{part.slice(1).replace(/^\((.*)\)$/, "$1")}</FormulaText>;
    return part.startsWith("_") ? <sub key={i}>{inner}</sub> : <sup key={i}>{inner}</sup>;
  });
}
