/** Messages of live code to its page. */
export type Message =
  | { type: "picture"; svg: string }
  | { type: "text"; text: string; level: "log" | "warn" | "error" }
  | { type: "slider"; label: string; min: number; max: number; step: number; value: number }
  | { type: "check"; what: string; holds: boolean }
  | { type: "field"; label: string; value: string }
  | { type: "choice"; label: string; options: readonly string[]; value: string }
  | { type: "files"; label: string; names: readonly string[] };

/** The value of a control: a place, a text, or files. */
export type ControlValue = number | string | readonly File[];

/** The page as live code sees it: where messages go, and what the reader has put into controls. */
export type Host = { post(message: Message): void; values: Readonly<Record<string, ControlValue>> };

const key = Symbol.for("@qkv/page/host");

/**
 * Puts a page behind `show`, `print`, `check` and the controls, or takes it away. The site's worker does this before it
 * runs an example; without it, as in plain Node, they do nothing but return.
 *
 * The page hangs on `globalThis` because the example and the worker may have loaded two copies of this package.
 */
export function connect(host: Host | undefined): void {
  (globalThis as { [key]?: Host | undefined })[key] = host;
}

/** The page behind the running code, if there is one. */
export function currentHost(): Host | undefined {
  return (globalThis as { [key]?: Host | undefined })[key];
}
