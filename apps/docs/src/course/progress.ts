import { useSyncExternalStore } from "react";

/** Progress of a reader, by the name of a page: predictions made and exercises solved. */
export type Progress = Readonly<Record<string, { predicted: readonly string[]; solved: readonly string[] }>>;

const key = "qkv.progress";
const nothing: Progress = {};
const listeners = new Set<() => void>();
let [text, parsed]: [string | null, Progress] = [null, nothing];

/** Reads the progress stored on this device; empty if it is damaged or storage is not available. */
export function readProgress(): Progress {
  let now: string | null;
  try {
    now = localStorage.getItem(key);
  } catch {
    return parsed;
  }
  if (now !== text) [text, parsed] = [now, parse(now)];
  return parsed;
}

/** Stores that a prediction of a page was made, or an exercise solved. */
export function note(page: string, kind: "predicted" | "solved", what: string): void {
  const before = readProgress();
  const pageProgress = before[page] ?? { predicted: [], solved: [] };
  if (pageProgress[kind].includes(what)) return;
  const after: Progress = { ...before, [page]: { ...pageProgress, [kind]: [...pageProgress[kind], what] } };
  try {
    localStorage.setItem(key, JSON.stringify(after));
  } catch {
    // No storage in private windows: the progress lasts until the page is closed.
    [text, parsed] = [null, after];
  }
  listeners.forEach((listen) => listen());
}

/** Deletes the progress. */
export function forget(): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was stored.
  }
  [text, parsed] = [null, nothing];
  listeners.forEach((listen) => listen());
}

/** Hook with the reader's current progress; empty during server rendering. */
export function useProgress(): Progress {
  return useSyncExternalStore(
    (listen) => {
      listeners.add(listen);
      addEventListener("storage", listen);
      return () => {
        listeners.delete(listen);
        removeEventListener("storage", listen);
      };
    },
    readProgress,
    () => nothing,
  );
}

/** The name of a page: the last part of its path. */
export const pageOf = (path: string) => path.split("/").filter(Boolean).at(-1) ?? "";

function parse(kept: string | null): Progress {
  try {
    const value: unknown = JSON.parse(kept ?? "{}");
    if (typeof value !== "object" || value === null) return nothing;
    return Object.fromEntries(
      Object.entries(value).map(([page, one]: [string, { predicted?: unknown; solved?: unknown }]) => [
        page,
        { predicted: texts(one?.predicted), solved: texts(one?.solved) },
      ]),
    );
  } catch {
    return nothing;
  }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
