import { lazy, type ComponentType, type ReactNode } from "react";
import { ServerHtml } from "../server-html";
import type { DeclarationProps } from "./declaration";
import styles from "./declaration.module.css";

const WithColors: ComponentType<DeclarationProps> = lazy(() =>
  import("./declaration").then(({ Declaration }) => ({ default: Declaration })),
);

/** A `Declaration` that loads Prism on demand, if the server-rendered page has no highlighted code. */
export function LateDeclaration(props: DeclarationProps): ReactNode {
  return (
    <ServerHtml
      render={() => <WithColors {...props} />}
      meanwhile={
        <pre className={styles.declaration} data-declaration>
          {props.code}
        </pre>
      }
    />
  );
}
