/** The text of `compute` where numbers are computed one by one, by `float number(int n)`. */
export const oneByOne = `vec4 compute(int i) {
  int n = i * 4;
  return vec4(number(n), number(n + 1), number(n + 2), number(n + 3));
}`;
