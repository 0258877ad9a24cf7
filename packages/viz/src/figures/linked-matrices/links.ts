import type { LinkedCell, LinkedMatrix } from "./model.js";

/** A row, a column or a cell that is lit. */
export type Lit = { name: LinkedMatrix; row?: number; column?: number };

/** Origins of a number, and all that is made from it: the cell first. */
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
