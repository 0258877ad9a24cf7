import type { PrismTheme } from "prism-react-renderer";

/** The colors of code, as custom properties of the site: one theme for light and dark. */
export const codeTheme: PrismTheme = {
  plain: { color: "var(--ink)", backgroundColor: "var(--wash)" },
  styles: [
    { types: ["keyword"], style: { color: "var(--code-keyword)" } },
    { types: ["string", "template-string", "regex"], style: { color: "var(--code-string)" } },
    { types: ["number", "boolean"], style: { color: "var(--code-number)" } },
    { types: ["comment"], style: { color: "var(--code-comment)" } },
    { types: ["class-name", "builtin"], style: { color: "var(--code-type)" } },
    // Colors have other meanings here: what went out is faint, what came in is strong.
    { types: ["deleted"], style: { color: "var(--quiet)" } },
    { types: ["inserted"], style: { fontWeight: "bold" } },
  ],
};
