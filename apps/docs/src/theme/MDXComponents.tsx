import MDXComponents from "@theme-original/MDXComponents";
import type { ReactNode } from "react";
import { Live } from "../live/live";

const means = (meaning: "query" | "key" | "value") =>
  function Meaning({ children }: { children: ReactNode }): ReactNode {
    return <span className={`means-${meaning}`}>{children}</span>;
  };

/** What a page may use without importing it: live code, and the three colors as <Q>, <K> and <V>. */
export default { ...MDXComponents, Live, Q: means("query"), K: means("key"), V: means("value") };
