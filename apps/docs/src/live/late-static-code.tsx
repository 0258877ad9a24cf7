import { lazy, type ComponentType } from "react";
import { CodeLines } from "./code-lines";

/**
 * `StaticCode` for `ServerHtml`: Prism, which takes a phone a fifth of a second to start, is loaded where the page did not
 * come with the colors.
 */
export const LateStaticCode: ComponentType<{ code: string }> = lazy(() =>
  import("./static-code").then(({ StaticCode }) => ({ default: StaticCode })),
);

/** The same code without colors. */
export const PlainCode: ComponentType<{ code: string }> = ({ code }) => (
  <CodeLines code={code.trimEnd()} lines={code.trimEnd().split("\n")} />
);
