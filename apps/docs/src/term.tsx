import type { ReactNode } from "react";

/** A glossary term, whose meaning is shown on hover and on focus. */
export function Term({
  id,
  meaning,
  children,
}: {
  id: string;
  meaning: string;
  children: ReactNode;
}): ReactNode {
  return (
    <span className="term" tabIndex={0} aria-describedby={id}>
      {children}
      <span className="term-meaning" role="tooltip" id={id}>
        {meaning}
      </span>
    </span>
  );
}
