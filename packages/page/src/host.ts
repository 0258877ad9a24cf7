/** Messages from live code to its page. */
export type Message =
  | { type: "picture"; svg: string }
  | { type: "text"; text: string; level: "log" | "warn" | "error" }
  | { type: "slider"; label: string; min: number; max: number; step: number; value: number }
  | { type: "check"; what: string; holds: boolean }
  | { type: "field"; label: string; value: string }
  | { type: "choice"; label: string; options: readonly string[]; value: string }
  | { type: "files"; label: string; names: readonly string[] };

/** The value of a control: the number of a slider, a text, or files. */
export type ControlValue = number | string | readonly File[];

/** Interface of a page for live code: `post` takes messages, `values` are the values of the controls by label. */
export type Host = { post(message: Message): void; values: Readonly<Record<string, ControlValue>> };

const key = Symbol.for("@qkv/page/host");

/**
 * Connects `show`, `print`, `check` and the controls to a page, or disconnects them (`undefined`). The worker of the site calls
 * it before it runs an example. Without a page, as in Node, they only return their values.
 *
 * The page is stored on `globalThis`, because the example and the worker may load two copies of this package.
 */
export function connect(host: Host | undefined): void {
  (globalThis as { [key]?: Host | undefined })[key] = host;
}

/** The connected page, if there is one. */
export function currentHost(): Host | undefined {
  return (globalThis as { [key]?: Host | undefined })[key];
}
