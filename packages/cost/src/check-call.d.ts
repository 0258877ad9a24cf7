/** Refuses a number that is not whole, or below what makes sense. */
export declare function checkWhole(
  fn: string,
  argument: string,
  received: number,
  least: number,
  unit: string,
): void;
/** Refuses a number that is not above 0. */
export declare function checkPositive(fn: string, argument: string, received: number, unit: string): void;
