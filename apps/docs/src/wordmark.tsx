import type { ReactNode } from "react";

/** qkv: three letters, each in the color of what it stands for. */
export function Wordmark(): ReactNode {
  return (
    <span style={{ fontWeight: 700, letterSpacing: "-0.02em" }}>
      <span className="means-query">q</span>
      <span className="means-key">k</span>
      <span className="means-value">v</span>
    </span>
  );
}
