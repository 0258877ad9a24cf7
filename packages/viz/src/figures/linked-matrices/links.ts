import type { LinkedCell, LinkedMatrix } from "./model.js";

/** A highlighted row, column or cell. */
export type Lit = { name: LinkedMatrix; row?: number; column?: number };

/** The cell itself, its operands, and all results that depend on it. */
export function linkedCells({ name, row, column }: LinkedCell): Lit[] {
  const cell = { name, row, column };
  switch (name) {
    case "q":
      return [cell, { name: "q", row }, { name: "s", row }];
    case "k":
      return [cell, { name: "k", row }, { name: "s", column: row }];
    case "v":
      return [cell, { name: "v", row }, { name: "a", column: row }];
    case "s":
      return [cell, { name: "q", row }, { name: "k", row: column }, { name: "a", row, column }];
    case "a":
      return [cell, { name: "s", row }, { name: "v", row: column }, { name: "o", row }];
    case "o":
      return [cell, { name: "a", row }, { name: "v", column }];
  }
}
