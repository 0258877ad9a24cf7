import Link from "@docusaurus/Link";
import { useEffect, useState, type ReactNode } from "react";
import { places } from "./places";

/** The page for unknown addresses: links to what the reader may have looked for. */
export default function NotFoundContent({ className = "" }: { className?: string }): ReactNode {
  // The words of the address, set in the browser: one prerendered page serves all addresses.
  const [words, setWords] = useState("");
  useEffect(() => {
    const last = location.pathname.split("/").filter(Boolean).at(-1) ?? "";
    setWords(last.replace(/\.\w+$/, "").replace(/[^\p{L}\p{N}]+/gu, " "));
  }, []);
  return (
    <main className={`container margin-vert--xl ${className}`}>
      <h1>Page not found</h1>
      <p>There is no page at this address. It may have moved, or the link may contain a typo.</p>
      <ul>
        {words && (
          <li>
            <Link to={`/search/?q=${encodeURIComponent(words)}`}>Search for “{words}”</Link>
          </li>
        )}
        {places.map(({ to, name, text }) => (
          <li key={to}>
            <Link to={to}>{name}</Link>: {text}
          </li>
        ))}
      </ul>
      <p>
        If a link on this site brought you here, please{" "}
        <Link to="https://github.com/qkv-js/qkv/issues">report the broken link</Link>.
      </p>
    </main>
  );
}
