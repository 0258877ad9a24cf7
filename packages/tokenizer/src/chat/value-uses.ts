/** A part of a parsed template. */
export type Statement = {
  readonly type: string;
  readonly value?: unknown;
  readonly args?: readonly Statement[];
  readonly callee?: Statement;
  readonly object?: Statement;
  readonly property?: Statement;
  readonly operator?: { readonly value: string };
  readonly left?: Statement;
  readonly right?: Statement;
  readonly iterable?: Statement;
  readonly lhs?: Statement;
  readonly argument?: Statement;
  readonly operand?: Statement;
  readonly filter?: Statement;
  readonly test?: Statement;
  readonly assignee?: Statement;
};

/**
 * Uses of the value of an expression:
 *
 * - `items`: each item is visited, as by a loop.
 * - `characters`: its characters are read, as by a string method.
 * - `written`: it is converted to text.
 * - `left`, then `equal` or `member`: operands of `==` and `in`.
 * - `argument`, then `grown`: the result grows with it.
 */
export type Use = "items" | "characters" | "written" | "left" | "equal" | "member" | "argument" | "grown";

/** Finds the expressions of a template whose values cost more than a step to use. */
export function valueUses(program: object): ReadonlyMap<object, Use> {
  const uses = new Map<object, Use>();
  const mark = (expression: Statement | undefined, use: Use) => {
    if (!expression) return;
    const isKeywordArgument = expression.type === "KeywordArgumentExpression";
    uses.set(isKeywordArgument ? (expression.value as Statement) : expression, use);
  };
  const pending: unknown[] = [program];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (Array.isArray(node)) pending.push(...(node as unknown[]).filter(isObject));
    else if (node instanceof Map) pending.push(...[...node].flat().filter(isObject));
    else {
      const statement = node as Statement;
      pending.push(...Object.values(statement).filter(isObject));
      const { type, object, callee, args = [], left, right } = statement;
      const filter = statement.filter;
      const operator = statement.operator?.value;
      if (type === "For") {
        const { iterable } = statement;
        mark(iterable?.type === "SelectExpression" ? iterable.lhs : iterable, "items");
      } else if (type === "SpreadExpression" || type === "KeywordSpreadExpression") {
        mark(statement.argument, "items");
      } else if (type === "MemberExpression" && statement.property?.type === "SliceExpression") {
        mark(object, "characters");
      } else if (type === "CallExpression" && callee?.type === "MemberExpression") {
        const grows = callee.property?.value === "replace";
        for (const argument of args) mark(argument, grows ? "argument" : "characters");
        mark(callee.object, grows ? "grown" : "characters");
      } else if (type === "FilterExpression" || type === "FilterStatement") {
        for (const argument of filter?.args ?? []) mark(argument, "argument");
      } else if (type === "TestExpression") {
        if (/^(?:lower|upper)$/.test(String(statement.test?.value))) mark(statement.operand, "characters");
      } else if (type === "BinaryExpression" && (operator === "~" || operator === "+")) {
        mark(left, "written");
        mark(right, "written");
      } else if (type === "BinaryExpression" && /^(?:[!=]=|in|not in)$/.test(operator!)) {
        mark(left, "left");
        mark(right, operator!.endsWith("in") ? "member" : "equal");
      }
    }
  }
  return uses;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
