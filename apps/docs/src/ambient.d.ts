// Made by scripts/build-live.mjs.
declare module "@site/.cache/manifest.json" {
  const manifest: {
    runner: string;
    first: string;
    check: string;
    training: { run: string; gradients: string };
    explorer: string;
    peers: readonly { name: string; file: string; bytes: number }[];
    types: { worker: string; declarations: string };
    modules: Record<string, string>;
  };
  export default manifest;
}

declare module "@site/.cache/first-look.json" {
  const look: {
    tokens: string[];
    layers: number;
    heads: number;
    kvHeads: number;
    headDim: number;
    bytePieces: number;
    next: { text: string; probability: number }[];
    /** A byte a weight, in base64. */
    weights: string;
  };
  export default look;
}

declare module "@site/.cache/figures.json" {
  import type { FigureName } from "@site/src/figures/list";
  type Size = { width: number; height: number };
  type Still = { title: string; description: string; size: Size; narrowSize: Size };
  /** The still of each figure: what it shows in words, and its sizes on a wide and on a narrow page. */
  const stills: Record<FigureName, Still>;
  export default stills;
}

declare module "@site/.cache/evolution-model.json" {
  import type { EvolutionModel } from "@qkv/viz/figures/evolution";
  const model: EvolutionModel;
  export default model;
}

declare module "*.module.css" {
  const classes: Record<string, string>;
  export default classes;
}

interface ImportMeta {
  /** Vite's, under vitest. */
  glob<T>(pattern: string): Record<string, () => Promise<T>>;
}

declare module "!!raw-loader!*" {
  const text: string;
  export default text;
}

declare module "@site/.cache/output/*.json" {
  import type { Message } from "@qkv/page";
  const output: Message[];
  export default output;
}

declare module "@site/.cache/pages.json" {
  /** The title of each page that is written by hand, by its path. */
  const pages: Record<string, string>;
  export default pages;
}

declare namespace NodeJS {
  interface Require {
    /** The bundler's: every module of a folder whose name matches. */
    context<T>(folder: string, deep: boolean, match: RegExp): { (file: string): T; keys(): string[] };
  }
}
