import { svg, type Svg } from "./svg.js";

/** The meaning of a color, on every page and in every picture. */
export type Meaning = "query" | "key" | "value" | "weight" | "cost";

/** All meanings. */
export const meanings = ["query", "key", "value", "weight", "cost"] as const satisfies readonly Meaning[];

/** A color by its name. Those that end in `-text` are for letters: 4.5:1 or more on the paper. */
export type ThemeName =
  Meaning | `${Meaning}-text` | "paper" | "text" | "quiet" | "rule" | "hatch" | "negative";

/** The colors of one theme, each as `#rrggbb`. */
type Theme = Record<ThemeName, string>;

// Okabe and Ito (2008) for query, key and value: three hues that color-blind readers can tell apart. `weight` and `negative` are the
// ends of a diverging scale, as purple and orange are in ColorBrewer's PuOr.
export const light: Theme = {
  paper: "#fcfbf8",
  text: "#1f1b2e",
  quiet: "#66616f",
  rule: "#dedad3",
  hatch: "#9d98a3",
  query: "#0072b2",
  "query-text": "#006ba8",
  key: "#d55e00",
  "key-text": "#b34f00",
  value: "#009e73",
  "value-text": "#007455",
  weight: "#37257a",
  "weight-text": "#37257a",
  cost: "#77727f",
  "cost-text": "#66616f",
  negative: "#a05a00",
};

export const dark: Theme = {
  paper: "#16151c",
  text: "#ece9f4",
  quiet: "#a6a1b1",
  rule: "#35323f",
  hatch: "#767183",
  query: "#4aa8e0",
  "query-text": "#5cb4ea",
  key: "#f0803a",
  "key-text": "#f58d4b",
  value: "#2bbd8f",
  "value-text": "#34c799",
  weight: "#d3c8ff",
  "weight-text": "#d3c8ff",
  cost: "#8f8a9a",
  "cost-text": "#a6a1b1",
  negative: "#e8a94e",
};

/**
 * The style sheet of each picture. It follows the color scheme of the system, or of a page that sets its theme with
 * `data-theme="light"` or `data-theme="dark"`.
 */
export const pictureStyle: string = /* @__PURE__ */ (() =>
  `.qkv-picture{${declare(light)}font:12px ui-sans-serif,system-ui,sans-serif}` +
  `@media(prefers-color-scheme:dark){.qkv-picture{${declare(dark)}}}` +
  `[data-theme=light] .qkv-picture{${declare(light)}}[data-theme=dark] .qkv-picture{${declare(dark)}}` +
  Object.keys(light)
    .map((name) => `.qkv-fill-${name}{fill:var(--qkv-${name})}.qkv-line-${name}{stroke:var(--qkv-${name})}`)
    .join(""))();

function declare(theme: Theme): string {
  return Object.entries(theme)
    .map(([name, color]) => `--qkv-${name}:${color};`)
    .join("");
}

/** Attributes that fill with a color of the theme. Viewers without CSS custom properties use the light theme. */
export function fill(name: ThemeName): Svg {
  return svg`class="qkv-fill-${name}" fill="${light[name]}"`;
}

/** Attributes that outline with a color of the theme, as {@link fill} fills. */
export function stroke(name: ThemeName): Svg {
  return svg`class="qkv-line-${name}" stroke="${light[name]}"`;
}
