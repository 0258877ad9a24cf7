import { checkSubjects, type CheckCase, type Subject } from "@qkv/device/check";
import type { CheckNews } from "./messages";

/** A device or a library, opened when its check begins. */
export type Opener = {
  readonly name: string;
  open(): Promise<{
    readonly subject: Subject;
    readonly adapter?: { readonly name: string; readonly software: boolean };
    close?(): unknown;
  }>;
};

/**
 * Checks subjects in sequence, each opened after the previous one is closed. A subject that fails to open is skipped,
 * with the reason.
 */
export async function runCheck(
  openers: readonly Opener[],
  tell: (news: CheckNews) => void,
  cases?: readonly CheckCase[],
): Promise<void> {
  for (const { name, open } of openers) {
    tell({ type: "begins", subject: name });
    try {
      const { subject, adapter, close } = await open();
      if (adapter) tell({ type: "adapter", subject: name, ...adapter });
      try {
        await checkSubjects([subject], {
          ...(cases && { cases }),
          onResult: (result) => tell({ type: "result", result }),
        });
      } finally {
        await close?.();
      }
    } catch (error) {
      tell({ type: "left-out", subject: name, reason: firstLine(error) });
    }
  }
  tell({ type: "done" });
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] || "an error without a message";
