/** Messages of the page to its worker. */
export type PageMessage = { type: "write"; prompt: string; seed: number } | { type: "stop" };

/** Messages of the worker to its page. */
export type WorkerMessage =
  | { type: "progress"; loaded: number; total: number }
  | { type: "ready" }
  | { type: "text"; text: string }
  | { type: "end"; status: string };
