import MDXComponents from "@theme-original/MDXComponents";
import type { ReactNode } from "react";
import { Fold } from "../api/fold";
import { LateDeclaration } from "../api/late-declaration";
import { NameIndex } from "../api/name-index";
import { CourseList } from "../course/course-list";
import { LessonBar } from "../course/lesson-bar";
import { Choice, Predict } from "../course/predict";
import { Figure } from "../figures/figure";
import { Live } from "../live/live";
import { Term } from "../term";
import { WideTable } from "../wide-table";

const means = (meaning: "query" | "key" | "value") =>
  function Meaning({ children }: { children: ReactNode }): ReactNode {
    return <span className={`means-${meaning}`}>{children}</span>;
  };

/** Components that pages can use without imports: live code, predictions, and the three colors as <Q>, <K> and <V>. */
export default {
  ...MDXComponents,
  Declaration: LateDeclaration,
  Fold,
  NameIndex,
  Live,
  Figure,
  Predict,
  Choice,
  CourseList,
  LessonBar,
  Term,
  Q: means("query"),
  K: means("key"),
  V: means("value"),
  table: WideTable,
};
