import BrowserOnly from "@docusaurus/BrowserOnly";
import Link from "@docusaurus/Link";
import useBaseUrl from "@docusaurus/useBaseUrl";
import manifest from "@site/.cache/manifest.json";
import Layout from "@theme/Layout";
import { lazy, Suspense, useCallback, type ReactNode } from "react";
import styles from "./explore.module.css";

const Explorer = lazy(async () => ({ default: (await import("explorer")).Explorer }));

/** The explorer on its own page: a model, a text, and views of the model's internals. */
export default function Explore(): ReactNode {
  const base = useBaseUrl("/");
  const createWorker = useCallback(
    () => new Worker(new URL(manifest.explorer, new URL(base, location.href)), { type: "module" }),
    [base],
  );
  return (
    <Layout
      title="Look inside a model"
      description="Bring a language model and a text: which tokens each head attends to, and why; what every layer predicts; what changes without a head; where two texts differ."
    >
      <main className={styles.main}>
        <h1>Look inside a model</h1>
        <p>
          Type a text. See which tokens each head attends to, and the reasons; what every layer would predict;
          what changes when a part is switched off; and which part makes the difference between two texts. The
          model runs in a worker on your device. In a terminal, <code>npx qkv lens MODEL</code> opens this
          page on a model of yours; the functions behind it are those of{" "}
          <Link to="/packages/lens/">@qkv/lens</Link>.
        </p>
        <noscript>
          <p>The explorer computes in the page: it needs JavaScript.</p>
        </noscript>
        <div className={styles.place}>
          <BrowserOnly>
            {() => (
              <Suspense fallback={null}>
                <Explorer createWorker={createWorker} />
              </Suspense>
            )}
          </BrowserOnly>
        </div>
      </main>
    </Layout>
  );
}
