import Link from "@docusaurus/Link";
import type { ReactNode } from "react";
import { Wordmark } from "../../wordmark";

/** The product's name as its logo. */
export default function Logo({ className = "" }: { className?: string }): ReactNode {
  return (
    <Link to="/" className={className} aria-label="qkv, to the first page">
      <Wordmark />
    </Link>
  );
}
