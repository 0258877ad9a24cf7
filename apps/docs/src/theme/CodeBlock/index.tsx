import Element from "@theme/CodeBlock/Content/Element";
import Text from "@theme/CodeBlock/Content/String";
import type { Props } from "@theme/CodeBlock";
import type { ReactNode } from "react";

/** A code block. Docusaurus re-renders each after hydration, for themes that differ in dark mode; ours does not. */
export default function CodeBlock({ children, ...props }: Props): ReactNode {
  const text =
    Array.isArray(children) && children.every((part) => typeof part === "string")
      ? children.join("")
      : children;
  return typeof text === "string" ? <Text {...props}>{text}</Text> : <Element {...props}>{text}</Element>;
}
