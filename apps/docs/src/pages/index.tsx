import Link from "@docusaurus/Link";
import useDocusaurusContext from "@docusaurus/useDocusaurusContext";
import code from "!!raw-loader!@site/examples/first-look.ts";
import output from "@site/.cache/output/first-look.json";
import Layout from "@theme/Layout";
import type { ReactNode } from "react";
import { FirstScreen } from "../first/first-screen";
import { Live } from "../live/live";
import { Wordmark } from "../wordmark";
import styles from "./index.module.css";

const doors = [
  {
    to: "/learn/",
    name: "Learn",
    text: "What is a head? Why values? Questions answered by code that you run, change and see.",
  },
  {
    to: "/guides/",
    name: "Use",
    text: "Small packages: masks that compose, caches as data structures, weights on demand.",
  },
  {
    to: "/reference/",
    name: "Look up",
    text: "Every mechanism with its formula, year and models, and every function with its shapes, units and errors.",
  },
];

export default function Home(): ReactNode {
  const { siteConfig } = useDocusaurusContext();
  return (
    <Layout title="Composable attention for TypeScript" description={siteConfig.tagline}>
      <main className={styles.main}>
        <header className={styles.head}>
          <h1>
            <Wordmark />
          </h1>
          <p className={styles.tagline}>{siteConfig.tagline}</p>
          <p className={styles.lead}>
            Below, a small model of ours reads your sentence. In each of its heads a{" "}
            <span className="means-query">query</span> asks, <span className="means-key">keys</span> answer,
            and <span className="means-value">values</span> are mixed. It runs here, on the packages that npm
            installs.
          </p>
        </header>
        <FirstScreen />
        <h2>The code that draws such a picture</h2>
        <Live example="first-look" code={code} output={output} />
        <pre className={styles.install} tabIndex={0}>
          <code>npm install @qkv/attention @qkv/tensor</code>
        </pre>
        <nav className={styles.doors} aria-label="Three ways in">
          {doors.map(({ to, name, text }) => (
            <Link key={to} to={to} className={styles.door ?? ""}>
              <strong>{name}</strong>
              <span>{text}</span>
            </Link>
          ))}
        </nav>
      </main>
    </Layout>
  );
}
