import type { PrismTheme } from "prism-react-renderer";

/** The colors of code, as CSS custom properties: one theme for light and dark. */
export const codeTheme: PrismTheme = {
  plain: { color: "var(--ink)", backgroundColor: "var(--wash)" },
  styles: [
    { types: ["keyword"], style: { color: "var(--code-keyword)" } },
    { types: ["string", "template-string", "regex"], style: { color: "var(--code-string)" } },
    { types: ["number", "boolean"], style: { color: "var(--code-number)" } },
    { types: ["comment"], style: { color: "var(--code-comment)" } },
    { types: ["class-name", "builtin"], style: { color: "var(--code-type)" } },
    // In diffs colors have another meaning: removed lines are faint, added lines strong.
    { types: ["deleted"], style: { color: "var(--quiet)" } },
    { types: ["inserted"], style: { fontWeight: "bold" } },
  ],
};
