import Link from "@docusaurus/Link";
import useDocusaurusContext from "@docusaurus/useDocusaurusContext";
import code from "!!raw-loader!@site/examples/first-look.ts";
import output from "@site/.cache/output/first-look.json";
import Layout from "@theme/Layout";
import type { ReactNode } from "react";
import { FirstScreen } from "../first/first-screen";
import { Live } from "../live/live";
import styles from "./index.module.css";

const doors = [
  {
    to: "/learn/evolution/",
    name: "Learn",
    text: "The story of attention, from Bahdanau to today, as figures and code.",
  },
  { to: "/guides/", name: "Use", text: "Install one small npm package and follow a guide for your job." },
  {
    to: "/reference/",
    name: "Reference",
    text: "Every mechanism and function: formula, shapes, units, errors.",
  },
];

/** The npm packages that code imports, without `@qkv/page`, which only live pages have. */
const packages = [...new Set(code.match(/@qkv\/[\w-]+/g) ?? [])].filter((name) => name !== "@qkv/page");

export default function Home(): ReactNode {
  const { siteConfig } = useDocusaurusContext();
  return (
    <Layout title="Composable attention for TypeScript" description={siteConfig.tagline}>
      <main className={styles.main}>
        <header className={styles.head}>
          <div>
            <h1>
              <span>See how attention works.</span> <span>Change it. Use it.</span>
            </h1>
            <p className={styles.tagline}>{siteConfig.tagline}</p>
          </div>
          <nav className={styles.doors} aria-label="Where to start">
            {doors.map(({ to, name, text }) => (
              <Link key={to} to={to} className={styles.door ?? ""}>
                <strong>{name}</strong>
                <span>{text}</span>
              </Link>
            ))}
          </nav>
        </header>
        <FirstScreen />
        <h2>The code behind this picture</h2>
        <p>
          It runs in your browser, using our npm packages. Change it and press Run. (<code>@qkv/page</code>{" "}
          draws the controls and the output on this page; Copy leaves it out.)
        </p>
        <Live example="first-look" code={code} output={output} />
        <pre className={styles.install} tabIndex={0}>
          <code>npm install {packages.join(" ")}</code>
        </pre>
      </main>
    </Layout>
  );
}
