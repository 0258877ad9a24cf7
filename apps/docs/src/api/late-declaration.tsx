import { lazy, type ComponentType, type ReactNode } from "react";
import { ServerHtml } from "../server-html";
import type { DeclarationProps } from "./declaration";
import styles from "./declaration.module.css";

const WithColors: ComponentType<DeclarationProps> = lazy(() =>
  import("./declaration").then(({ Declaration }) => ({ default: Declaration })),
);

/** `Declaration` of a page: Prism is loaded where the page did not come with the colors. */
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
