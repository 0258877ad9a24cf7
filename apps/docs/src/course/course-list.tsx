import Link from "@docusaurus/Link";
import pages from "@site/.cache/pages.json";
import type { ReactNode } from "react";
import { course, type Lesson } from "./course";
import { forget, useProgress } from "./progress";
import styles from "./course.module.css";

/** The twelve lessons with the reader's progress, which is only stored on this device. */
export function CourseList(): ReactNode {
  const progress = useProgress();
  const done = course.filter(
    ({ slug }) => progress[slug]?.predicted.length || progress[slug]?.solved.length,
  ).length;
  const label = ({ title, question }: Lesson) => (
    <>
      <strong>{title}</strong>
      <span>{question}</span>
    </>
  );
  return (
    <>
      <ol className={styles.course}>
        {course.map((lesson) => {
          const { slug } = lesson;
          const pageProgress = progress[slug];
          const path = `/learn/${slug}/`;
          return (
            <li key={slug} data-done={Boolean(pageProgress?.predicted.length || pageProgress?.solved.length)}>
              {path in pages ? (
                <Link to={path}>{label(lesson)}</Link>
              ) : (
                <span>{label(lesson)} (not written yet)</span>
              )}
              <em>
                {pageProgress?.solved.length
                  ? "exercise solved"
                  : pageProgress?.predicted.length
                    ? "prediction made"
                    : ""}
              </em>
            </li>
          );
        })}
      </ol>
      <p className={styles.kept}>
        You have started {done} of {course.length} lessons. Your progress is stored only in this browser.{" "}
        {done > 0 && (
          <button type="button" onClick={forget}>
            Clear progress
          </button>
        )}
      </p>
    </>
  );
}
