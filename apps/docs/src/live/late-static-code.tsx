import { lazy, type ComponentType } from "react";
import { CodeLines } from "./code-lines";

/**
 * `StaticCode` for `ServerHtml`. Prism, which takes a phone 0.2 s to start, is only loaded if the server-rendered page has no
 * highlighted code.
 */
export const LateStaticCode: ComponentType<{ code: string }> = lazy(() =>
  import("./static-code").then(({ StaticCode }) => ({ default: StaticCode })),
);

/** The same code without highlighting. */
export const PlainCode: ComponentType<{ code: string }> = ({ code }) => (
  <CodeLines code={code.trimEnd()} lines={code.trimEnd().split("\n")} />
);
