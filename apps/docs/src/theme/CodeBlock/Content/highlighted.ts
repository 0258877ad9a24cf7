import includeLanguages from "@theme/prism-include-languages";
import { Prism } from "prism-react-renderer";

// Registers further languages with Prism before Docusaurus's own component is loaded.
includeLanguages(Prism);

export { default } from "@theme-original/CodeBlock/Content";
