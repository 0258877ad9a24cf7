import { useEffect, useState } from "react";
import type { LensClient } from "./client";
import type { AnswerOf, QuestionOf, SessionName } from "./protocol";

/** An answer as a part of the page has it: while a question is open, the answer of the one before stays, marked as old. */
export type Answered<T, Question = unknown> = {
  readonly answer: T | undefined;
  /** The question of the answer. */
  readonly question: Question | undefined;
  readonly isOpen: boolean;
  /** Text of the error, or that the reader cancelled. */
  readonly failure: string | undefined;
  /** Asks once more. */
  readonly again: () => void;
};

/** Asks the worker, and again when the question changes. undefined: nothing is asked. */
export function useAnswer<Name extends SessionName>(
  client: LensClient | undefined,
  name: Name,
  question: QuestionOf<Name> | undefined,
): Answered<AnswerOf<Name>, QuestionOf<Name>> {
  const [state, setState] = useState<{
    answer?: AnswerOf<Name>;
    question?: QuestionOf<Name>;
    failure?: string;
    of?: string;
  }>({});
  const [times, setTimes] = useState(0);
  const key = question === undefined ? undefined : `${JSON.stringify(question)} ${times}`;

  useEffect(() => {
    if (!client || key === undefined) return;
    const asking = new AbortController();
    client.ask(name, question!, asking.signal).then(
      (answer) => setState({ answer, question: question!, of: key }),
      (error: Error) => {
        if (asking.signal.aborted) return;
        const failure = error.name === "AbortError" ? "Cancelled." : error.message;
        setState((before) => ({ ...before, failure, of: key }));
      },
    );
    return () => asking.abort();
    // The question is its text.
  }, [client, name, key]);

  const isOpen = client !== undefined && key !== undefined && state.of !== key;
  return {
    answer: key === undefined || !client ? undefined : state.answer,
    question: state.question,
    isOpen,
    failure: isOpen ? undefined : state.failure,
    again: () => setTimes((count) => count + 1),
  };
}
