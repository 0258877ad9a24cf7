import { Suspense, useState, useSyncExternalStore, type ReactNode } from "react";

/**
 * A part that never changes: its server-rendered HTML is kept and not hydrated. Without such HTML, after a navigation within
 * the site, it is rendered; code that only this needs may be loaded then.
 */
export function ServerHtml({
  render,
  meanwhile,
}: {
  render: () => ReactNode;
  /** Shown while code is loaded. */
  meanwhile?: ReactNode;
}): ReactNode {
  const hydrating = useSyncExternalStore(never, onClient, onServer);
  const onPage = typeof document !== "undefined";
  const [keeps] = useState(hydrating && onPage);
  // React does not touch the content of such an element during hydration.
  if (keeps) return <div suppressHydrationWarning dangerouslySetInnerHTML={{ __html: "" }} />;
  // Prerendering waits for lazy components: no fallback may be written to the HTML.
  return <div>{onPage ? <Suspense fallback={meanwhile}>{render()}</Suspense> : render()}</div>;
}

const never = () => () => {};
const onClient = () => false;
const onServer = () => true;
