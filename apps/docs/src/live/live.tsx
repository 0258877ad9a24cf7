import BrowserOnly from "@docusaurus/BrowserOnly";
import type { Message } from "@qkv/page";
import { useCovered } from "../course/predict";
import { lazy, Suspense, type ReactNode } from "react";
import { CheckLine } from "./check-line";
import { ControlInput } from "./control-input";
import styles from "./live.module.css";
import { StaticCode } from "./static-code";

export type LiveProps = {
  /** The file in examples/, without `.ts`. */
  example: string;
  /** Its text, and what it showed when the site was built: the build fills both in. */
  code?: string;
  output?: Message[];
};

const LiveEditor = lazy(() => import("./live-editor"));

/** Code that runs on the page. Without JavaScript: the code to read, and what it shows. */
export function Live({ example, code = "", output = [] }: LiveProps): ReactNode {
  const covered = useCovered();
  const still = (
    <div className={styles.live} data-live={example} data-covered={covered || undefined}>
      <div className={styles.bar}>
        <span className={styles.name}>{example}.ts</span>
      </div>
      <div className={styles.body}>
        <div className={styles.code}>
          <StaticCode code={code} />
        </div>
        <div className={styles.output}>
          {output.map((message, i) =>
            message.type === "picture" ? (
              <div key={i} className={styles.picture} dangerouslySetInnerHTML={{ __html: message.svg }} />
            ) : message.type === "text" ? (
              <pre key={i} className={styles.text}>
                {message.text}
              </pre>
            ) : message.type === "check" ? (
              <CheckLine key={i} {...message} />
            ) : (
              <ControlInput key={i} control={message} />
            ),
          )}
        </div>
      </div>
    </div>
  );
  return (
    <BrowserOnly fallback={still}>
      {() => (
        <Suspense fallback={still}>
          <LiveEditor example={example} code={code} output={output} />
        </Suspense>
      )}
    </BrowserOnly>
  );
}
