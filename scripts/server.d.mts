import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";

export type LocalServer = {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly origin: string;
  /** Ends its connections, and resolves when it is closed. */
  close(): Promise<void>;
};

/** Opens a server on a port of this machine, a free one by default. */
export function openServer(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
  options?: ServerOptions & { port?: number },
): Promise<LocalServer>;

/** Headers that make a page cross-origin isolated, so that its workers share memory. */
export const isolation: Readonly<Record<string, string>>;

/**
 * Answers with the files of a folder as a plain static host does. `base`: the path in front of the folder, with slashes
 * around it, default `/`. `headers` go with each answer. `compress` gzips text for those who accept it, default false.
 * Pages run the code `firstScript` before their own.
 */
export function staticFiles(
  folder: string,
  options?: {
    base?: string;
    headers?: Readonly<Record<string, string>>;
    compress?: boolean;
    firstScript?: string;
  },
): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
