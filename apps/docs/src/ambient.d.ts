// Made by scripts/build-live.mjs.
declare module "@site/.cache/manifest.json" {
  const manifest: { runner: string; modules: Record<string, string> };
  export default manifest;
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
