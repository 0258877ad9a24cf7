import { useState, useSyncExternalStore, type ReactNode } from "react";

/**
 * A part that never changes: the HTML that the page came with stays as it is and is not rendered again. Where there is
 * none, after a link within the site, it is rendered.
 */
export function ServerHtml({ render }: { render: () => ReactNode }): ReactNode {
  const hydrating = useSyncExternalStore(never, onClient, onServer);
  const [keeps] = useState(hydrating && typeof document !== "undefined");
  // React leaves the content of such an element alone while it hydrates.
  return keeps ? (
    <div suppressHydrationWarning dangerouslySetInnerHTML={{ __html: "" }} />
  ) : (
    <div>{render()}</div>
  );
}

const never = () => () => {};
const onClient = () => false;
const onServer = () => true;
