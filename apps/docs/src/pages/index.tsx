import Link from "@docusaurus/Link";
import useDocusaurusContext from "@docusaurus/useDocusaurusContext";
import code from "!!raw-loader!@site/examples/first-look.ts";
import output from "@site/.cache/output/first-look.json";
import Layout from "@theme/Layout";
import type { ReactNode } from "react";
import { Live } from "../live/live";
import { Wordmark } from "../wordmark";
import styles from "./index.module.css";

const doors = [
  {
    to: "/learn/query-key-value/",
    name: "Learn",
    text: "What is a head? Why values? Questions answered by code that you run, change and see.",
  },
  {
    to: "/packages/",
    name: "Use",
    text: "Small packages: masks that compose, caches as data structures, weights on demand.",
  },
  {
    to: "/api/",
    name: "Look up",
    text: "Every function with its shapes, units, errors and source, made from the code.",
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
            A <span className="means-query">query</span> asks, <span className="means-key">keys</span> answer,{" "}
            <span className="means-value">values</span> are mixed. Below, sixteen tokens look at each other
            through a window. Move it, or change the code: it runs here, on the packages that npm installs.
          </p>
        </header>
        <Live example="first-look" code={code} output={output} />
        <pre className={styles.install}>
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
