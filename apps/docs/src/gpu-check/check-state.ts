import { checkText, type CheckResult } from "@qkv/device/check";
import type { CheckNews } from "./messages";

/** Results of a check so far. */
export type CheckState = {
  readonly status: "idle" | "running" | "done" | "stopped";
  /** The current work, as text. */
  readonly step: string;
  readonly adapters: readonly {
    readonly subject: string;
    readonly name: string;
    readonly software: boolean;
  }[];
  readonly results: readonly CheckResult[];
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
};

export const nothingYet: CheckState = { status: "idle", step: "", adapters: [], results: [], leftOut: [] };

/** Starts a check of some subjects, and clears their earlier results. */
export function begun(state: CheckState, subjects: readonly string[]): CheckState {
  const others = <T extends { readonly subject: string }>(list: readonly T[]) =>
    list.filter(({ subject }) => !subjects.includes(subject));
  return {
    status: "running",
    step: "starting",
    adapters: others(state.adapters),
    results: others(state.results),
    leftOut: others(state.leftOut),
  };
}

/** The state after a message of the worker. */
export function stateAfter(state: CheckState, news: CheckNews): CheckState {
  switch (news.type) {
    case "begins":
      return { ...state, step: `opening ${news.subject}` };
    case "adapter":
      return { ...state, adapters: [...state.adapters, news] };
    case "result":
      return {
        ...state,
        step: `${news.result.subject}: ${news.result.case}`,
        results: [...state.results, news.result],
      };
    case "left-out":
      return { ...state, leftOut: [...state.leftOut, news] };
    case "done":
      return { ...state, status: "done", step: "" };
  }
}

/** Distinct adapters as text. */
export function adapterLines({ adapters }: CheckState): string[] {
  const names = adapters.map(
    ({ subject, name, software }) =>
      `${subject.startsWith("gpu") ? "renderer of WebGL2" : "adapter"}: ${name}${software ? " (software on the CPU)" : ""}`,
  );
  return names.length > 0 ? names : ["adapter: none"];
}

/** The report as Markdown, for an issue. */
export function reportText(state: CheckState, facts: readonly string[]): string {
  const { results, leftOut } = state;
  return checkText({ results, failed: results.filter(({ passed }) => !passed).length }, [
    ...adapterLines(state),
    ...facts,
    ...leftOut.map(({ subject, reason }) => `left out: ${subject}: ${reason}`),
  ]);
}
