import type { Message } from "@qkv/page";
import { useCovered } from "../course/predict";
import { lazy, startTransition, Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { ServerHtml } from "../server-html";
import { whenNear } from "../when-near";
import type { Change } from "./change";
import { ChangeList } from "./change-list";
import { CheckLine } from "./check-line";
import { ControlInput } from "./control-input";
import type { Exercise } from "./exercise";
import { ExerciseHelp } from "./exercise-help";
import { isExercise } from "./is-exercise";
import { LateStaticCode, PlainCode } from "./late-static-code";
import type { Unfit } from "./live-device";
import styles from "./live.module.css";
import { isControl } from "./message-gate";

export type LiveProps = {
  /** The file in examples/, without `.ts`. */
  example: string;
  /** Its text, and its output, which the build fills in: under `npm start`, its text only. */
  code?: string;
  output?: Message[];
  /** Suggested changes, from changes/NAME.ts: filled in by the build if the file exists. */
  changes?: readonly Change[];
  /** Help with an exercise, from exercises/NAME.ts: likewise. */
  exercise?: Exercise;
  /** Devices that it cannot run on, with the reason, as the build determined: likewise. */
  unfit?: Unfit;
};

const anywhere: Unfit = {};
const LiveEditor = lazy(() => import("./live-editor"));

/**
 * Live code, which runs when it is near the viewport. Before that, and without JavaScript: the code as text, and its output
 * from the build.
 */
export function Live({
  example,
  code = "",
  output,
  changes = [],
  exercise,
  unfit = anywhere,
}: LiveProps): ReactNode {
  const covered = useCovered();
  const place = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const begin = () => startTransition(() => setNear(true));
    // Code and values in the address are shown immediately.
    if (location.hash.includes(`.${example}=`)) return begin();
    return whenNear(place.current!, begin);
  }, [example]);
  const still = (
    <div
      ref={place}
      className={styles.live}
      data-live={example}
      data-folded
      data-covered={covered || undefined}
    >
      <div className={styles.bar}>
        <span className={styles.name}>{example}.ts</span>
        <span className={styles.status}>{"\u00a0"}</span>
        {/* The buttons' room: they come with the page's JavaScript. */}
        <button className={styles.run} style={{ visibility: "hidden" }} disabled>
          Run
        </button>
      </div>
      <ChangeList changes={changes} code={code} />
      <div className={styles.body}>
        <div className={styles.code}>
          <ServerHtml render={() => <LateStaticCode code={code} />} meanwhile={<PlainCode code={code} />} />
        </div>
        <div className={styles.output}>
          {/* In the order and with the room of what the page shows later: nothing moves. */}
          {output?.filter(isControl).map((control, i) => (
            <ControlInput key={i} control={control} />
          ))}
          {output?.map((message, i) =>
            message.type === "picture" ? (
              <div key={i} className={styles.picture}>
                <div dangerouslySetInnerHTML={{ __html: message.svg }} />
                <div className={styles.reading} />
              </div>
            ) : message.type === "text" ? (
              <pre key={i} className={styles.text}>
                {message.text}
              </pre>
            ) : message.type === "check" ? (
              <CheckLine key={i} {...message} exercise={isExercise(example)} />
            ) : null,
          )}
        </div>
      </div>
      {exercise && (
        <ExerciseHelp exercise={exercise} original={code.trimEnd()} code={code.trimEnd()} solved={false} />
      )}
    </div>
  );
  return near ? (
    <Suspense fallback={still}>
      <LiveEditor
        example={example}
        code={code}
        output={output}
        changes={changes}
        exercise={exercise}
        unfit={unfit}
      />
    </Suspense>
  ) : (
    still
  );
}
