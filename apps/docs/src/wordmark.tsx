import type { ReactNode } from "react";

/** The letters q, k and v, in the colors of query, key and value. */
export function Wordmark(): ReactNode {
  return (
    <span style={{ fontWeight: 700, letterSpacing: "-0.02em" }}>
      <span className="means-query">q</span>
      <span className="means-key">k</span>
      <span className="means-value">v</span>
    </span>
  );
}
