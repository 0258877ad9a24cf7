import { useLocation } from "@docusaurus/router";
import { useEffect, useRef, type ReactNode } from "react";
import styles from "./fold.module.css";

/**
 * The collapsed part below a name of an API page. It opens for a link to the name, `of`; the browser opens it when a search
 * in the page matches inside.
 */
export function Fold({ of, title, children }: { of: string; title: string; children: ReactNode }): ReactNode {
  const { hash } = useLocation();
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (fold.current && decodeURIComponent(hash) === `#${of}`) fold.current.open = true;
  }, [hash, of]);
  return (
    <details ref={fold} className={styles.fold}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
