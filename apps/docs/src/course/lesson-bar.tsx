import { useLocation } from "@docusaurus/router";
import { useDoc } from "@docusaurus/plugin-content-docs/client";
import { useEffect, useState, type ReactNode } from "react";
import { course } from "./course";
import { pageOf, useProgress } from "./progress";
import styles from "./course.module.css";

const views = [
  { name: "answer", says: "Answer only" },
  { name: "code", says: "Code only" },
  { name: "all", says: "Full lesson" },
] as const;
type View = (typeof views)[number]["name"];

/**
 * The bar above a lesson: its duration, its level of detail (stored in the address), and the state of its live code. A page
 * without live code is always shown completely.
 */
export function LessonBar({ words, code }: { words: number; code: boolean }): ReactNode {
  const { pathname, search } = useLocation();
  const { frontMatter } = useDoc();
  const { still_true: stillTrue } = frontMatter as { still_true?: string };
  const page = pageOf(pathname);
  const at = course.findIndex(({ slug }) => slug === page);
  const progress = useProgress()[page];
  const [view, setView] = useState<View>("all");
  useEffect(() => {
    const requestedView = new URLSearchParams(search).get("view");
    setView((code && views.find(({ name }) => name === requestedView)?.name) || "all");
  }, [search, code]);
  const choose = (next: View) => {
    setView(next);
    const link = new URL(location.href);
    if (next === "all") link.searchParams.delete("view");
    else link.searchParams.set("view", next);
    history.replaceState(history.state, "", link);
  };
  const minutes = Math.max(1, Math.round(words / 200));
  const done = [
    progress?.predicted.length ? "prediction made" : "",
    progress?.solved.length ? "exercise solved" : "",
  ].filter(Boolean);
  return (
    <div className={styles.bar} data-view={view}>
      <span>
        {at >= 0 && `Lesson ${at + 1} of ${course.length} · `}
        {minutes} min
        {done.length > 0 && ` · ✓ ${done.join(", ")}`}
      </span>
      {code && (
        <span role="group" aria-label="How much of the lesson to show">
          {views.map(({ name, says }) => (
            <button key={name} type="button" aria-pressed={view === name} onClick={() => choose(name)}>
              {says}
            </button>
          ))}
        </span>
      )}
      {stillTrue && <span className={styles.still}>Still true? {stillTrue}</span>}
    </div>
  );
}
