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

/** True if a prediction around this place is still to be made: what was computed is covered until then. */
export const useCovered = (): boolean => {
  const prediction = useContext(PredictionContext);
  return prediction !== undefined && prediction.chosen === undefined;
};

/** A question before the run. What runs inside of it shows its result when the reader has chosen an answer. */
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

/** One answer: what it says, and what there is to say about it once the reader has chosen. */
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
