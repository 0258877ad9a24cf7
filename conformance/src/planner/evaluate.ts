/** Evaluates a formula of sums, differences, products and quotients: `(d_c+d_hR)*l`. */
export function evaluate(formula: string, values: Readonly<Record<string, number>>): number {
  const tokens = formula.match(/[A-Za-z_]\w*|\d+(?:\.\d+)?|[-+*/()]|\S/g) ?? [];
  let at = 0;
  const take = (...wanted: string[]) => (wanted.includes(tokens[at] ?? "") ? tokens[at++] : undefined);
  const fail = (): never => {
    throw new Error(`cannot read ${JSON.stringify(formula)} at ${JSON.stringify(tokens[at] ?? "its end")}`);
  };

  function sum(): number {
    let value = product();
    for (let sign = take("+", "-"); sign; sign = take("+", "-"))
      value += sign === "+" ? product() : -product();
    return value;
  }
  function product(): number {
    let value = factor();
    for (let sign = take("*", "/"); sign; sign = take("*", "/"))
      value = sign === "*" ? value * factor() : value / factor();
    return value;
  }
  function factor(): number {
    if (take("(")) {
      const value = sum();
      return take(")") ? value : fail();
    }
    const token = tokens[at] ?? "";
    const value = /^\d/.test(token)
      ? Number(token)
      : Object.hasOwn(values, token)
        ? values[token]
        : undefined;
    if (value === undefined) return fail();
    at += 1;
    return value;
  }

  const value = sum();
  return at === tokens.length ? value : fail();
}
