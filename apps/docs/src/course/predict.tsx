import { useLocation } from "@docusaurus/router";
import { createContext, useContext, useId, useState, type ReactNode } from "react";
import { note, pageOf } from "./progress";
import styles from "./course.module.css";

type Prediction = {
  chosen: string | undefined;
  choose: (says: string, right: boolean) => void;
  name: string;
};
const PredictionContext = createContext<Prediction | undefined>(undefined);

/** True inside a prediction without an answer: results are hidden until then. */
export const useCovered = (): boolean => {
  const prediction = useContext(PredictionContext);
  return prediction !== undefined && prediction.chosen === undefined;
};

/** A question before a run. Live code inside shows its results after the reader has chosen an answer. */
export function Predict({ children }: { children: ReactNode }): ReactNode {
  const [chosen, setChosen] = useState<string>();
  const { pathname } = useLocation();
  const name = useId();
  const choose = (says: string) => {
    setChosen(says);
    note(pageOf(pathname), "predicted", says);
  };
  return (
    <PredictionContext value={{ chosen, choose, name }}>
      <div className={styles.predict} data-predict={chosen === undefined ? "open" : "made"}>
        {children}
      </div>
    </PredictionContext>
  );
}

/** An answer: its text, and the explanation shown after it was chosen. */
export function Choice({
  says,
  right = false,
  children,
}: {
  says: string;
  right?: boolean;
  children: ReactNode;
}): ReactNode {
  const prediction = useContext(PredictionContext);
  const made = prediction?.chosen !== undefined;
  const own = prediction?.chosen === says;
  return (
    <div className={styles.choice} data-right={right} data-own={own} data-made={made}>
      <label>
        <input
          type="radio"
          name={prediction?.name}
          checked={own}
          onChange={() => prediction?.choose(says, right)}
        />
        <span>{says}</span>
        {made && <em>{right ? "Correct" : own ? "Not quite" : ""}</em>}
      </label>
      <div className={styles.explanation} data-explanation hidden={!made}>
        {children}
      </div>
    </div>
  );
}
