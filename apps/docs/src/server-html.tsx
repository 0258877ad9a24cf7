import { Suspense, useState, useSyncExternalStore, type ReactNode } from "react";

/**
 * A part that never changes: the HTML that the page came with stays as it is and is not rendered again. Where there is
 * none, after a link within the site, it is rendered. Code that only this needs may be loaded then.
 */
export function ServerHtml({
  render,
  meanwhile,
}: {
  render: () => ReactNode;
  /** Seen while code is loaded. */
  meanwhile?: ReactNode;
}): ReactNode {
  const hydrating = useSyncExternalStore(never, onClient, onServer);
  const onPage = typeof document !== "undefined";
  const [keeps] = useState(hydrating && onPage);
  // React leaves the content of such an element alone while it hydrates.
  if (keeps) return <div suppressHydrationWarning dangerouslySetInnerHTML={{ __html: "" }} />;
  // During prerendering the page waits for lazy components: no fallback may be written to the HTML.
  return <div>{onPage ? <Suspense fallback={meanwhile}>{render()}</Suspense> : render()}</div>;
}

const never = () => () => {};
const onClient = () => false;
const onServer = () => true;
